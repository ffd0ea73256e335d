/* A register tile of the result at a time: for each term of the sum V vectors of b are loaded, and multiplied by R
 * broadcast values of a. R and V are such that the registers suffice and multipliers, not loads, set the pace: R * V
 * multiplications against R + V loads. */
#include "kernels/gemm/gemm_tile.h"

/* With BF16, this file makes the tiles of dot products of bfloat16; those of floats are taken from plain AVX-512. */
#if defined(VF_HAS_BF16_DOT)
enum { BF16_DOT = true };
#else
enum { BF16_DOT = false };
#endif

/* Rows that cost as much as one: matrix products take pairs of them. */
#if defined(CNN_VECTOR_NEON) && defined(VF_HAS_BF16_DOT)
enum { UNIT = 2 };
#else
enum { UNIT = 1 };
#endif

/* Rows of b: of few images the weights come from memory, and the processor by itself fetches too few at a time. */
enum { FETCH_AHEAD = 32 };

/* Rows of a tile that is `vectors` wide. */
static int64_t tile_rows(int64_t vectors)
{
    return vectors == MAX_VECTORS && !VF_PLAIN ? 6 : MAX_ROWS;
}

ALWAYS_INLINE void store_columns(tile_shape s, int v, float *row, vf a)
{
    if (!s.ragged || v < s.vectors - 1)
        vf_store(row + v * VF_WIDTH, a);
    else
        vf_store_partial(row + v * VF_WIDTH, a, s.columns - v * VF_WIDTH);
}

ALWAYS_INLINE void begin_tile(const cnn_gemm *p, int64_t row, tile_shape s, vf sum[MAX_ROWS][MAX_VECTORS])
{
    float *c = p->c;
    const ptrdiff_t *outputs = p->indirection.outputs + row;
    const float *bias = p->bias;
    if (p->accumulate) {
        UNROLLED (r, s.rows)
            UNROLLED (v, s.vectors)
                sum[r][v] = load_columns(s, v, c + outputs[r]);
        return;
    }
    UNROLLED (v, s.vectors) {
        vf first = bias ? load_columns(s, v, bias) : vf_zero();
        UNROLLED (r, s.rows)
            sum[r][v] = first;
    }
    if (p->residual)
        UNROLLED (r, s.rows)
            UNROLLED (v, s.vectors)
                sum[r][v] = vf_add(sum[r][v], load_columns(s, v, p->residual + outputs[r]));
}

ALWAYS_INLINE void end_tile(const cnn_gemm *p, int64_t row, tile_shape s, vf sum[MAX_ROWS][MAX_VECTORS])
{
    vf min = vf_broadcast(p->clamp.min), max = vf_broadcast(p->clamp.max);
    float *c = p->c;
    const ptrdiff_t *outputs = p->indirection.outputs + row;
    UNROLLED (r, s.rows)
        UNROLLED (v, s.vectors) /* with arguments in this order NaN passes */
            store_columns(s, v, c + outputs[r], vf_clamp(min, max, sum[r][v]));
}

/* For a tile's row: each column's term times the factor that is the row's. */
ALWAYS_INLINE void add_row(tile_shape s, const float *factor, const vf terms[MAX_VECTORS], vf sum[MAX_VECTORS])
{
#if defined(VF_HAS_BF16_DOT)
    if (s.bf16_dot) {
        vf_bf16_pair pair = vf_bf16_load_pair(factor);
        UNROLLED (v, s.vectors)
            sum[v] = vf_bf16_dot_pair(pair, terms[v], sum[v]);
        return;
    }
#endif
    vf all = vf_broadcast(*factor);
    UNROLLED (v, s.vectors)
        sum[v] = vf_fmadd(all, terms[v], sum[v]);
}

static prefetch choose_prefetch(const cnn_gemm *p, int64_t tile, int64_t vectors)
{
    if (p->next && tile < vectors)
        return (prefetch){ p->next + tile * p->outer * p->inner * VF_WIDTH, VF_WIDTH };
    return (prefetch){ p->b + FETCH_AHEAD * p->b_stride, p->b_stride };
}

