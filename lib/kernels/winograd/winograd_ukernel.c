/* The transforms of a convolution: of the source, of the weights, and back. */
#include "kernels/winograd/winograd_lines.h"
#include "kernels/winograd/winograd_transforms.h"

/* A transposed. */
ALWAYS_INLINE void output_line(int tile, const vf m[MAX_SIDE], vf y[MAX_TILE])
{
    vf sum = vf_add(m[1], m[2]), difference = vf_sub(m[1], m[2]);
    if (tile == 2) {
        y[0] = vf_add(m[0], sum);
        y[1] = vf_sub(difference, m[3]);
        return;
    }
    vf sum_2 = vf_add(m[3], m[4]), difference_2 = vf_sub(m[3], m[4]);
    y[0] = vf_add(m[0], vf_add(sum, sum_2));
    y[1] = add_times(difference, 2, difference_2);
    y[2] = add_times(sum, 4, sum_2);
    y[3] = add_times(vf_add(difference, m[5]), 8, difference_2);
}

/* G. */
ALWAYS_INLINE void weights_line(int tile, const vf g[TAPS], vf u[MAX_SIDE])
{
    vf ends = vf_add(g[0], g[2]);
    if (tile == 2) {
        vf half = vf_broadcast(0.5f);
        u[0] = g[0];
        u[1] = vf_mul(half, vf_add(ends, g[1]));
        u[2] = vf_mul(half, vf_sub(ends, g[1]));
        u[3] = g[2];
        return;
    }
    vf sixth = vf_broadcast(-1 / 6.0f), ends_2 = vf_mul(vf_broadcast(1 / 24.0f), add_times(g[0], 4, g[2]));
    u[0] = vf_mul(vf_broadcast(0.25f), g[0]);
    u[1] = vf_mul(sixth, vf_add(ends, g[1]));
    u[2] = vf_mul(sixth, vf_sub(ends, g[1]));
    u[3] = add_times(ends_2, 1 / 12.0f, g[1]);
    u[4] = add_times(ends_2, -1 / 12.0f, g[1]);
    u[5] = g[2];
}

#include "simd/vector.h"

ALWAYS_INLINE void input(int tile, const float *from, ptrdiff_t row_stride, int64_t channels, float *to,
                         ptrdiff_t matrix_stride)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
        input_vector(tile, from + c, (tile_strides){ row_stride, channels, matrix_stride }, to + c, VF_WIDTH);
    if (c < channels)
        input_vector(tile, from + c, (tile_strides){ row_stride, channels, matrix_stride }, to + c,
                     (size_t)(channels - c));
}

ALWAYS_INLINE void weights_vector(int tile, const float *from, const ptrdiff_t tap[2], float *to,
                                  ptrdiff_t matrix_stride, size_t lanes)
{
    int side = tile + 2;
    vf half[MAX_SIDE][TAPS], line[MAX_SIDE];
    UNROLLED (u, TAPS) {
        vf column[TAPS];
        UNROLLED (v, TAPS)
            column[v] = vf_load_lanes(from + v * tap[0] + u * tap[1], lanes);
        weights_line(tile, column, line);
        UNROLLED (i, side)
            half[i][u] = line[i];
    }
    UNROLLED (i, side) {
        weights_line(tile, half[i], line);
        UNROLLED (j, side)
            vf_store_lanes(to + (i * side + j) * matrix_stride, line[j], lanes);
    }
}

ALWAYS_INLINE void weights(int tile, const float *from, const ptrdiff_t tap[2], int64_t columns, float *to,
                           ptrdiff_t matrix_stride)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= columns; c += VF_WIDTH)
        weights_vector(tile, from + c, tap, to + c, matrix_stride, VF_WIDTH);
    if (c < columns)
        weights_vector(tile, from + c, tap, to + c, matrix_stride, (size_t)(columns - c));
}

ALWAYS_INLINE vf clamped(const cnn_winograd_output *o, vf a)
{
    return vf_clamp(vf_broadcast(o->clamp.min), vf_broadcast(o->clamp.max), a);
}

