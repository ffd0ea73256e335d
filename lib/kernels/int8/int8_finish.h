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

#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_AVX2)

/* finish_vector's numbers for RESULT_BYTES, four vectors at a time: those above the range are cut off before they are
 * rounded, as they might fit no integer; all others as bytes. */
typedef struct byte_range {
    vf most;
    vb zeros, min, max;
} byte_range;

ALWAYS_INLINE byte_range byte_range_of(const cnn_int8_result *result)
{
    return (byte_range){ vf_broadcast(result->clamp.max), vb_broadcast_word((int16_t)result->zero),
                         vb_broadcast((uint8_t)((int32_t)result->clamp.min + result->zero)),
                         vb_broadcast((uint8_t)((int32_t)result->clamp.max + result->zero)) };
}

/* Two rows of two vectors, of which each column has its scale. */
ALWAYS_INLINE vb finish_rows_of_two(const byte_range *range, const vf scale[2], vi sums[2][2])
{
    vi rounded[2][2];
    UNROLLED (r, 2)
        UNROLLED (v, 2)
            rounded[r][v] = vf_round(vf_min(vf_mul(vi_to_float(sums[r][v]), scale[v]), range->most));
    return vb_min(vb_max(vb_from_rows(rounded, range->zeros), range->min), range->max);
}

#endif

#endif
