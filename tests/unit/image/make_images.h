/* Encoded images of any size and kind. */
#ifndef CNN_TESTS_IMAGE_MAKE_IMAGES_H
#define CNN_TESTS_IMAGE_MAKE_IMAGES_H

#include <stdbool.h>

#include "fixture.h"

#include <jpeglib.h>
#include <png.h>

typedef struct image_kind {
    const char *name;
    int png_type; /* PNG_COLOR_TYPE_…; −1: a JPEG */
    int depth;
    int components;  /* of a JPEG */
    bool in_passes;  /* interlaced, progressive */
    bool arithmetic; /* of a JPEG */
} image_kind;

static inline void append_bytes(png_structp png, png_bytep data, size_t size)
{
    bytes *file = png_get_io_ptr(png);
    file->data = realloc(file->data, file->size + size);
    memcpy(file->data + file->size, data, size);
    file->size += size;
}

static inline void flush_nothing(png_structp png)
{
    (void)png;
}

/* Smooth in both directions, so that it is quickly packed. */
static inline void fill_row(unsigned char *row, size_t size, uint32_t y)
{
    for (size_t i = 0; i < size; i++)
        row[i] = (unsigned char)(i / 512 + y / 64);
}

static inline bytes make_png(const image_kind *kind, uint32_t width, uint32_t height)
{
    static const png_color palette[256] = { { 10, 20, 30 }, { 200, 100, 50 } };
    bytes file = { 0 };
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(png, &file, append_bytes, flush_nothing);
    png_set_compression_level(png, 1);
    png_set_filter(png, 0, PNG_FILTER_NONE);
    png_set_IHDR(png, info, width, height, kind->depth, kind->png_type,
                 kind->in_passes ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (kind->png_type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 1 << kind->depth);
    png_write_info(png, info);
    size_t size = png_get_rowbytes(png, info);
    unsigned char *row = malloc(size);
    for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
        for (uint32_t y = 0; y < height; y++) {
            fill_row(row, size, y);
            png_write_row(png, row);
        }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    free(row);
    return file;
}

static inline bytes make_jpeg(const image_kind *kind, uint32_t width, uint32_t height)
{
    static const J_COLOR_SPACE spaces[] = { [1] = JCS_GRAYSCALE, [3] = JCS_RGB, [4] = JCS_CMYK };
    unsigned char *data = NULL;
    unsigned long size = 0;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = kind->components;
    jpeg.in_color_space = spaces[kind->components];
    jpeg_set_defaults(&jpeg);
    jpeg.arith_code = kind->arithmetic;
    if (kind->in_passes)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    unsigned char *row = malloc((size_t)width * (size_t)kind->components);
    for (uint32_t y = 0; y < height; y++) {
        fill_row(row, (size_t)width * (size_t)kind->components, y);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    return (bytes){ .data = data, .size = size };
}

/* The caller frees `data`. */
static inline bytes make_image(const image_kind *kind, uint32_t width, uint32_t height)
{
    return kind->png_type < 0 ? make_jpeg(kind, width, height) : make_png(kind, width, height);
}

#endif