ALWAYS_INLINE void store_results(int tile, const cnn_winograd_output *o, int64_t channel,
                                 vf results[MAX_TILE][MAX_TILE], size_t lanes)
{
    UNROLLED (i, tile)
        UNROLLED (j, tile)
            if (i < o->rows && j < o->columns) {
                ptrdiff_t to = i * o->row_stride + j * o->pixel_stride + channel;
                vf result = o->residual ? vf_add(results[i][j], vf_load_lanes(o->residual + to, lanes)) : results[i][j];
                vf_store_values(o->bf16, o->to, to, clamped(o, result), lanes);
            }
}

/* The first of equals is the maximum. */
ALWAYS_INLINE void pool_results(int tile, const cnn_winograd_output *o, int64_t channel, vf results[MAX_TILE][MAX_TILE],
                                size_t lanes)
{
    UNROLLED (i, tile / 2)
        UNROLLED (j, tile / 2)
            if (2 * i < o->rows && 2 * j < o->columns) {
                vf best = results[2 * i][2 * j], place = vf_zero();
                UNROLLED (k, 3) {
                    vf value = results[2 * i + (k + 1) / 2][2 * j + (k + 1) % 2];
                    vf_mask better = vf_greater(value, best);
                    best = vf_select(better, value, best);
                    place = vf_select(better, vf_broadcast((float)(k + 1)), place);
                }
                ptrdiff_t to = i * o->row_stride + j * o->pixel_stride + channel;
                vf_store_values(o->bf16, o->to, to, clamped(o, best), lanes);
                if (o->argmax)
                    vf_store_bytes(o->argmax + to, place, lanes);
            }
}

ALWAYS_INLINE void output_vector(int tile, const cnn_winograd_output *o, int64_t channel, size_t lanes)
{
    int side = tile + 2;
    vf half[MAX_TILE][MAX_SIDE], results[MAX_TILE][MAX_TILE];
    UNROLLED (j, side) {
        vf column[MAX_SIDE], line[MAX_TILE];
        UNROLLED (i, side)
            column[i] = vf_load_lanes(o->products + (i * side + j) * o->matrix_stride + channel, lanes);
        output_line(tile, column, line);
        UNROLLED (i, tile)
            half[i][j] = line[i];
    }
    vf bias = o->bias ? vf_load_lanes(o->bias + channel, lanes) : vf_zero();
    UNROLLED (i, tile) {
        output_line(tile, half[i], results[i]);
        UNROLLED (j, tile)
            results[i][j] = vf_add(results[i][j], bias);
    }
    if (o->pools)
        pool_results(tile, o, channel, results, lanes);
    else
        store_results(tile, o, channel, results, lanes);
}

ALWAYS_INLINE void output(int tile, const cnn_winograd_output *o)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= o->channels; c += VF_WIDTH)
        output_vector(tile, o, c, VF_WIDTH);
    if (c < o->channels)
        output_vector(tile, o, c, (size_t)(o->channels - c));
}

#define TRANSFORMS(m)                                                                                                \
    static void input_by_##m(const float *from, ptrdiff_t row_stride, int64_t channels, int64_t tiles, float *to,    \
                             ptrdiff_t matrix_stride)                                                                \
    {                                                                                                                \
        for (int64_t i = 0; i < tiles; i++)                                                                          \
            input(m, from + i * m * channels, row_stride, channels, to + i * channels, matrix_stride);               \
    }                                                                                                                \
    static void output_by_##m(const cnn_winograd_output *o)                                                          \
    {                                                                                                                \
        output(m, o);                                                                                                \
    }                                                                                                                \
    static void weights_by_##m(const float *from, const ptrdiff_t tap[2], ptrdiff_t source_channel, int64_t columns, \
                               float *to, ptrdiff_t matrix_stride)                                                   \
    {                                                                                                                \
        (void)source_channel;                                                                                        \
        weights(m, from, tap, columns, to, matrix_stride);                                                           \
    }

TRANSFORMS(2)
TRANSFORMS(4)

#if defined(VF_HAS_BF16_DOT)
enum { SIDE = 4 }; /* of a transformed tile of 2 × 2 */

