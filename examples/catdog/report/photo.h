/* Photographs as images that cairo draws. Each carries itself as JPEG, too, so that an SVG or a page has it in few
 * bytes. */
#ifndef CATDOG_REPORT_PHOTO_H
#define CATDOG_REPORT_PHOTO_H

#include <stddef.h>

#include <cairo.h>

#include <cnn/cnn.h>

/* Makes an image of RGB bytes, row by row. NULL with a sentence printed. */
cairo_surface_t *photo_create(const unsigned char *pixels, int width, int height);

/* Makes one of a photograph (HxWx3), scaled to a box as `fit` says. */
cairo_surface_t *photo_scale(cnn_context *context, const cnn_tensor *pixels, int width, int height, cnn_fit fit);

/* Decodes an image of a dataset, no larger than is needed for a box of that size. NULL with a sentence printed. */
cnn_tensor *photo_decode(const cnn_dataset *dataset, uint64_t index, int side);

/* The middle of it, `side` x `side`. */
cairo_surface_t *photo_thumbnail(cnn_context *context, const cnn_dataset *dataset, uint64_t index, int side);

/* Its JPEG; valid as long as it. */
const unsigned char *photo_jpeg(cairo_surface_t *photo, size_t *size);

#endif
