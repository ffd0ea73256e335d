#include "image/reduction.h"

#include <assert.h>
#include <math.h>

#include <cnn/image.h>

/* How many blocks a side of so many pixels is. Their number decides below, not the quotient, so that what has been
 * reduced once isn't reduced further by the same aim. */
static uint32_t blocks(uint32_t size, uint64_t block)
{
    return (uint32_t)((size + block - 1) / block);
}

uint32_t cnn_even_reduction(const cnn_reduction_aim *aim, uint32_t width, uint32_t height)
{
    uint32_t even = 1;
    if (!aim->width || !aim->height)
        return even;
    while ((even < width || even < height) && blocks(width, 2 * (uint64_t)even) >= aim->width &&
           blocks(height, 2 * (uint64_t)even) >= aim->height)
        even *= 2;
    return even;
}

uint32_t cnn_reduced_width(const cnn_reduction *reduction)
{
    return blocks(reduction->width, reduction->block_width);
}

uint32_t cnn_reduced_height(const cnn_reduction *reduction)
{
    return blocks(reduction->height, reduction->block_height);
}

/* By how much more a side can be reduced and remain four times as long as it must be. */
static uint32_t further_reduction(uint32_t size, uint32_t least)
{
    enum { KEPT = 4 };
    uint32_t factor = 1;
    while (blocks(size, 2 * KEPT * (uint64_t)factor) > least)
        factor *= 2;
    return factor;
}

/* What is cut off each end of a side of which the middle `shown` blocks matter; none unless it is much. */
static uint32_t margin(uint32_t size, double shown)
{
    return (double)size <= 2 * shown ? 0 : (size - (uint32_t)ceil(shown)) / 2;
}

/* The middle, and around it what the filter at its edges looks at. All is counted in blocks, which are the pixels of
 * what has been reduced: there the same is found. */
static void cut_ends(cnn_reduction *kept, const cnn_reduction_aim *aim)
{
    const double filter = 4;
    uint32_t width = cnn_reduced_width(kept), height = cnn_reduced_height(kept);
    double step = fmin((double)width / aim->width, (double)height / aim->height);
    double around = filter * fmax(step, 1);
    kept->left = margin(width, step * aim->width + around) * kept->block_width;
    kept->top = margin(height, step * aim->height + around) * kept->block_height;
    kept->width -= 2 * kept->left;
    kept->height -= 2 * kept->top;
}

cnn_reduction cnn_choose_reduction(const cnn_reduction_aim *aim, uint32_t width, uint32_t height, uint32_t even)
{
    assert(width && height && even);
    cnn_reduction kept = { .width = width, .height = height, .block_width = even, .block_height = even };
    if (!aim->width || !aim->height)
        return kept;
    uint32_t across = further_reduction(cnn_reduced_width(&kept), aim->width);
    uint32_t down = further_reduction(cnn_reduced_height(&kept), aim->height);
    switch (aim->fit) {
    case CNN_FIT_STRETCH:
        kept.block_width *= across;
        kept.block_height *= down;
        break;
    case CNN_FIT_LETTERBOX:
        kept.block_width *= across > down ? across : down;
        kept.block_height = kept.block_width;
        break;
    case CNN_FIT_CROP: cut_ends(&kept, aim); break;
    default: break;
    }
    assert(kept.width && kept.height && kept.left * 2 + kept.width == width && kept.top * 2 + kept.height == height);
    return kept;
}
