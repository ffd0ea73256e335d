#include "report/photo.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "cli/output.h"

static const int jpeg_quality = 85;

typedef struct failure {
    struct jpeg_error_mgr manager;
    jmp_buf place;
} failure;

static void fail(j_common_ptr state)
{
    failure *f = (failure *)state->err;
    longjmp(f->place, 1);
}

/* NULL if memory is short, the only possible failure. The caller frees the bytes. */
static unsigned char *encode(const unsigned char *pixels, int width, int height, unsigned long *size)
{
    struct jpeg_compress_struct jpeg = { 0 };
    failure f;
    unsigned char *volatile bytes = NULL;
    unsigned char *written = NULL;
    jpeg.err = jpeg_std_error(&f.manager);
    f.manager.error_exit = fail;
    *size = 0;
    if (!setjmp(f.place)) {
        jpeg_create_compress(&jpeg);
        jpeg_mem_dest(&jpeg, &written, size);
        jpeg.image_width = (JDIMENSION)width;
        jpeg.image_height = (JDIMENSION)height;
        jpeg.input_components = 3;
        jpeg.in_color_space = JCS_RGB;
        jpeg_set_defaults(&jpeg);
        jpeg_set_quality(&jpeg, jpeg_quality, TRUE);
        jpeg_start_compress(&jpeg, TRUE);
        while (jpeg.next_scanline < jpeg.image_height) {
            JSAMPROW row = (JSAMPROW)(pixels + (size_t)jpeg.next_scanline * (size_t)width * 3);
            jpeg_write_scanlines(&jpeg, &row, 1);
        }
        jpeg_finish_compress(&jpeg);
        bytes = written;
    }
    jpeg_destroy_compress(&jpeg);
    return bytes;
}

static void fill(cairo_surface_t *image, const unsigned char *pixels)
{
    int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    cairo_surface_flush(image);
    for (int y = 0; y < height; y++) {
        uint32_t *row = (uint32_t *)(cairo_image_surface_get_data(image) + y * cairo_image_surface_get_stride(image));
        const unsigned char *from = pixels + (size_t)y * (size_t)width * 3;
        for (int x = 0; x < width; x++, from += 3)
            row[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
    cairo_surface_mark_dirty(image);
}

cairo_surface_t *photo_create(const unsigned char *pixels, int width, int height)
{
    unsigned long size;
    unsigned char *jpeg = encode(pixels, width, height, &size);
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_status_t status = jpeg ? cairo_surface_status(image) : CAIRO_STATUS_NO_MEMORY;
    if (!status) {
        fill(image, pixels);
        status = cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_JPEG, jpeg, size, free, jpeg);
    }
    if (!status)
        return image;
    output_error("out of memory: a photograph can't be drawn");
    free(jpeg);
    cairo_surface_destroy(image);
    return NULL;
}

cairo_surface_t *photo_scale(cnn_context *context, const cnn_tensor *pixels, int width, int height, cnn_fit fit)
{
    cnn_tensor *scaled;
    if (cnn_image_resize(context, pixels, (uint32_t)width, (uint32_t)height, fit, &scaled)) {
        output_library_error();
        return NULL;
    }
    cairo_surface_t *photo = photo_create(cnn_tensor_data(scaled), width, height);
    cnn_tensor_destroy(scaled);
    return photo;
}

cnn_tensor *photo_decode(const cnn_dataset *dataset, uint64_t index, int side)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = options.min_height = (uint32_t)side;
    cnn_tensor *pixels = NULL;
    if (cnn_dataset_decode(dataset, index, &options, &pixels))
        output_library_error();
    return pixels;
}

cairo_surface_t *photo_thumbnail(cnn_context *context, const cnn_dataset *dataset, uint64_t index, int side)
{
    cnn_tensor *pixels = photo_decode(dataset, index, side);
    cairo_surface_t *photo = pixels ? photo_scale(context, pixels, side, side, CNN_FIT_CROP) : NULL;
    cnn_tensor_destroy(pixels);
    return photo;
}

const unsigned char *photo_jpeg(cairo_surface_t *photo, size_t *size)
{
    const unsigned char *bytes = NULL;
    unsigned long length = 0;
    cairo_surface_get_mime_data(photo, CAIRO_MIME_TYPE_JPEG, &bytes, &length);
    *size = length;
    return bytes;
}
