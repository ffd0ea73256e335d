/* Hashes of files' contents, by which duplicates are found. */
#ifndef CNN_DATA_CONTENT_H
#define CNN_DATA_CONTENT_H

#include "data/dataset_internal.h"

/* A number that differs for files that differ, as good as always; never 0. */
uint64_t cnn_content_hash(const void *bytes, size_t size);

/* The hash of an image's content is kept in the source, for whoever wants it later; 0: it wasn't read yet. */
uint64_t cnn_content_of(const cnn_dataset *dataset, size_t index);
void cnn_content_note(const cnn_dataset *dataset, size_t index, uint64_t hash);

/* The first image of each content, in an open-addressed table. */
typedef struct cnn_content_table {
    struct cnn_content_place *places;
    size_t capacity; /* a power of two */
} cnn_content_table;

/* For at most `count` images. Freed with cnn_release of `places`. */
cnn_status cnn_content_table_create(cnn_context *context, size_t count, cnn_content_table *table);

/* The image of that content that was added first; SIZE_MAX if there is none, and then, with `add`, it is `index`. */
size_t cnn_content_table_find(cnn_content_table *table, uint64_t hash, size_t index, bool add);

#endif
