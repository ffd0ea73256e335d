#include "kernels/gemm/split_k.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/gemm/matrix.h"
#include "kernels/tasks.h"

enum { PIECE = 4096 /* weights of a task */, MAX_BYTES = 1 << 25 /* of all partial sums */ };

int64_t cnn_split_k_count(int64_t tasks, int64_t most, int64_t weights)
{
    int64_t splits = cnn_lesser(cnn_divide_up(CNN_ENOUGH_TASKS, tasks), most);
    return cnn_at_least_1(cnn_lesser(splits, 1 + MAX_BYTES / (weights * (int64_t)sizeof(float))));
}

size_t cnn_split_k_floats(const cnn_split_k *s)
{
    return cnn_round_up((size_t)((s->splits - 1) * (s->weights + s->channels)), 16);
}

float *cnn_split_k_weights(const cnn_split_k *s, int64_t index)
{
    return index ? s->partial_sums + (index - 1) * (s->weights + s->channels) : s->weight_gradient;
}

float *cnn_split_k_bias(const cnn_split_k *s, int64_t index)
{
    return s->bias_gradient && index ? cnn_split_k_weights(s, index) + s->weights : s->bias_gradient;
}

typedef struct job {
    const cnn_matrix_kernels *kernels;
    const cnn_split_k *split;
} job;

/* Some weights; the last task adds up the biases. */
static void add_piece(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_split_k *s = j->split;
    int64_t first = (int64_t)task * PIECE;
    cnn_matrix parts = { .rows = s->splits - 1, .row_stride = s->weights + s->channels };
    if (first < s->weights) {
        parts.values = s->partial_sums + first;
        parts.columns = cnn_lesser(PIECE, s->weights - first);
        j->kernels->sum_rows(&parts, s->weight_gradient + first);
    } else if (s->bias_gradient) {
        parts.values = s->partial_sums + s->weights;
        parts.columns = s->channels;
        j->kernels->sum_rows(&parts, s->bias_gradient);
    }
}

void cnn_split_k_reduce(cnn_context *context, const cnn_split_k *split)
{
    job j = { cnn_kernels_get(context)->matrix, split };
    if (split->splits > 1)
        cnn_parallel(context, (size_t)cnn_divide_up(split->weights, PIECE) + 1, add_piece, &j);
}
