/* Where the photographs of a grid come from. */
#ifndef CATDOG_REPORT_PHOTO_SOURCE_H
#define CATDOG_REPORT_PHOTO_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

#include "report/grids.h"

enum {
    PHOTO_SIDE = 192,  /* pixels of a thumbnail */
    PHOTO_COLUMNS = 6, /* thumbnails in a row */
    PHOTO_DRAWN = 120, /* side of a thumbnail in a figure */
};

typedef struct photo_source {
    cnn_context *context;
    const cnn_dataset *dataset;
} photo_source;

/* Draws `count` images at random, as evenly from the classes as possible, class by class. `images` has room for
 * `count`. Returns how many there are, or -1 with a sentence printed. */
long photo_source_draw(const photo_source *source, size_t count, uint64_t seed, uint64_t *images);

/* Adds an image's thumbnail to a grid. NULL with a sentence printed. */
cell *photo_source_add_thumbnail(const photo_source *source, uint64_t image, grid *g);

/* The name of an image's file without its folders, as sound UTF-8. */
void photo_source_file_name(const photo_source *source, uint64_t image, char *to, size_t size);

/* Prints the sentence. Returns -1. */
int photo_source_out_of_memory(void);

#endif
