#include "kernels/gemm/split_k.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/gemm/matrix.h"
#include "kernels/tasks.h"

enum {
    SPLIT_TASKS = 64,    /* that splits should make: enough for many threads; groups make enough for few */
    MAX_BYTES = 1 << 25, /* of all partial sums */
    PIECE = 4096,        /* weights that a task adds up; */
    MIN_PIECE = 256      /* with many threads */
};

/* Numbers of threads are powers of two more often than not. */
static int64_t power_of_two_below(int64_t most)
{
    int64_t power = 1;
    while (2 * power <= most)
        power *= 2;
    return power;
}

void cnn_split_k_plan(cnn_split_k *s, int64_t tasks, int64_t most)
{
    most = cnn_lesser(most, 1 + MAX_BYTES / (s->weights * (int64_t)sizeof(float)));
    s->splits = power_of_two_below(cnn_lesser(most, cnn_divide_up(SPLIT_TASKS, tasks)));
    s->group = s->splits / power_of_two_below(cnn_lesser(s->splits, cnn_divide_up(CNN_ENOUGH_TASKS, tasks)));
}

int64_t cnn_split_k_tasks(const cnn_split_k *s)
{
    return s->by_group ? s->splits / s->group : s->splits;
}

size_t cnn_split_k_floats(const cnn_split_k *s)
{
    return cnn_round_up((size_t)((cnn_split_k_tasks(s) - 1) * (s->weights + s->channels)), 16);
}

float *cnn_split_k_weights(const cnn_split_k *s, int64_t task)
{
    return task ? s->partial_sums + (task - 1) * (s->weights + s->channels) : s->weight_gradient;
}

float *cnn_split_k_bias(const cnn_split_k *s, int64_t task)
{
    return s->bias_gradient && task ? cnn_split_k_weights(s, task) + s->weights : s->bias_gradient;
}

typedef struct job {
    const cnn_matrix_kernels *kernels;
    const cnn_split_k *split;
    int64_t piece;
} job;

/* Adds up `count` sums: those of the first task are at `to`, the others' at `from` and one behind the other. */
static void add_up(const job *j, const float *from, int64_t count, float *to)
{
    const cnn_split_k *s = j->split;
    int64_t tasks = cnn_split_k_tasks(s), group = s->by_group ? 1 : s->group, stride = s->weights + s->channels;
    cnn_matrix others = { .rows = group - 1, .columns = count, .row_stride = stride };
    for (int64_t first = 0; first < tasks && group > 1; first += group) {
        others.values = from + first * stride;
        j->kernels->sum_rows(&others, first ? (float *)others.values - stride : to);
    }
    cnn_matrix groups = {
        .values = from + (group - 1) * stride, .rows = tasks / group - 1, .columns = count, .row_stride = group * stride
    };
    j->kernels->sum_rows(&groups, to);
}

/* Some weights; the last task adds up the biases. */
static void add_piece(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_split_k *s = j->split;
    int64_t first = (int64_t)task * j->piece;
    if (first < s->weights)
        add_up(j, s->partial_sums + first, cnn_lesser(j->piece, s->weights - first), s->weight_gradient + first);
    else if (s->bias_gradient)
        add_up(j, s->partial_sums + s->weights, s->channels, s->bias_gradient);
}

void cnn_split_k_reduce(cnn_context *context, const cnn_split_k *split)
{
    uint32_t threads = cnn_context_threads(context);
    job j = { cnn_kernels_get(context)->matrix, split, PIECE };
    if (threads > CNN_FEW_THREADS)
        j.piece = cnn_clamp_size(cnn_divide_up(split->weights, cnn_enough_tasks(threads)), MIN_PIECE, PIECE);
    if (cnn_split_k_tasks(split) > 1)
        cnn_parallel(context, (size_t)cnn_divide_up(split->weights, j.piece) + 1, add_piece, &j);
}
