#include "kernels/int8/int8_winograd.h"
#include "simd/vector_bytes.h"

/* 16 channels, in vectors that compilers split where the instruction set's are shorter. */
enum { LANES = 16 };
typedef uint8_t byte_lanes __attribute__((vector_size(LANES)));
typedef int16_t word_lanes __attribute__((vector_size(2 * LANES)));

/* To `to`, as vectors longer than the instruction set's can't be returned. */
ALWAYS_INLINE void load_words(const uint8_t *from, word_lanes *to)
{
    byte_lanes bytes;
    memcpy(&bytes, from, sizeof bytes);
    *to = __builtin_convertvector(bytes, word_lanes);
}

/* B^T d B, where the rows of B^T are 1 0 -1 0, 0 1 1 0, 0 -1 1 0 and 0 1 0 -1. */
static void input(const uint8_t *from, ptrdiff_t row_stride, int64_t channels, int16_t *to, ptrdiff_t matrix_stride)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        int64_t first = c + LANES > channels ? channels - LANES : c; /* the last ones overlap with those before */
        word_lanes rows[4][4];
        UNROLLED (j, 4) {
            word_lanes d[4];
            UNROLLED (i, 4)
                load_words(from + i * row_stride + j * channels + first, &d[i]);
            rows[0][j] = d[0] - d[2];
            rows[1][j] = d[1] + d[2];
            rows[2][j] = d[2] - d[1];
            rows[3][j] = d[1] - d[3];
        }
        UNROLLED (i, 4) {
            const word_lanes *d = rows[i];
            const word_lanes v[4] = { d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3] };
            UNROLLED (j, 4)
                memcpy(to + (4 * i + j) * matrix_stride + first, &v[j], sizeof v[j]);
        }
    }
}

/* A^T m A, where the rows of A^T are 1 1 1 0 and 0 1 -1 -1. The sums wrap around, and come back. */
static void output(const int32_t *products, ptrdiff_t matrix_stride, int64_t columns, const int32_t *bias, bool pool,
                   int32_t *const to[4])
{
    for (int64_t c = 0; c < columns; c += VF_WIDTH) {
        vi upper[4], lower[4], sum[4], first = vi_load(bias + c);
        UNROLLED (j, 4) {
            const int32_t *m = products + j * matrix_stride + c;
            vi m1 = vi_load(m + 4 * matrix_stride), m2 = vi_load(m + 8 * matrix_stride);
            upper[j] = vi_add(vi_add(vi_load(m), m1), m2);
            lower[j] = vi_sub(vi_sub(m1, m2), vi_load(m + 12 * matrix_stride));
        }
        sum[0] = vi_add(vi_add(upper[0], upper[1]), upper[2]);
        sum[1] = vi_sub(vi_sub(upper[1], upper[2]), upper[3]);
        sum[2] = vi_add(vi_add(lower[0], lower[1]), lower[2]);
        sum[3] = vi_sub(vi_sub(lower[1], lower[2]), lower[3]);
        UNROLLED (i, 4)
            sum[i] = vi_add(vi_quarter(sum[i]), first);
        if (pool) {
            vi_store(to[0] + c, vi_max(vi_max(sum[0], sum[1]), vi_max(sum[2], sum[3])));
            continue;
        }
        UNROLLED (i, 4)
            vi_store(to[i] + c, sum[i]);
    }
}

const cnn_int8_winograd_kernels CNN_FOR_ISA(cnn_int8_winograd_kernels) = { .input = input, .output = output };
