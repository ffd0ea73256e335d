/* The transforms of a gradient by weights: of the input, of the gradient, and of the sums of their products. */
#include "kernels/winograd/winograd_lines.h"
#include "kernels/winograd/winograd_transforms.h"

#if defined(VF_HAS_BF16_DOT)
enum {
    SIDE = 4 /* of a transformed tile of 2 × 2 */,
    PAIR_COLUMNS = SIDE + 2
}; /* of the source of two tiles side by side */

ALWAYS_INLINE void source_column(const void *from, ptrdiff_t row_stride, size_t lanes, vf column[MAX_SIDE])
{
    vf values[MAX_SIDE];
    UNROLLED (i, SIDE)
        values[i] = vf_load_values(true, from, i * row_stride, lanes);
    input_line(2, values, column);
}

ALWAYS_INLINE void store_pairs(const cnn_winograd_units *s, float *to, int row, const vf first[MAX_SIDE],
                               const vf second[MAX_SIDE], size_t lanes)
{
    UNROLLED (j, SIDE)
        vf_store_lanes(to + (row * SIDE + j) * s->matrix_stride, vf_bf16_pairs_of(first[j], second[j]), lanes);
}

ALWAYS_INLINE void input_across_vector(const cnn_winograd_units *s, int64_t channel, size_t lanes)
{
    const uint16_t *from = (const uint16_t *)s->from + channel;
    float *to = s->to + channel;
    vf columns[PAIR_COLUMNS][MAX_SIDE];
    UNROLLED (j, 2)
        source_column(from + j * s->pixel_stride, s->row_stride, lanes, columns[j]);
    for (int64_t unit = 0; unit < s->units; unit++, from += 4 * s->pixel_stride, to += s->channels) {
        UNROLLED (j, 4)
            source_column(from + (2 + j) * s->pixel_stride, s->row_stride, lanes, columns[2 + j]);
        UNROLLED (i, SIDE) {
            vf first[MAX_SIDE] = { columns[0][i], columns[1][i], columns[2][i], columns[3][i] };
            vf second[MAX_SIDE] = { columns[2][i], columns[3][i], columns[4][i], columns[5][i] };
            vf first_line[MAX_SIDE], second_line[MAX_SIDE];
            input_line(2, first, first_line);
            input_line(2, second, second_line);
            store_pairs(s, to, i, first_line, second_line, lanes);
        }
        UNROLLED (i, SIDE) {
            columns[0][i] = columns[4][i];
            columns[1][i] = columns[5][i];
        }
    }
}

static void input_across(const cnn_winograd_units *s)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= s->channels; c += VF_WIDTH)
        input_across_vector(s, c, VF_WIDTH);
    if (c < s->channels)
        input_across_vector(s, c, (size_t)(s->channels - c));
}

/* A, with the sign of its last row turned, which weights_across makes up for. */
ALWAYS_INLINE void gradient_line(vf a, vf b, vf line[MAX_SIDE])
{
    line[0] = a;
    line[1] = vf_add(a, b);
    line[2] = vf_sub(a, b);
    line[3] = b;
}

ALWAYS_INLINE void gradient_across_vector(const cnn_winograd_units *s, int64_t channel, size_t lanes)
{
    const uint16_t *from = (const uint16_t *)s->from + channel;
    float *to = s->to + channel;
    vf sum = vf_zero();
    for (int64_t unit = 0; unit < s->units; unit++, from += 4 * s->pixel_stride, to += s->channels) {
        vf columns[4][MAX_SIDE];
        UNROLLED (j, 4)
            gradient_line(vf_load_values(true, from, j * s->pixel_stride, lanes),
                          vf_load_values(true, from, s->row_stride + j * s->pixel_stride, lanes), columns[j]);
        sum = vf_add(sum, vf_add(vf_add(columns[0][1], columns[1][1]), vf_add(columns[2][1], columns[3][1])));
        UNROLLED (i, SIDE) {
            vf first[MAX_SIDE], second[MAX_SIDE];
            gradient_line(columns[0][i], columns[1][i], first);
            gradient_line(columns[2][i], columns[3][i], second);
            store_pairs(s, to, i, first, second, lanes);
        }
    }
    if (s->sums)
        vf_store_lanes(s->sums + channel, vf_add(vf_load_lanes(s->sums + channel, lanes), sum), lanes);
}

static void gradient_across(const cnn_winograd_units *s)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= s->channels; c += VF_WIDTH)
        gradient_across_vector(s, c, VF_WIDTH);
    if (c < s->channels)
        gradient_across_vector(s, c, (size_t)(s->channels - c));
}
#endif

static void units_input(const cnn_winograd_units *s)
{
    for (int64_t unit = 0; unit < s->units; unit++) {
        const float *from = (const float *)s->from + unit * MAX_TILE * s->pixel_stride;
        float *to = s->to + unit * s->channels;
        int64_t c = 0;
        for (; c + VF_WIDTH <= s->channels; c += VF_WIDTH)
            input_vector(MAX_TILE, from + c, (tile_strides){ s->row_stride, s->pixel_stride, s->matrix_stride }, to + c,
                         VF_WIDTH);
        if (c < s->channels)
            input_vector(MAX_TILE, from + c, (tile_strides){ s->row_stride, s->pixel_stride, s->matrix_stride }, to + c,
                         (size_t)(s->channels - c));
    }
}

