/* Products of bytes, a tile of the result at a time, all of it in registers, as gemm_ukernel.c does it in fp32: for
 * each group V vectors of b are loaded, and multiplied by R broadcast groups of a. */
#include "kernels/int8/int8_gemm.h"
#include "simd/vector_bytes.h"

/* Two vectors are 32 columns of AVX-512: weights of 1152 terms stay in the first-level cache, and 16 sums are enough to
 * hide the latency of the multiplication. */
enum { MAX_VECTORS = 2, MAX_ROWS = VF_REGISTERS == 32 ? 8 : 4, POOL = 4, SUMS = MAX_ROWS * MAX_VECTORS };

/* Bytes of b: of few images the weights come from memory, and the processor by itself fetches too few at a time. */
enum { FETCH_AHEAD = 4096 };

typedef struct tile_shape {
    int rows, vectors;
    bool pool;
} tile_shape;

typedef enum result_kind { RESULT_BYTES, RESULT_WITH_RESIDUAL, RESULT_FLOATS } result_kind;

static result_kind kind_of(const cnn_int8_result *result)
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

ALWAYS_INLINE size_t lanes(size_t columns, size_t first)
{
    return columns - first < VF_WIDTH ? columns - first : VF_WIDTH;
}

ALWAYS_INLINE void finish_rows(const cnn_int8_gemm *p, result_kind kind, int64_t row, int rows, int vectors,
                               size_t columns, const vi *sums)
{
    const cnn_int8_result result = p->result; /* a copy, which stores of bytes can't change */
    for (int r = 0; r < rows; r++)
        UNROLLED (v, vectors)
            finish_vector(&result, kind, sums[r * vectors + v], v * VF_WIDTH,
                          p->indirection.outputs[row + r] + v * VF_WIDTH, lanes(columns, (size_t)v * VF_WIDTH));
}

/* What follows the sums; out of line, as it is the same for all tiles. */
static __attribute__((noinline)) void finish_tile(const cnn_int8_gemm *p, int64_t row, int rows, int vectors,
                                                  const vi *sums)
{
    size_t columns = (size_t)p->columns;
    result_kind kind = kind_of(&p->result);
    if (kind == RESULT_BYTES && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_BYTES, row, rows, 2, 2 * VF_WIDTH, sums);
    else if (kind == RESULT_WITH_RESIDUAL && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_WITH_RESIDUAL, row, rows, 2, 2 * VF_WIDTH, sums);
    else if (vectors == 2)
        finish_rows(p, kind, row, rows, 2, columns, sums);
    else
        finish_rows(p, kind, row, rows, 1, columns, sums);
}

ALWAYS_INLINE void end_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS])
{
    vi results[SUMS];
    if (s.pool) {
        UNROLLED (r, s.rows / POOL)
            UNROLLED (v, s.vectors)
                results[r * s.vectors + v] = vi_max(vi_max(sum[POOL * r][v], sum[POOL * r + 1][v]),
                                                    vi_max(sum[POOL * r + 2][v], sum[POOL * r + 3][v]));
        finish_tile(p, row / POOL, s.rows / POOL, s.vectors, results);
        return;
    }
    UNROLLED (r, s.rows)
        UNROLLED (v, s.vectors)
            results[r * s.vectors + v] = sum[r][v];
    finish_tile(p, row, s.rows, s.vectors, results);
}

ALWAYS_INLINE void multiply_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s)
{
    vi sum[MAX_ROWS][MAX_VECTORS];
    UNROLLED (v, s.vectors) {
        vi first = vi_load(p->bias + v * VF_WIDTH);
        UNROLLED (r, s.rows)
            sum[r][v] = first;
    }
    const uint8_t *a[MAX_ROWS], *b = p->b;
    UNROLLED (r, s.rows)
        a[r] = p->a + p->indirection.rows[row + r];
    for (int64_t i = 0; i < p->terms; i++, b += s.vectors * sizeof(vi)) {
        ptrdiff_t offset = p->indirection.taps[i];
        vi weights[MAX_VECTORS];
        UNROLLED (v, s.vectors) {
            weights[v] = vi_load(b + v * sizeof(vi));
            __builtin_prefetch(b + FETCH_AHEAD + v * sizeof(vi));
        }
        UNROLLED (r, s.rows) {
            vi group = vi_broadcast_group(a[r] + offset);
            UNROLLED (v, s.vectors)
                sum[r][v] = vi_dot(sum[r][v], group, weights[v]);
        }
    }
    end_tile(p, row, s, sum);
}

