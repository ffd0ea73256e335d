/* A register tile of the result at a time, as gemm_ukernel.c does it in fp32: for each group V vectors of b are loaded,
 * and multiplied by R broadcast groups of a. */
#include "kernels/int8/int8_finish.h"
#include "kernels/int8/int8_gemm.h"
#include "simd/vector_bytes.h"

/* Two vectors are 32 columns of AVX-512: weights of 1152 terms stay in the first-level cache, and 16 sums are enough to
 * hide the latency of the multiplication. In plain C a second one would gain a sixth, for 5 KB of tiles. */
enum { MAX_VECTORS = VF_PLAIN ? 1 : 2, POOL = 4 };
enum { MAX_ROWS = VF_PLAIN ? 4 : VF_REGISTERS == 32 ? 8 : 6, SUMS = MAX_ROWS * MAX_VECTORS };

/* Bytes of b: of few images the weights come from memory, and the processor by itself fetches too few at a time. */
enum { FETCH_AHEAD = 4096 };

/* Tiles of whole blocks take weights as bytes, too. */
enum { TAKES_BYTES = GROUP == 2 && !VF_PLAIN };

typedef struct tile_shape {
    int rows, vectors;
    bool pool;
} tile_shape;

ALWAYS_INLINE void end_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS])
{
    if (p->result.sums) {
        int32_t *to = p->result.sums + row * s.vectors * VF_WIDTH;
        UNROLLED (r, s.rows)
            UNROLLED (v, s.vectors)
                vi_store(to + (r * s.vectors + v) * VF_WIDTH, sum[r][v]);
        return;
    }
    vi results[SUMS];
    if (s.pool) {
        UNROLLED (r, s.rows / POOL)
            UNROLLED (v, s.vectors)
                results[r * s.vectors + v] = vi_max(vi_max(sum[POOL * r][v], sum[POOL * r + 1][v]),
                                                    vi_max(sum[POOL * r + 2][v], sum[POOL * r + 3][v]));
        p->finish(p, row / POOL, s.rows / POOL, s.vectors, results);
        return;
    }
    UNROLLED (r, s.rows)
        UNROLLED (v, s.vectors)
            results[r * s.vectors + v] = sum[r][v];
    p->finish(p, row, s.rows, s.vectors, results);
}

/* The biases, and where in the input each row begins. */
ALWAYS_INLINE void begin_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS],
                              const uint8_t *a[MAX_ROWS])
{
    UNROLLED (v, s.vectors) {
        vi first = vi_load(p->bias + v * VF_WIDTH);
        UNROLLED (r, s.rows)
            sum[r][v] = first;
    }
    UNROLLED (r, s.rows)
        a[r] = p->a + p->indirection.rows[row + r];
}

#if defined(__ARM_FEATURE_MATMUL_INT8) || defined(__ARM_FEATURE_DOTPROD)
#include "kernels/int8/int8_gemm_neon.h"
#else
/* `bytes`: weights are widened here, for each tile. */
ALWAYS_INLINE void add_terms(const cnn_int8_gemm *p, tile_shape s, bool bytes, const uint8_t *const a[MAX_ROWS],
                             vi sum[MAX_ROWS][MAX_VECTORS])
{
    const int64_t vector_bytes = bytes ? WEIGHTS_BYTES : (int64_t)sizeof(vi);
    const uint8_t *b = p->b;
    for (int64_t i = 0; i < p->terms; i++, b += s.vectors * vector_bytes) {
        ptrdiff_t offset = p->indirection.taps[i];
        vi weights[MAX_VECTORS];
        UNROLLED (v, s.vectors) {
            weights[v] = bytes ? vi_load_weights(b + v * vector_bytes) : vi_load(b + v * vector_bytes);
            __builtin_prefetch(b + FETCH_AHEAD + v * vector_bytes);
        }
        UNROLLED (r, s.rows) {
            vi group = vi_broadcast_group(a[r] + offset);
            UNROLLED (v, s.vectors)
                sum[r][v] = vi_dot(sum[r][v], group, weights[v]);
        }
    }
}

ALWAYS_INLINE void sum_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s, vi sum[MAX_ROWS][MAX_VECTORS])
{
    const uint8_t *a[MAX_ROWS];
    begin_tile(p, row, s, sum, a);
    /* the usual loop must lie straight ahead: gcc 12's tiles of AVX-512 are a tenth slower otherwise */
    if (TAKES_BYTES && s.vectors == MAX_VECTORS && !s.pool && __builtin_expect(p->bytes, 0))
        add_terms(p, s, true, a, sum);
    else
        add_terms(p, s, false, a, sum);
}
#endif

