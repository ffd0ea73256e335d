/* From a vector of sums to results, for micro-kernels. */
#ifndef CNN_KERNELS_INT8_INT8_FINISH_H
#define CNN_KERNELS_INT8_INT8_FINISH_H

#include "kernels/int8/int8_gemm.h"
#include "simd/vector_bytes.h"

typedef enum result_kind { RESULT_BYTES, RESULT_WITH_RESIDUAL, RESULT_FLOATS } result_kind;

ALWAYS_INLINE result_kind kind_of(const cnn_int8_result *result)
{
    return result->floats ? RESULT_FLOATS : result->residual ? RESULT_WITH_RESIDUAL : RESULT_BYTES;
}

/* One vector of results, of which `count` lanes are written at `to`. */
ALWAYS_INLINE void finish_vector(const cnn_int8_result *result, result_kind kind, vi sums, int64_t column, ptrdiff_t to,
                                 size_t count)
{
    vf value = vf_mul(vi_to_float(sums), vf_load(result->scale + column));
    if (kind == RESULT_FLOATS) {
        vf_store_partial(result->floats + to, value, count);
        return;
    }
    if (kind == RESULT_WITH_RESIDUAL) {
        vi residual = vi_sub(vi_load_bytes(result->residual + to, count), vi_broadcast(result->residual_zero));
        value = vf_add(value, vf_mul(vi_to_float(residual), vf_broadcast(result->residual_scale)));
    }
    value = vf_min(vf_max(value, vf_broadcast(result->clamp.min)), vf_broadcast(result->clamp.max));
    vi_store_bytes(result->bytes + to, vi_add(vf_round(value), vi_broadcast(result->zero)), count);
}

#endif