/* A single row, as of a dense layer for one image. Sums of every fourth term hide the multiplication's latency. */
ALWAYS_INLINE void multiply_row(const cnn_int8_gemm *p, int vectors)
{
    enum { PARTS = 4 };
    vi sum[PARTS][MAX_VECTORS];
    UNROLLED (v, vectors)
        UNROLLED (i, PARTS)
            sum[i][v] = i ? vi_broadcast(0) : vi_load(p->bias + v * VF_WIDTH);
    const uint8_t *a = p->a + p->indirection.rows[0], *b = p->b;
    int64_t term = 0;
    for (; term + PARTS <= p->terms; term += PARTS, b += PARTS * vectors * sizeof(vi))
        UNROLLED (i, PARTS) {
            vi group = vi_broadcast_group(a + p->indirection.taps[term + i]);
            UNROLLED (v, vectors)
                sum[i][v] = vi_dot(sum[i][v], group, vi_load(b + (i * vectors + v) * sizeof(vi)));
        }
    for (; term < p->terms; term++, b += vectors * sizeof(vi))
        UNROLLED (v, vectors)
            sum[0][v] =
                vi_dot(sum[0][v], vi_broadcast_group(a + p->indirection.taps[term]), vi_load(b + v * sizeof(vi)));
    vi results[MAX_VECTORS];
    UNROLLED (v, vectors)
        results[v] = vi_add(vi_add(sum[0][v], sum[1][v]), vi_add(sum[2][v], sum[3][v]));
    finish_tile(p, 0, 1, vectors, results);
}

static void multiply_row_1(const cnn_int8_gemm *p)
{
    multiply_row(p, 1);
}

static void multiply_row_2(const cnn_int8_gemm *p)
{
    multiply_row(p, 2);
}

typedef void (*tile_function)(const cnn_int8_gemm *p, int64_t row);

#define TILE(R, V, SUFFIX, POOLS)                                           \
    static void tile_##R##x##V##SUFFIX(const cnn_int8_gemm *p, int64_t row) \
    {                                                                       \
        multiply_tile(p, row, (tile_shape){ R, V, POOLS });                 \
    }

#define TILES_TO_4(V) TILE(1, V, , false) TILE(2, V, , false) TILE(3, V, , false) TILE(4, V, , false)
#define TILES_TO_8(V) TILES_TO_4(V) TILE(5, V, , false) TILE(6, V, , false) TILE(7, V, , false) TILE(8, V, , false)
#define NAMES_TO_4(V) tile_1x##V, tile_2x##V, tile_3x##V, tile_4x##V
#define NAMES_TO_8(V) NAMES_TO_4(V), tile_5x##V, tile_6x##V, tile_7x##V, tile_8x##V

TILE(4, 1, _pool, true)
TILE(4, 2, _pool, true)
#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON)
TILE(8, 1, _pool, true)
TILE(8, 2, _pool, true)
TILES_TO_8(1)
TILES_TO_8(2) static const tile_function tiles[MAX_VECTORS][MAX_ROWS] = { { NAMES_TO_8(1) }, { NAMES_TO_8(2) } };
static const tile_function pool_tiles[MAX_VECTORS][MAX_ROWS / POOL] = { { tile_4x1_pool, tile_8x1_pool },
                                                                        { tile_4x2_pool, tile_8x2_pool } };
#else
TILES_TO_4(1)
TILES_TO_4(2) static const tile_function tiles[MAX_VECTORS][MAX_ROWS] = { { NAMES_TO_4(1) }, { NAMES_TO_4(2) } };
static const tile_function pool_tiles[MAX_VECTORS][MAX_ROWS / POOL] = { { tile_4x1_pool }, { tile_4x2_pool } };
#endif

/* Tiles as equal in height as can be, for a low one is limited by latency. */
static void multiply(const cnn_int8_gemm *p)
{
    int64_t vectors = (p->columns + VF_WIDTH - 1) / VF_WIDTH, unit = p->pool ? POOL : 1;
    if (p->rows == 1) {
        (vectors == 1 ? multiply_row_1 : multiply_row_2)(p);
        return;
    }
    int64_t units = p->rows / unit, most = MAX_ROWS / unit, count = (units + most - 1) / most;
    for (int64_t i = 0; i < count; i++) {
        int64_t first = units * i / count, next = units * (i + 1) / count;
        (p->pool ? pool_tiles[vectors - 1][next - first - 1] : tiles[vectors - 1][next - first - 1])(p, first * unit);
    }
}

enum { CHANNEL_ROWS = 4 };

