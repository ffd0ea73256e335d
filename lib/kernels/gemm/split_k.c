#include "kernels/gemm/split_k.h"

#include "core/parallel.h"
#include "kernels/conv/epilogue.h"
#include "kernels/gemm/gemm_blocking.h"

enum { PIECE = 4096 };

/* Some weights; the last task adds up the biases. */
static void add_piece(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_shares *s = argument;
    int64_t stride = s->weights + s->channels, first = (int64_t)task * PIECE;
    if (first < s->weights)
        s->kernels->row->sum_rows(s->sums + first, stride, s->count, cnn_lesser(PIECE, s->weights - first),
                                  s->weight_gradient + first);
    else if (s->bias_gradient)
        s->kernels->row->sum_rows(s->sums + s->weights, stride, s->count, s->channels, s->bias_gradient);
}

void cnn_shares_add(cnn_context *context, const cnn_shares *shares)
{
    if (shares->count > 0)
        cnn_parallel(context, (size_t)cnn_divide_up(shares->weights, PIECE) + 1, add_piece, (void *)shares);
}