ALWAYS_INLINE void multiply_tile(const cnn_int8_gemm *p, int64_t row, tile_shape s)
{
    vi sum[MAX_ROWS][MAX_VECTORS];
    sum_tile(p, row, s, sum);
    end_tile(p, row, s, sum);
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
ALWAYS_INLINE void multiply_row_of(const cnn_int8_gemm *p, int vectors)
{
    multiply_tile(p, 0, (tile_shape){ 1, vectors, false });
}
#else
/* Sums of every fourth term hide the multiplication's latency. */
ALWAYS_INLINE void multiply_row_of(const cnn_int8_gemm *p, int vectors)
{
    enum { PARTS = 4 };
    vi sum[PARTS][MAX_VECTORS];
    UNROLLED (v, vectors)
        UNROLLED (i, PARTS)
            sum[i][v] = i ? vi_broadcast(0) : vi_load(p->bias + v * VF_WIDTH);
    const uint8_t *a = p->a + p->indirection.rows[0], *b = p->b;
    int64_t term = 0;
    for (; term + PARTS <= p->terms; term += PARTS, b += PARTS * vectors * WEIGHTS_BYTES)
        UNROLLED (i, PARTS) {
            vi group = vi_broadcast_group(a + p->indirection.taps[term + i]);
            UNROLLED (v, vectors)
                sum[i][v] = vi_dot(sum[i][v], group, vi_load_weights(b + (i * vectors + v) * WEIGHTS_BYTES));
        }
    for (; term < p->terms; term++, b += vectors * WEIGHTS_BYTES)
        UNROLLED (v, vectors)
            sum[0][v] = vi_dot(sum[0][v], vi_broadcast_group(a + p->indirection.taps[term]),
                               vi_load_weights(b + v * WEIGHTS_BYTES));
    vi results[MAX_VECTORS];
    UNROLLED (v, vectors)
        results[v] = vi_add(vi_add(sum[0][v], sum[1][v]), vi_add(sum[2][v], sum[3][v]));
    p->finish(p, 0, 1, vectors, results);
}
#endif

static void multiply_row(const cnn_int8_gemm *p)
{
    if (p->columns > VF_WIDTH)
        multiply_row_of(p, MAX_VECTORS);
    else
        multiply_row_of(p, 1);
}

static void widen_weights(const uint8_t *from, int64_t count, int16_t *to)
{
    for (int64_t i = 0; i < count; i += WEIGHTS_BYTES) {
        vi_store(to + i, vi_load_weights(from + i));
        __builtin_prefetch(from + i + FETCH_AHEAD);
    }
}

typedef void (*tile_function)(const cnn_int8_gemm *p, int64_t row);

/* clang-format off */
/* All register tiles: X(rows, vectors); and those whose rows are pooled by fours. */
#define TILES_TO_4(X, V) X(1, V) X(2, V) X(3, V) X(4, V)
#define TILES_TO_6(X, V) TILES_TO_4(X, V) X(5, V) X(6, V)
#define TILES_TO_8(X, V) TILES_TO_6(X, V) X(7, V) X(8, V)
#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON) /* 32 registers */
#define TILES(X) TILES_TO_8(X, 1) TILES_TO_8(X, 2)
#define POOL_TILES(X) X(4, 1) X(8, 1) X(4, 2) X(8, 2)
#else
#if defined(CNN_VECTOR_AVX2)
#define TILES(X) TILES_TO_6(X, 1) TILES_TO_6(X, 2)
#define POOL_TILES(X) X(4, 1) X(4, 2)
#else
#define TILES(X) TILES_TO_4(X, 1)
#define POOL_TILES(X) X(4, 1)
#endif
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

#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_AVX2)

/* The usual tile, whose sums never leave registers. */
static void byte_tile(const cnn_int8_gemm *p, int64_t row)
{
    vi sum[MAX_ROWS][MAX_VECTORS];
    sum_tile(p, row, (tile_shape){ MAX_ROWS, MAX_VECTORS, false }, sum);
    const cnn_int8_result result = p->result; /* a copy, which stores of bytes can't change */
    const byte_range range = byte_range_of(&result);
    const vf scale[MAX_VECTORS] = { vf_load(result.scale), vf_load(result.scale + VF_WIDTH) };
    const ptrdiff_t *to = p->indirection.outputs + row;
    UNROLLED (r, MAX_ROWS / 2)
        vb_store_halves(result.bytes + to[2 * r], result.bytes + to[2 * r + 1],
                        finish_rows_of_two(&range, scale, &sum[2 * r]));
}

static bool has_byte_tiles(const cnn_int8_gemm *p)
{
    return !p->pool && !p->result.sums && kind_of(&p->result) == RESULT_BYTES && p->columns == MAX_VECTORS * VF_WIDTH;
}

#else

static const tile_function byte_tile = NULL;

static bool has_byte_tiles(const cnn_int8_gemm *p)
{
    (void)p;
    return false;
}

#endif

/* The last two tiles are as equal in height as can be, for latency slows a low one. */
static void multiply(const cnn_int8_gemm *p)
{
    int64_t vectors = (p->columns + VF_WIDTH - 1) / VF_WIDTH, unit = p->pool ? POOL : 1;
    const tile_function *table = p->pool ? pool_tiles[vectors - 1] : tiles[vectors - 1];
    int64_t units = p->rows / unit, most = MAX_ROWS / unit, unit_at = 0;
    tile_function whole = has_byte_tiles(p) ? byte_tile : table[most - 1];
    for (; units - unit_at >= 2 * most; unit_at += most)
        whole(p, unit_at * unit);
    for (int64_t left = units - unit_at, height; left > 0; left -= height, unit_at += height) {
        height = left > most ? (left + 1) / 2 : left;
        (height == most ? whole : table[height - 1])(p, unit_at * unit);
    }
}

const cnn_int8_gemm_kernels CNN_FOR_ISA(cnn_int8_gemm_kernels) = {
    .width = VF_WIDTH,
    .columns = MAX_VECTORS * VF_WIDTH,
    .group = GROUP,
    .group_bytes = GROUP_BYTES,
#if defined(__ARM_FEATURE_DOTPROD) && !defined(__ARM_FEATURE_MATMUL_INT8)
    .signed_input = true,
#endif
    .multiply = multiply,
    .multiply_row = multiply_row,
    .takes_bytes = TAKES_BYTES,
    .widen_weights = GROUP == 2 ? widen_weights : NULL,
};
