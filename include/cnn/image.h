/* Photographs: JPEG and PNG to pixels. The format is known by the content, not by the name.
 *
 * Pixels are a tensor of CNN_UINT8, H×W×3, RGB. Transparent pixels are blended over white, 16-bit samples rounded to 8,
 * grey and CMYK converted, and EXIF orientation applied. */
#ifndef CNN_IMAGE_H
#define CNN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef enum cnn_image_format {
    CNN_IMAGE_UNKNOWN = 0,
    CNN_IMAGE_JPEG = 1,
    CNN_IMAGE_PNG = 2,
    CNN_IMAGE_FORMAT_MAX_ENUM = 0x7fffffff
} cnn_image_format;

/* The longest side of an image that is decoded. libjpeg's own limit, 65,500, is a little lower. */
enum { CNN_IMAGE_MAX_SIDE = 65535 };

typedef struct cnn_image_options {
    uint32_t struct_size;

    /* Not 0: an image that is truncated, or damaged, within its pixels is decoded as far as it goes, its rest grey.
     * 0: it is an error. An image whose head is damaged always is. */
    uint32_t allow_truncated;

    /* An image that a half (quarter, eighth, ...) of its size leaves as large as this in both directions is decoded at
     * that size, which takes less time and memory: a JPEG by its decoder, in a PNG blocks of pixels become their mean.
     * 0: decode at full size. */
    uint32_t min_width, min_height;

    uint64_t max_pixels;     /* width × height allowed; 0: cnn_context_options.max_pixels */
    uint64_t max_file_bytes; /* file size allowed; 0: 64 MiB */
} cnn_image_options;

CNN_INLINE void cnn_image_options_init(cnn_image_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

typedef struct cnn_image_info {
    uint32_t struct_size; /* set by the caller before the call */
    cnn_image_format format;
    uint32_t width, height; /* as it will be decoded at full size: EXIF orientation applied */
    uint32_t channels;      /* as stored: 1, 2, 3 or 4 */
    uint32_t orientation;   /* EXIF, 1 to 8 */
} cnn_image_info;

CNN_INLINE void cnn_image_info_init(cnn_image_info *info)
{
    cnn_options_clear(info, sizeof *info);
}

/* Reads an image's header, without decoding it. `name` stands for the image in error sentences and may be NULL. `info`
 * has been initialised. Errors: as cnn_image_decode. Thread-safe. */
CNN_API cnn_status cnn_image_probe(const void *bytes, size_t size, const char *name, cnn_image_info *info);

/* Decodes an image from memory, or from a file. `options` may be NULL. The caller owns the tensor.
 * Errors: CNN_ERROR_IO (file), CNN_ERROR_FORMAT (broken, empty, or neither JPEG nor PNG: the message says what it is
 * where that can be told), CNN_ERROR_LIMIT. Thread-safe. */
CNN_API cnn_status cnn_image_decode(cnn_context *context, const void *bytes, size_t size, const char *name,
                                    const cnn_image_options *options, cnn_tensor **pixels);
CNN_API cnn_status cnn_image_load(cnn_context *context, const char *path, const cnn_image_options *options,
                                  cnn_tensor **pixels);

/* How a photograph of any proportions becomes the input of a network. */
typedef enum cnn_fit {
    CNN_FIT_STRETCH = 0,   /* scaled to the input's width and height; proportions change */
    CNN_FIT_CROP = 1,      /* scaled until it covers the input; what lies outside the middle is cut off */
    CNN_FIT_LETTERBOX = 2, /* scaled until it fits into the input; the borders are grey */
    CNN_FIT_MAX_ENUM = 0x7fffffff
} cnn_fit;

/* How pixels become a network's input: they are resized to height × width, and each value, from 0 to 255, becomes
 * (value − mean[channel]) × scale[channel]. */
typedef struct cnn_preprocess {
    uint32_t struct_size;
    uint32_t width, height; /* of the network's input */
    cnn_fit fit;
    float mean[3];  /* cnn_preprocess_init: 127.5 */
    float scale[3]; /* cnn_preprocess_init: 1 / 127.5, so the input is in −1 … 1 */
} cnn_preprocess;

CNN_INLINE void cnn_preprocess_init(cnn_preprocess *preprocess)
{
    if (!preprocess)
        return;
    cnn_options_clear(preprocess, sizeof *preprocess);
    for (int channel = 0; channel < 3; channel++) {
        preprocess->mean[channel] = 127.5f;
        preprocess->scale[channel] = 1 / 127.5f;
    }
}

/* Resizes pixels (H×W×3, CNN_UINT8) into one image of a batch: `output` holds height × width × 3 floats. Downscaling
 * averages the pixels it covers; upscaling is bilinear. */
CNN_API cnn_status cnn_image_preprocess(cnn_context *context, const cnn_tensor *pixels,
                                        const cnn_preprocess *preprocess, float *output);

/* Resizes pixels to a new H×W×3 tensor of bytes, as above. The caller owns the result. */
CNN_API cnn_status cnn_image_resize(cnn_context *context, const cnn_tensor *pixels, uint32_t width, uint32_t height,
                                    cnn_fit fit, cnn_tensor **resized);

CNN_END_DECLS

#endif