/* A column of a tile, transformed, of the first channels of pairs or of the second. */
ALWAYS_INLINE void bf16_column(const float *from, ptrdiff_t row_stride, size_t lanes, vf first[MAX_SIDE],
                               vf second[MAX_SIDE])
{
    vf a[MAX_SIDE], b[MAX_SIDE];
    UNROLLED (i, SIDE) {
        vf pairs = vf_load_lanes(from + i * row_stride, lanes);
        a[i] = vf_bf16_first_of_pairs(pairs);
        b[i] = vf_bf16_second_of_pairs(pairs);
    }
    input_line(2, a, first);
    input_line(2, b, second);
}

/* Tiles side by side share two columns. */
ALWAYS_INLINE void input_bf16_vector(const float *from, tile_strides stride, int64_t tiles, float *to, size_t lanes)
{
    vf a[SIDE][MAX_SIDE], b[SIDE][MAX_SIDE]; /* by column, then row */
    UNROLLED (j, 2)
        bf16_column(from + j * stride.pixel, stride.row, lanes, a[j], b[j]);
    for (int64_t t = 0; t < tiles; t++, from += 2 * stride.pixel, to += stride.pixel) {
        UNROLLED (j, 2)
            bf16_column(from + (2 + j) * stride.pixel, stride.row, lanes, a[2 + j], b[2 + j]);
        UNROLLED (i, SIDE) {
            vf row_a[MAX_SIDE] = { a[0][i], a[1][i], a[2][i], a[3][i] }, line_a[MAX_SIDE];
            vf row_b[MAX_SIDE] = { b[0][i], b[1][i], b[2][i], b[3][i] }, line_b[MAX_SIDE];
            input_line(2, row_a, line_a);
            input_line(2, row_b, line_b);
            UNROLLED (j, SIDE)
                vf_store_lanes(to + (i * SIDE + j) * stride.matrix, vf_bf16_pairs_of(line_a[j], line_b[j]), lanes);
        }
        UNROLLED (i, SIDE) {
            a[0][i] = a[2][i];
            a[1][i] = a[3][i];
            b[0][i] = b[2][i];
            b[1][i] = b[3][i];
        }
    }
}

static void input_bf16(const float *from, ptrdiff_t row_stride, int64_t channels, int64_t tiles, float *to,
                       ptrdiff_t matrix_stride)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
        input_bf16_vector(from + c, (tile_strides){ row_stride, channels, matrix_stride }, tiles, to + c, VF_WIDTH);
    if (c < channels)
        input_bf16_vector(from + c, (tile_strides){ row_stride, channels, matrix_stride }, tiles, to + c,
                          (size_t)(channels - c));
}

static void weights_bf16(const float *from, const ptrdiff_t tap[2], ptrdiff_t source_channel, int64_t columns,
                         float *to, ptrdiff_t matrix_stride)
{
    float both[2][SIDE * SIDE * VF_WIDTH];
    for (int64_t c = 0; c < columns; c += VF_WIDTH) {
        size_t lanes = columns - c < VF_WIDTH ? (size_t)(columns - c) : VF_WIDTH;
        weights_vector(2, from + c, tap, both[0], VF_WIDTH, lanes);
        weights_vector(2, from + c + source_channel, tap, both[1], VF_WIDTH, lanes);
        for (int i = 0; i < SIDE * SIDE; i++)
            vf_store_lanes(to + c + i * matrix_stride,
                           vf_bf16_pairs_of(vf_load_lanes(both[0] + i * VF_WIDTH, lanes),
                                            vf_load_lanes(both[1] + i * VF_WIDTH, lanes)),
                           lanes);
    }
}
#endif

const cnn_winograd_kernels CNN_FOR_ISA(cnn_winograd_kernels) = {
    .by_2 = { input_by_2, output_by_2, weights_by_2 },
    .by_4 = { input_by_4, output_by_4, weights_by_4 },
#if defined(VF_HAS_BF16_DOT)
    .bf16_by_2 = { input_bf16, output_by_2, weights_bf16 },
#endif
};
