/* Photographs: from a JPEG or PNG to pixels, and from pixels to a network's input.
 *
 *     cnn_status make_input(const char *path, uint32_t side, float *input)
 *     {
 *         cnn_preprocess preprocess;
 *         cnn_tensor *pixels;
 *         cnn_preprocess_init(&preprocess);
 *         preprocess.width = preprocess.height = side;
 *         preprocess.fit = CNN_FIT_CROP;
 *         cnn_status status = cnn_image_load(NULL, path, NULL, &pixels);
 *         if (!status)
 *             status = cnn_image_preprocess(NULL, pixels, &preprocess, input); // side × side × 3 numbers
 *         cnn_tensor_destroy(pixels);
 *         return status;
 *     }
 *
 * Pixels are a tensor of height × width × 3, CNN_UINT8: red, green and blue, from 0 to 255. The library recognises the
 * format by the content, whatever the file's name says. It turns the image upright as its EXIF orientation says, blends
 * transparent pixels over white, rounds 16-bit samples to 8 bits, and converts grey, CMYK and YCCK to RGB. */
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

/* The most pixels that a side of an image may have. Those of a JPEG have at most 65,500: libjpeg's own limit. */
enum { CNN_IMAGE_MAX_SIDE = 65535 };

typedef struct cnn_image_options {
    uint32_t struct_size;

    /* Not 0: of an image whose pixels are truncated or damaged, what can be decoded is decoded; the rest is grey.
     * 0: such an image is an error. An image with a damaged header always is. */
    uint32_t allow_truncated;

    /* The width and height, in pixels, that are enough for the purpose. A larger image is decoded at a half, a quarter,
     * an eighth, ... of its size, as long as both sides stay at least as large as this, which takes less time and
     * memory. 0: decode at full size. */
    uint32_t min_width, min_height;

    uint64_t max_pixels;     /* more pixels (width × height) are refused; 0: cnn_context_options.max_pixels */
    uint64_t max_file_bytes; /* a file of more bytes is refused; 0: 64 MiB */
} cnn_image_options;

CNN_INLINE void cnn_image_options_init(cnn_image_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* What the header of an image says. */
typedef struct cnn_image_info {
    uint32_t struct_size; /* set by cnn_image_info_init */
    cnn_image_format format;
    uint32_t width, height; /* in pixels, upright: those that it has when decoded at full size */
    uint32_t channels;      /* as stored in the file: 1 to 4 */
    uint32_t orientation;   /* EXIF's number for it, 1 to 8; 1 is upright */
} cnn_image_info;

CNN_INLINE void cnn_image_info_init(cnn_image_info *info)
{
    cnn_options_clear(info, sizeof *info);
}

/* Reads an image's header, and doesn't decode its pixels. `bytes` are the `size` bytes of the file. `name` is what
 * error sentences call the image, such as its path; it may be NULL. `info` has been initialised. No limit is checked.
 * Thread-safe. Errors: CNN_ERROR_FORMAT. */
CNN_API cnn_status cnn_image_probe(const void *bytes, size_t size, const char *name, cnn_image_info *info);

/* Decode an image: from the `size` bytes of a file in memory, or from a file. `name` is as above. `options` may be
 * NULL. The caller owns `*pixels`. Thread-safe. Errors: CNN_ERROR_IO if the file can't be read; CNN_ERROR_FORMAT if it
 * is empty, broken, or neither JPEG nor PNG (the sentence says what it is instead, if the library can tell);
 * CNN_ERROR_LIMIT names the limit and how to raise it; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_image_decode(cnn_context *context, const void *bytes, size_t size, const char *name,
                                    const cnn_image_options *options, cnn_tensor **pixels);
CNN_API cnn_status cnn_image_load(cnn_context *context, const char *path, const cnn_image_options *options,
                                  cnn_tensor **pixels);

/* How a photograph is fitted to an input of other proportions. */
typedef enum cnn_fit {
    CNN_FIT_STRETCH = 0,   /* width and height are scaled independently: things look wider or narrower */
    CNN_FIT_CROP = 1,      /* scaled until it covers the input; two opposite edges are cut off, equally much */
    CNN_FIT_LETTERBOX = 2, /* scaled until all of it fits into the input; borders of grey (128) fill the rest */
    CNN_FIT_MAX_ENUM = 0x7fffffff
} cnn_fit;

/* How pixels become a network's input: they are resized to height × width, then each value, which is from 0 to 255,
 * becomes (value − mean[channel]) × scale[channel]. */
typedef struct cnn_preprocess {
    uint32_t struct_size;
    uint32_t width, height; /* of the network's input, in pixels */
    cnn_fit fit;
    float mean[3];  /* of red, green and blue; 127.5 each */
    float scale[3]; /* 1 / 127.5 each, so that the input is from −1 to 1; finite */
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

/* Makes pixels a network's input. `pixels` are height × width × 3, CNN_UINT8. `output` has room for preprocess->height
 * × preprocess->width × 3 floats, such as one image of a batch. Where the image becomes smaller, each new pixel
 * is a mean of the pixels around it, weighted by a triangle as wide as twice the factor, as Pillow's BILINEAR has it;
 * where it becomes larger, interpolation is bilinear. Thread-safe. Errors:
 * CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_image_preprocess(cnn_context *context, const cnn_tensor *pixels,
                                        const cnn_preprocess *preprocess, float *output);

/* Resizes pixels in the same way, to a new tensor of height × width × 3, CNN_UINT8, which the caller owns. Thread-safe.
 * Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_LIMIT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_image_resize(cnn_context *context, const cnn_tensor *pixels, uint32_t width, uint32_t height,
                                    cnn_fit fit, cnn_tensor **resized);

CNN_END_DECLS

#endif
