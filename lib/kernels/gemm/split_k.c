#include "kernels/gemm/split_k.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/gemm/matrix.h"
#include "kernels/tasks.h"

enum {
    SPLIT_TASKS = 128,   /* that splits should make: enough for many threads */
    MAX_BYTES = 1 << 25, /* of all partial sums */
    PIECE = 4096,        /* weights that a task adds up; */
    MIN_PIECE = 256      /* with many threads */
};

int64_t cnn_split_k_count(int64_t tasks, int64_t most, int64_t weights)
{
    most = cnn_lesser(most, 1 + MAX_BYTES / (weights * (int64_t)sizeof(float)));
    most = cnn_lesser(most, cnn_divide_up(SPLIT_TASKS, tasks));
    int64_t splits = 1;
    while (2 * splits <= most) /* numbers of threads are powers of two more often than not */
        splits *= 2;
    return splits;
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
    int64_t piece;
} job;

/* Some weights; the last task adds up the biases. */
static void add_piece(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_split_k *s = j->split;
    int64_t first = (int64_t)task * j->piece;
    cnn_matrix parts = { .rows = s->splits - 1, .row_stride = s->weights + s->channels };
    if (first < s->weights) {
        parts.values = s->partial_sums + first;
        parts.columns = cnn_lesser(j->piece, s->weights - first);
        j->kernels->sum_rows(&parts, s->weight_gradient + first);
    } else if (s->bias_gradient) {
        parts.values = s->partial_sums + s->weights;
        parts.columns = s->channels;
        j->kernels->sum_rows(&parts, s->bias_gradient);
    }
}

void cnn_split_k_reduce(cnn_context *context, const cnn_split_k *split)
{
    uint32_t threads = cnn_context_threads(context);
    job j = { cnn_kernels_get(context)->matrix, split, PIECE };
    if (threads > CNN_FEW_THREADS)
        j.piece = cnn_clamp_size(cnn_divide_up(split->weights, cnn_enough_tasks(threads)), MIN_PIECE, PIECE);
    if (split->splits > 1)
        cnn_parallel(context, (size_t)cnn_divide_up(split->weights, j.piece) + 1, add_piece, &j);
}
