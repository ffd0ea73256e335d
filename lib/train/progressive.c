#include "train/progressive.h"

enum { STEP = 16 }; /* pixels: what is halved four times stays whole */

uint32_t cnn_progressive_size(uint32_t first, uint32_t last, uint32_t epoch, uint32_t epochs)
{
    uint64_t done = 4 * ((uint64_t)epoch - 1), rising = 3 * (uint64_t)epochs;
    if (first >= last || epoch >= epochs || done >= rising)
        return last;
    uint64_t sizes = (last - first) / STEP + 1;
    return first + (uint32_t)(sizes * done / rising) * STEP;
}