/* A, of the larger tile. */
ALWAYS_INLINE void adjoint_output_line(const vf g[MAX_TILE], vf line[MAX_SIDE])
{
    vf even = vf_add(g[0], g[2]), odd = vf_add(g[1], g[3]);
    vf even_2 = add_times(g[0], 4, g[2]), odd_2 = add_times(g[1], 4, g[3]);
    line[0] = g[0];
    line[1] = vf_add(even, odd);
    line[2] = vf_sub(even, odd);
    line[3] = add_times(even_2, 2, odd_2);
    line[4] = add_times(even_2, -2, odd_2);
    line[5] = g[3];
}

/* The transformed tile's element (1, 1) is the tile's sum. */
ALWAYS_INLINE vf gradient_vector(const cnn_winograd_units *s, const float *from, float *to, size_t lanes)
{
    vf half[MAX_SIDE][MAX_TILE], line[MAX_SIDE], sum = vf_zero();
    UNROLLED (j, MAX_TILE) {
        vf column[MAX_TILE];
        UNROLLED (i, MAX_TILE)
            column[i] = vf_load_lanes(from + i * s->row_stride + j * s->pixel_stride, lanes);
        adjoint_output_line(column, line);
        UNROLLED (i, MAX_SIDE)
            half[i][j] = line[i];
    }
    UNROLLED (i, MAX_SIDE) {
        adjoint_output_line(half[i], line);
        UNROLLED (j, MAX_SIDE)
            vf_store_lanes(to + (i * MAX_SIDE + j) * s->matrix_stride, line[j], lanes);
        if (i == 1)
            sum = line[1];
    }
    return sum;
}

static void units_gradient(const cnn_winograd_units *s)
{
    for (int64_t c = 0; c < s->channels; c += VF_WIDTH) {
        size_t lanes = s->channels - c < VF_WIDTH ? (size_t)(s->channels - c) : VF_WIDTH;
        vf sum = s->sums ? vf_load_lanes(s->sums + c, lanes) : vf_zero();
        for (int64_t unit = 0; unit < s->units; unit++)
            sum = vf_add(sum, gradient_vector(s, (const float *)s->from + unit * MAX_TILE * s->pixel_stride + c,
                                              s->to + unit * s->channels + c, lanes));
        if (s->sums)
            vf_store_lanes(s->sums + c, sum, lanes);
    }
}

/* G transposed, of the larger tile. */
ALWAYS_INLINE void tap_line_of_larger(const vf u[MAX_SIDE], vf g[TAPS])
{
    vf sixth = vf_broadcast(1 / 6.0f), sum = vf_add(u[1], u[2]), sum_2 = vf_add(u[3], u[4]);
    vf difference = vf_sub(u[2], u[1]), difference_2 = vf_sub(u[3], u[4]);
    g[0] = add_times(add_times(vf_mul(vf_broadcast(0.25f), u[0]), -1 / 6.0f, sum), 1 / 24.0f, sum_2);
    g[1] = vf_mul(sixth, add_times(difference, 0.5f, difference_2));
    g[2] = vf_fmadd(sixth, vf_sub(sum_2, sum), u[5]);
}

/* The same of the smaller one. */
ALWAYS_INLINE void tap_line_of_smaller(const vf u[MAX_SIDE], vf g[TAPS])
{
    vf half = vf_broadcast(0.5f), middle = vf_mul(half, vf_add(u[1], u[2]));
    g[0] = vf_add(u[0], middle);
    g[1] = vf_mul(half, vf_sub(u[1], u[2]));
    g[2] = vf_sub(middle, u[3]);
}

ALWAYS_INLINE void tap_line(int tile, const vf u[MAX_SIDE], vf g[TAPS])
{
    if (tile == 2)
        tap_line_of_smaller(u, g);
    else
        tap_line_of_larger(u, g);
}

/* Gradients by taps from the sums of a tile, transformed. */
ALWAYS_INLINE void taps_of_sums(int tile, const float *from, ptrdiff_t matrix_stride, int64_t columns, float *to,
                                ptrdiff_t tap_stride)
{
    const int side = tile + 2;
    for (int64_t c = 0; c < columns; c += VF_WIDTH) {
        size_t lanes = columns - c < VF_WIDTH ? (size_t)(columns - c) : VF_WIDTH;
        vf half[TAPS][MAX_SIDE];
        UNROLLED (j, side) {
            vf column[MAX_SIDE], line[TAPS];
            UNROLLED (i, side)
                column[i] = vf_load_lanes(from + c + (i * side + j) * matrix_stride, lanes);
            tap_line(tile, column, line);
            UNROLLED (v, TAPS)
                half[v][j] = line[v];
        }
        UNROLLED (v, TAPS) {
            vf taps[TAPS];
            tap_line(tile, half[v], taps);
            UNROLLED (u, TAPS)
                vf_store_lanes(to + c + (v * TAPS + u) * tap_stride, taps[u], lanes);
        }
    }
}

#if defined(VF_HAS_BF16_DOT)
static void weights_across(const float *from, ptrdiff_t matrix_stride, int64_t columns, float *to, ptrdiff_t tap_stride)
{
    taps_of_sums(2, from, matrix_stride, columns, to, tap_stride);
}
#endif

static void tap_gradients(const float *from, ptrdiff_t matrix_stride, int64_t columns, float *to, ptrdiff_t tap_stride)
{
    taps_of_sums(MAX_TILE, from, matrix_stride, columns, to, tap_stride);
}

const cnn_winograd_adjoint_kernels CNN_FOR_ISA(cnn_winograd_adjoint_kernels) = {
    .by_4 = { units_input, units_gradient, tap_gradients },
#if defined(VF_HAS_BF16_DOT)
    .bf16_by_2 = { input_across, gradient_across, weights_across },
#endif
};