/* Adds all terms of the sum. */
ALWAYS_INLINE void add_terms(const cnn_gemm *p, int64_t row, prefetch fetch, tile_shape s,
                             vf sum[MAX_ROWS][MAX_VECTORS])
{
    const float *b = p->b;
    const ptrdiff_t a_stride = p->a_stride, b_stride = p->b_stride, end = p->inner * p->a_stride;
    for (int64_t o = 0; o < p->outer; o++) {
        const float *a[MAX_ROWS];
        UNROLLED (r, s.rows)
            a[r] = p->a + p->indirection.taps[o] + p->indirection.rows[row + r];
        for (ptrdiff_t k = 0; k != end; k += a_stride, b += b_stride) {
            vf terms[MAX_VECTORS];
            UNROLLED (v, s.vectors)
                terms[v] = load_columns(s, v, b);
            __builtin_prefetch(fetch.from, 0, 3);
            fetch.from += fetch.step;
            UNROLLED (v, s.vectors - 1)
                __builtin_prefetch(b + (v + 1) * VF_WIDTH + FETCH_AHEAD * b_stride, 0, 3);
            UNROLLED (r, s.rows)
                add_row(s, a[r] + k, terms, sum[r]);
        }
    }
}

#if defined(CNN_VECTOR_NEON) && defined(VF_HAS_BF16_DOT)
#include "kernels/gemm/bf16_gemm_neon.h"
#endif

ALWAYS_INLINE void multiply_tile(const cnn_gemm *p, int64_t row, prefetch fetch, tile_shape s)
{
    vf sum[MAX_ROWS][MAX_VECTORS];
    begin_tile(p, row, s, sum);
#if defined(CNN_VECTOR_NEON) && defined(VF_HAS_BF16_DOT)
    if (p->a_stride == 1)
        add_terms_by_squares(p, row, fetch, s, sum);
    else
#endif
        add_terms(p, row, fetch, s, sum);
    end_tile(p, row, s, sum);
}

typedef void (*tile_function)(const cnn_gemm *p, int64_t row, prefetch fetch);

/* clang-format off */
/* All register tiles: X(rows, vectors). */
#define TILES_TO_4(X, V) X(1, V) X(2, V) X(3, V) X(4, V)
#define TILES_TO_6(X, V) TILES_TO_4(X, V) X(5, V) X(6, V)
#define TILES_TO_8(X, V) TILES_TO_6(X, V) X(7, V) X(8, V)
#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON) /* 32 registers */
#define TILES(X) TILES_TO_8(X, 1) TILES_TO_8(X, 2) TILES_TO_8(X, 3) TILES_TO_6(X, 4)
#elif defined(CNN_VECTOR_AVX2)
#define TILES(X) TILES_TO_8(X, 1) TILES_TO_6(X, 2)
#else
#define TILES(X) TILES_TO_4(X, 1) TILES_TO_4(X, 2)
#endif

#define DEFINE_TILE(R, V)                                                                        \
    static void tile_##R##x##V(const cnn_gemm *p, int64_t row, prefetch fetch)                   \
    {                                                                                            \
        multiply_tile(p, row, fetch, (tile_shape){ R, V, false, BF16_DOT, (size_t)p->columns }); \
    }                                                                                            \
    static void ragged_tile_##R##x##V(const cnn_gemm *p, int64_t row, prefetch fetch)            \
    {                                                                                            \
        multiply_tile(p, row, fetch, (tile_shape){ R, V, true, BF16_DOT, (size_t)p->columns });  \
    }

TILES(DEFINE_TILE)

/* By raggedness, vectors and rows. */
#define TILE(R, V) [(V)-1][(R)-1] = tile_##R##x##V,
#define RAGGED_TILE(R, V) [(V)-1][(R)-1] = ragged_tile_##R##x##V,
static const tile_function tiles[2][MAX_VECTORS][MAX_ROWS] = { { TILES(TILE) }, { TILES(RAGGED_TILE) } };
/* clang-format on */

/* Tiles as equal in height as can be, for latency slows a low one: the first of them are a unit higher. */
static void multiply_tiles(const cnn_gemm *p)
{
    int64_t vectors = (p->columns + VF_WIDTH - 1) / VF_WIDTH;
    int64_t units = (p->rows + UNIT - 1) / UNIT, most = tile_rows(vectors) / UNIT, count = (units + most - 1) / most;
    if (count <= 0)
        return;
    int64_t height = units / count, higher = units % count;
    const tile_function *by_height = tiles[p->columns % VF_WIDTH != 0][vectors - 1];
    for (int64_t i = 0, row = 0; i < count; i++) {
        int64_t rows = UNIT * (height + (i < higher));
        if (rows > p->rows - row)
            rows = p->rows - row;
        by_height[rows - 1](p, row, choose_prefetch(p, i, vectors));
        row += rows;
    }
}

#if defined(VF_HAS_BF16_DOT)
const cnn_bf16_dot_kernels CNN_FOR_ISA(cnn_bf16_dot_kernels) = { .multiply = multiply_tiles };
#else
const cnn_gemm_kernels CNN_FOR_ISA(cnn_gemm_kernels) = {
    .width = VF_WIDTH,
    .columns = VF_WIDTH * MAX_VECTORS,
    .multiply = multiply_tiles,
};
#endif
