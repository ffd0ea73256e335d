#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/matrix.h"
#include "kernels/tasks.h"
#include "kernels/winograd/winograd.h"
#include "kernels/winograd/winograd_transforms.h"

enum { TAPS = 9, TASK_ROWS = 8 /* source channels, or pairs of them */ };

static int64_t matrices(const cnn_conv_problem *s)
{
    int64_t side = cnn_winograd_tile(s) + 2;
    return side * side;
}

size_t cnn_winograd_packed_bytes(const cnn_kernels *kernels, const cnn_conv_problem *s)
{
    return (size_t)(matrices(s) * cnn_gemm_packed_count(kernels, s->source_channels, s->channels)) * sizeof(float);
}

int64_t cnn_winograd_panel_stride(const cnn_kernels *kernels, const cnn_conv_problem *s, int64_t column)
{
    return cnn_gemm_packed_count(kernels, s->source_channels, cnn_lesser(CNN_PANEL, s->channels - column));
}

typedef struct job {
    const cnn_kernels *kernels;
    const cnn_winograd_transforms *transforms;
    const cnn_conv_problem *shape;
    const cnn_conv_weights *weights;
    float *packed;
    int64_t blocks;
} job;

/* Some source channels' rows of a block of columns, in all matrices. */
static void pack_rows(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_conv_weights *w = j->weights;
    int64_t terms = j->shape->source_channels, index = (int64_t)task % j->blocks, channels = j->shape->bf16_dot ? 2 : 1;
    int64_t row = (int64_t)task / j->blocks * TASK_ROWS, rows = cnn_lesser(TASK_ROWS, terms - row);
    cnn_gemm_packed_block block =
        cnn_gemm_packed_block_at(j->kernels, terms, j->shape->channels, index * j->kernels->gemm->columns);
    const float *from = w->first + row * channels * w->source_channel + block.column * w->channel;
    ptrdiff_t tap[2] = { w->tap[0], w->tap[1] }, row_stride = w->source_channel;
    float turned[TAPS * 2 * TASK_ROWS * CNN_PANEL];
    if (w->channel != 1) {
        for (int64_t t = 0; t < TAPS; t++)
            j->kernels->matrix->transpose(&(cnn_matrix){ .values = from + t / 3 * tap[0] + t % 3 * tap[1],
                                                         .rows = block.columns,
                                                         .columns = channels * rows,
                                                         .row_stride = w->channel },
                                          turned + t * 2 * TASK_ROWS * CNN_PANEL, CNN_PANEL);
        from = turned;
        row_stride = CNN_PANEL;
        tap[1] = 2 * TASK_ROWS * CNN_PANEL;
        tap[0] = 3 * tap[1];
    }
    int64_t panel = block.column / CNN_PANEL * CNN_PANEL,
            stride = cnn_winograd_panel_stride(j->kernels, j->shape, panel);
    float *to = j->packed + (matrices(j->shape) - 1) * terms * panel + block.offset + row * block.stride;
    for (int64_t i = 0; i < rows; i++)
        j->transforms->weights(from + i * channels * row_stride, tap, row_stride, block.columns, to + i * block.stride,
                               stride);
}

void cnn_winograd_pack(cnn_context *context, const cnn_conv_problem *shape, const cnn_conv_weights *weights,
                       float *packed)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    job j = { .kernels = kernels,
              .transforms = cnn_winograd_transforms_of(kernels, shape),
              .shape = shape,
              .weights = weights,
              .packed = packed,
              .blocks = cnn_divide_up(shape->channels, kernels->gemm->columns) };
    cnn_parallel(context, (size_t)(j.blocks * cnn_divide_up(shape->source_channels, TASK_ROWS)), pack_rows, &j);
}
