/* Weights split into blocks of fixed size, so that work on them is shared by threads in the same way at any number. */
#ifndef CNN_OPTIM_BLOCKS_H
#define CNN_OPTIM_BLOCKS_H

#include <stddef.h>

#include <cnn/context.h>
#include <cnn/status.h>

typedef struct cnn_block {
    size_t array; /* which of the arrays */
    size_t start, count;
} cnn_block;

/* Splits arrays of `counts` elements. `*blocks` is freed with cnn_release. */
cnn_status cnn_blocks_create(cnn_context *context, const size_t *counts, size_t arrays, cnn_block **blocks,
                             size_t *block_count);

#endif