/* One vector of channels, from `column` on. */
ALWAYS_INLINE void multiply_channel_tile(const cnn_int8_gemm *p, int64_t b_stride, int64_t row, int rows,
                                         int64_t column, size_t count)
{
    vi sum[CHANNEL_ROWS];
    UNROLLED (r, rows)
        sum[r] = vi_load(p->bias + column);
    for (int64_t o = 0; o < p->terms; o++) {
        const uint8_t *a = p->a + p->indirection.taps[o] + column;
        vi factor = vi_load(p->b + (o * b_stride + column) * (ptrdiff_t)sizeof(int32_t));
        UNROLLED (r, rows)
            sum[r] = vi_add(sum[r], vi_mul_byte(vi_load_bytes(a + p->indirection.rows[row + r], count), factor));
    }
    UNROLLED (r, rows)
        finish_vector(&p->result, kind_of(&p->result), sum[r], column, p->indirection.outputs[row + r] + column, count);
}

static void multiply_channels(const cnn_int8_gemm *p, int64_t b_stride)
{
    for (int64_t column = 0; column < p->columns; column += VF_WIDTH) {
        size_t count = lanes((size_t)p->columns, (size_t)column);
        int64_t row = 0;
        for (; row + CHANNEL_ROWS <= p->rows; row += CHANNEL_ROWS)
            multiply_channel_tile(p, b_stride, row, CHANNEL_ROWS, column, count);
        for (; row < p->rows; row++)
            multiply_channel_tile(p, b_stride, row, 1, column, count);
    }
}

/* What follows are loops that compilers make vectors of; each step is exact or rounded once, so that all agree. */

static void widen(const uint8_t *from, int64_t count, int16_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i];
}

ALWAYS_INLINE float clamp(float value, float min, float max)
{
    value = value > min ? value : min; /* NaN becomes `min` */
    return value < max ? value : max;
}

/* To the nearest, to the even one of two: added to 1.5 × 2²³, a number has no bits left after its ones. */
ALWAYS_INLINE int32_t round_to_int(float value)
{
    const float large = 12582912;
    float sum = value + large;
    int32_t bits, large_bits;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&large_bits, &large, sizeof large_bits);
    return bits - large_bits;
}

static void quantize(const float *from, int64_t count, float inverse_scale, int32_t zero, uint8_t *to)
{
    float min = (float)-zero, max = (float)(255 - zero);
    for (int64_t i = 0; i < count; i++)
        to[i] = (uint8_t)(round_to_int(clamp(from[i] * inverse_scale, min, max)) + zero);
}

static void dequantize(const uint8_t *from, int64_t count, float scale, int32_t zero, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)(from[i] - zero) * scale;
}

static void add_scaled(const uint8_t *from, int64_t count, float scale, int32_t zero, float *sums, bool first)
{
    if (first)
        dequantize(from, count, scale, zero, sums);
    else
        for (int64_t i = 0; i < count; i++)
            sums[i] += (float)(from[i] - zero) * scale;
}

static void round_sums(const float *sums, int64_t count, int32_t zero, cnn_int8_clamp limits, uint8_t *to)
{
    float min = (float)(limits.min - zero), max = (float)(limits.max - zero);
    for (int64_t i = 0; i < count; i++)
        to[i] = (uint8_t)(round_to_int(clamp(sums[i], min, max)) + zero);
}

static void max_window(const uint8_t *from, const int64_t size[2], int64_t row, int64_t channels, uint8_t *to)
{
    int64_t c = 0;
    for (; c + VB_WIDTH <= channels; c += VB_WIDTH) {
        vb greatest = vb_load(from + c);
        for (int64_t y = 0; y < size[0]; y++)
            for (int64_t x = 0; x < size[1]; x++)
                greatest = vb_max(greatest, vb_load(from + y * row + x * channels + c));
        vb_store(to + c, greatest);
    }
    for (; c < channels; c++) {
        uint8_t greatest = 0;
        for (int64_t y = 0; y < size[0]; y++)
            for (int64_t x = 0; x < size[1]; x++) {
                uint8_t value = from[y * row + x * channels + c];
                greatest = value > greatest ? value : greatest;
            }
        to[c] = greatest;
    }
}

static void accumulate(const uint8_t *from, int64_t count, int32_t *sums)
{
    for (int64_t i = 0; i < count; i++)
        sums[i] += from[i];
}

const cnn_int8_kernels CNN_FOR_ISA(cnn_int8_kernels) = {
    .width = VF_WIDTH,
    .columns = VF_WIDTH * MAX_VECTORS,
    .group = GROUP,
    .multiply = multiply,
    .multiply_channels = multiply_channels,
    .widen = widen,
    .quantize = quantize,
    .dequantize = dequantize,
    .add_scaled = add_scaled,
    .round_sums = round_sums,
    .max_window = max_window,
    .accumulate = accumulate,
};
