/* Winograd's transforms, a vector of channels at a time. Each is a matrix times the tile times the matrix transposed:
 * the matrix is applied to the columns, then to the rows of what that gives. */
#include "kernels/winograd/winograd.h"
#include "simd/vector.h"

enum { MAX_TILE = 4, MAX_SIDE = MAX_TILE + 2, TAPS = 3 };

/* b + factor * a */
ALWAYS_INLINE vf add_times(vf b, float factor, vf a)
{
    return vf_fmadd(vf_broadcast(factor), a, b);
}

/* The paper's B transposed, for the points 0, 1, -1 (2, -2) and infinity. */
ALWAYS_INLINE void input_line(int tile, const vf d[MAX_SIDE], vf t[MAX_SIDE])
{
    if (tile == 2) {
        t[0] = vf_sub(d[0], d[2]);
        t[1] = vf_add(d[1], d[2]);
        t[2] = vf_sub(d[2], d[1]);
        t[3] = vf_sub(d[1], d[3]);
        return;
    }
    vf even = add_times(d[4], -4, d[2]), odd = add_times(d[3], -4, d[1]);
    vf even_2 = vf_sub(d[4], d[2]), odd_2 = vf_sub(d[3], d[1]);
    t[0] = add_times(add_times(d[4], -5, d[2]), 4, d[0]);
    t[1] = vf_add(even, odd);
    t[2] = vf_sub(even, odd);
    t[3] = add_times(even_2, 2, odd_2);
    t[4] = add_times(even_2, -2, odd_2);
    t[5] = add_times(add_times(d[5], -5, d[3]), 4, d[1]);
}

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

ALWAYS_INLINE void input_vector(int tile, const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, float *to,
                                ptrdiff_t matrix_stride, size_t lanes)
{
    int side = tile + 2;
    vf half[MAX_SIDE][MAX_SIDE], line[MAX_SIDE];
    UNROLLED (j, side) {
        vf column[MAX_SIDE];
        UNROLLED (i, side)
            column[i] = vf_load_lanes(from + i * row_stride + j * pixel_stride, lanes);
        input_line(tile, column, line);
        UNROLLED (i, side)
            half[i][j] = line[i];
    }
    UNROLLED (i, side) {
        input_line(tile, half[i], line);
        UNROLLED (j, side)
            vf_store_lanes(to + (i * side + j) * matrix_stride, line[j], lanes);
    }
}

ALWAYS_INLINE void input(int tile, const float *from, ptrdiff_t row_stride, int64_t channels, float *to,
                         ptrdiff_t matrix_stride)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
        input_vector(tile, from + c, row_stride, channels, to + c, matrix_stride, VF_WIDTH);
    if (c < channels)
        input_vector(tile, from + c, row_stride, channels, to + c, matrix_stride, (size_t)(channels - c));
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
ALWAYS_INLINE void input_bf16_vector(const float *from, ptrdiff_t row_stride, ptrdiff_t pixel_stride, int64_t tiles,
                                     float *to, ptrdiff_t matrix_stride, size_t lanes)
{
    vf a[SIDE][MAX_SIDE], b[SIDE][MAX_SIDE]; /* by column, then row */
    UNROLLED (j, 2)
        bf16_column(from + j * pixel_stride, row_stride, lanes, a[j], b[j]);
    for (int64_t t = 0; t < tiles; t++, from += 2 * pixel_stride, to += pixel_stride) {
        UNROLLED (j, 2)
            bf16_column(from + (2 + j) * pixel_stride, row_stride, lanes, a[2 + j], b[2 + j]);
        UNROLLED (i, SIDE) {
            vf row_a[MAX_SIDE] = { a[0][i], a[1][i], a[2][i], a[3][i] }, line_a[MAX_SIDE];
            vf row_b[MAX_SIDE] = { b[0][i], b[1][i], b[2][i], b[3][i] }, line_b[MAX_SIDE];
            input_line(2, row_a, line_a);
            input_line(2, row_b, line_b);
            UNROLLED (j, SIDE)
                vf_store_lanes(to + (i * SIDE + j) * matrix_stride, vf_bf16_pairs_of(line_a[j], line_b[j]), lanes);
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
        input_bf16_vector(from + c, row_stride, channels, tiles, to + c, matrix_stride, VF_WIDTH);
    if (c < channels)
        input_bf16_vector(from + c, row_stride, channels, tiles, to + c, matrix_stride, (size_t)(channels - c));
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

#if defined(VF_HAS_BF16_DOT)
enum { PAIR_COLUMNS = SIDE + 2 }; /* of the source of two tiles side by side */

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
            input_vector(MAX_TILE, from + c, s->row_stride, s->pixel_stride, to + c, s->matrix_stride, VF_WIDTH);
        if (c < s->channels)
            input_vector(MAX_TILE, from + c, s->row_stride, s->pixel_stride, to + c, s->matrix_stride,
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

const cnn_winograd_kernels CNN_FOR_ISA(cnn_winograd_kernels) = {
    .by_2 = { input_by_2, output_by_2, weights_by_2 },
    .by_4 = { input_by_4, output_by_4, weights_by_4 },
    .adjoints_by_4 = { units_input, units_gradient, tap_gradients },
#if defined(VF_HAS_BF16_DOT)
    .bf16_by_2 = { input_bf16, output_by_2, weights_bf16 },
    .bf16_adjoints = { input_across, gradient_across, weights_across },
#endif
};
