/* A register tile of the result at a time, as gemm_ukernel.c does it in fp32: for each group V vectors of b are loaded,
 * and multiplied by R broadcast groups of a. */
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

/* The rows of a tile whose sums are finished, and vectors in each. */
typedef struct finished_tile {
    int rows, vectors;
} finished_tile;

ALWAYS_INLINE void finish_rows(const cnn_int8_gemm *p, result_kind kind, int64_t row, finished_tile s, size_t columns,
                               const vi *sums)
{
    const cnn_int8_result result = p->result; /* a copy, which stores of bytes can't change */
    for (int r = 0; r < s.rows; r++)
        UNROLLED (v, s.vectors)
            finish_vector(&result, kind, sums[r * s.vectors + v], v * VF_WIDTH,
                          p->indirection.outputs[row + r] + v * VF_WIDTH, lanes(columns, (size_t)v * VF_WIDTH));
}

/* What follows the sums; out of line, as it is the same for all tiles. */
static __attribute__((noinline)) void finish_tile(const cnn_int8_gemm *p, int64_t row, int rows, int vectors,
                                                  const vi *sums)
{
    const finished_tile two = { rows, 2 }, one = { rows, 1 };
    size_t columns = (size_t)p->columns;
    result_kind kind = kind_of(&p->result);
    if (kind == RESULT_BYTES && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_BYTES, row, two, 2 * VF_WIDTH, sums);
    else if (kind == RESULT_WITH_RESIDUAL && columns == 2 * VF_WIDTH)
        finish_rows(p, RESULT_WITH_RESIDUAL, row, two, 2 * VF_WIDTH, sums);
    else if (vectors == 2)
        finish_rows(p, kind, row, two, columns, sums);
    else
        finish_rows(p, kind, row, one, columns, sums);
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

/* clang-format off */
/* All register tiles: X(rows, vectors); and those whose rows are pooled by fours. */
#define TILES_TO_4(X, V) X(1, V) X(2, V) X(3, V) X(4, V)
#define TILES_TO_8(X, V) TILES_TO_4(X, V) X(5, V) X(6, V) X(7, V) X(8, V)
#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON) /* 32 registers */
#define TILES(X) TILES_TO_8(X, 1) TILES_TO_8(X, 2)
#define POOL_TILES(X) X(4, 1) X(8, 1) X(4, 2) X(8, 2)
#else
#define TILES(X) TILES_TO_4(X, 1) TILES_TO_4(X, 2)
#define POOL_TILES(X) X(4, 1) X(4, 2)
#endif

#define DEFINE_TILE(R, V)                                                \
    static void tile_##R##x##V(const cnn_int8_gemm *p, int64_t row)      \
    {                                                                    \
        multiply_tile(p, row, (tile_shape){ R, V, false });              \
    }
#define DEFINE_POOL_TILE(R, V)                                           \
    static void pool_tile_##R##x##V(const cnn_int8_gemm *p, int64_t row) \
    {                                                                    \
        multiply_tile(p, row, (tile_shape){ R, V, true });               \
    }

TILES(DEFINE_TILE)
POOL_TILES(DEFINE_POOL_TILE)

#define TILE(R, V) [(V)-1][(R)-1] = tile_##R##x##V,
#define POOL_TILE(R, V) [(V)-1][(R) / POOL - 1] = pool_tile_##R##x##V,
static const tile_function tiles[MAX_VECTORS][MAX_ROWS] = { TILES(TILE) };
static const tile_function pool_tiles[MAX_VECTORS][MAX_ROWS / POOL] = { POOL_TILES(POOL_TILE) };
/* clang-format on */

/* Tiles as equal in height as can be, for latency slows a low one. */
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

static void widen(const uint8_t *from, int64_t count, int16_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i];
}

const cnn_int8_gemm_kernels CNN_FOR_ISA(cnn_int8_gemm_kernels) = {
    .width = VF_WIDTH,
    .columns = MAX_VECTORS * VF_WIDTH,
    .group = GROUP,
    .multiply = multiply,
    .multiply_channels = multiply_channels,
    .widen = widen,
};
