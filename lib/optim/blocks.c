#include "optim/blocks.h"

#include "core/memory.h"

enum { BLOCK = 16384 }; /* elements: 64 KiB of each array, long enough to stream, short enough to share out */

cnn_status cnn_blocks_create(cnn_context *context, const size_t *counts, size_t arrays, cnn_block **blocks,
                             size_t *block_count)
{
    size_t total = 0;
    for (size_t a = 0; a < arrays; a++)
        total += counts[a] / BLOCK + (counts[a] % BLOCK != 0);
    *blocks = cnn_allocate_zeroed(context, total, sizeof **blocks);
    if (!*blocks)
        return CNN_ERROR_OUT_OF_MEMORY;
    *block_count = 0;
    for (size_t a = 0; a < arrays; a++)
        for (size_t start = 0; start < counts[a]; start += BLOCK) {
            size_t left = counts[a] - start;
            (*blocks)[(*block_count)++] = (cnn_block){ a, start, left < BLOCK ? left : BLOCK };
        }
    return CNN_OK;
}
