/* What the decoders share: the bytes to decode, the place that pixels go to, and what content is. */
#ifndef CNN_IMAGE_DECODE_H
#define CNN_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/image.h>

typedef struct cnn_image_source {
    cnn_context *context;
    const uint8_t *bytes;
    size_t size;
    const char *name;          /* for messages; not NULL */
    cnn_image_options options; /* defaults filled in */
} cnn_image_source;

/* Sets the error sentence, beginning with the source's name, and returns `status`. */
__attribute__((format(printf, 3, 4))) cnn_status cnn_image_fail(const cnn_image_source *source, cnn_status status,
                                                                const char *format, ...);

/* Refuses an image without pixels or with more than the limit. */
cnn_status cnn_image_check_size(const cnn_image_source *source, uint32_t width, uint32_t height);

/* What the content is by its first bytes. */
cnn_image_format cnn_image_sniff(const uint8_t *bytes, size_t size);

/* What content that is neither JPEG nor PNG is: "a GIF image", ... ; NULL if that can't be told. Static text. */
const char *cnn_image_foreign_name(const uint8_t *bytes, size_t size);

/* The orientation, 1 to 8, that a block of EXIF (from its TIFF header on) asks for; 1 if it is absent or broken. */
uint32_t cnn_exif_orientation(const uint8_t *bytes, size_t size);

/* Whether an EXIF orientation exchanges width and height. */
static inline int cnn_orientation_swaps(uint32_t orientation)
{
    return orientation >= 5;
}

/* Where decoded rows go: an RGB tensor, upright, addressed by the coordinates of the image as it is stored. */
typedef struct cnn_canvas {
    cnn_tensor *pixels;
    uint32_t width; /* as stored */
    uint8_t *origin;
    ptrdiff_t step_x, step_y;
} cnn_canvas;

/* `width` and `height` are as stored. The tensor is the caller's to destroy. */
cnn_status cnn_canvas_create(const cnn_image_source *source, uint32_t width, uint32_t height, uint32_t orientation,
                             cnn_canvas *canvas);

/* The row's own memory if a stored row lies in the tensor as it is, else NULL. */
uint8_t *cnn_canvas_row(const cnn_canvas *canvas, uint32_t y);

void cnn_canvas_put_row(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb);

cnn_status cnn_jpeg_probe(const cnn_image_source *source, cnn_image_info *info);
cnn_status cnn_jpeg_decode(const cnn_image_source *source, cnn_tensor **pixels);
cnn_status cnn_png_probe(const cnn_image_source *source, cnn_image_info *info);
cnn_status cnn_png_decode(const cnn_image_source *source, cnn_tensor **pixels);

#endif
