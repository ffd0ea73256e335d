#include "kernels/tasks.h"
#include "kernels/winograd/winograd.h"
#include "kernels/winograd/winograd_transforms.h"

/* What was measured: the larger tile needs fewer products but four times the memory of the plain weights, which for a
 * few tiles isn't worth reading. */
enum { MIN_CHANNELS = 16, MIN_TILES_BY_4 = 9, MIN_TILES_BY_2 = 4 };

int64_t cnn_winograd_tile(const cnn_conv_problem *s)
{
    for (int i = 0; i < 2; i++)
        if (s->taps[i] != 3 || s->stride[i] != 1 || s->dilation[i] != 1)
            return 0;
    if (s->bf16_dot) /* the larger tile's numbers are too large for what bfloat16 leaves of them */
        return s->groups == 1 && 2 * s->source_channels >= MIN_CHANNELS && s->channels >= MIN_CHANNELS ? 2 : 0;
    if (s->groups != 1 || s->source_channels < MIN_CHANNELS || s->channels < MIN_CHANNELS)
        return 0;
    int64_t tiles = cnn_divide_up(s->source_height, 4) * cnn_divide_up(s->source_width, 4);
    if (s->in_batches || tiles >= MIN_TILES_BY_4)
        return 4;
    return tiles >= MIN_TILES_BY_2 ? 2 : 0;
}

const cnn_winograd_transforms *cnn_winograd_transforms_of(const cnn_kernels *kernels, const cnn_conv_problem *shape)
{
    const cnn_winograd_kernels *winograd = kernels->winograd;
    return shape->bf16_dot ? &winograd->bf16_by_2 : cnn_winograd_tile(shape) == 2 ? &winograd->by_2 : &winograd->by_4;
}
