/* Products of matrices, a tile of the result at a time, all of it in registers: for each step of the sum V vectors of b
 * are loaded, and multiplied by R broadcast values of a. R and V are such that the registers suffice and loads don't
 * limit: R * V multiplications against R + V loads. */
#include "kernels/gemm/gemm.h"
#include "simd/vector.h"

enum { MAX_VECTORS = VF_REGISTERS == 32 ? 4 : 2, MAX_ROWS = 8 };

/* Rows of b: of few images the weights come from memory, and the processor by itself fetches too few at a time. */
enum { FETCH_AHEAD = 32 };

/* Rows of a tile that is `vectors` wide. */
static int64_t tile_rows(int64_t vectors)
{
    return vectors == MAX_VECTORS ? 6 : MAX_ROWS;
}

typedef struct tile_shape {
    int rows, vectors;
    bool ragged;    /* the last vector is not whole, */
    bool bf16_dot;  /* as of the product */
    size_t columns; /* in all there are so many */
} tile_shape;

/* Of vector `v` of a row of the tile. */
ALWAYS_INLINE vf load_columns(tile_shape s, int v, const float *row)
{
    bool whole = !s.ragged || v < s.vectors - 1;
    return whole ? vf_load(row + v * VF_WIDTH) : vf_load_partial(row + v * VF_WIDTH, s.columns - v * VF_WIDTH);
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

ALWAYS_INLINE vf multiply_add(bool bf16_dot, vf factor, vf terms, vf sum)
{
#if defined(VF_HAS_BF16_DOT)
    if (bf16_dot)
        return vf_bf16_dot(factor, terms, sum);
#endif
    (void)bf16_dot;
    return vf_fmadd(factor, terms, sum);
}

/* What is brought into the caches while a tile is computed, for each term a vector at `from`, and `step` further for
 * the next: of b itself, or a tile's share of what is wanted after it, which all at once would take as long as several
 * tiles. */
typedef struct prefetch {
    const float *from;
    ptrdiff_t step;
} prefetch;

static prefetch choose_prefetch(const cnn_gemm *p, int64_t tile, int64_t vectors)
{
    if (p->next && tile < vectors)
        return (prefetch){ p->next + tile * p->outer * p->inner * VF_WIDTH, VF_WIDTH };
    return (prefetch){ p->b + FETCH_AHEAD * p->b_stride, p->b_stride };
}

ALWAYS_INLINE void multiply_tile(const cnn_gemm *p, int64_t row, prefetch fetch, tile_shape s)
{
    vf sum[MAX_ROWS][MAX_VECTORS];
    begin_tile(p, row, s, sum);
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
            UNROLLED (r, s.rows) {
                vf factor = vf_broadcast(a[r][k]);
                UNROLLED (v, s.vectors)
                    sum[r][v] = multiply_add(s.bf16_dot, factor, terms[v], sum[r][v]);
            }
        }
    }
    end_tile(p, row, s, sum);
}

typedef void (*tile_function)(const cnn_gemm *p, int64_t row, prefetch fetch);

#define TILE_OF(R, V, BF16_DOT, NAME)                                                            \
    static void NAME(const cnn_gemm *p, int64_t row, prefetch fetch)                             \
    {                                                                                            \
        multiply_tile(p, row, fetch, (tile_shape){ R, V, false, BF16_DOT, (size_t)p->columns }); \
    }                                                                                            \
    static void NAME##_ragged(const cnn_gemm *p, int64_t row, prefetch fetch)                    \
    {                                                                                            \
        multiply_tile(p, row, fetch, (tile_shape){ R, V, true, BF16_DOT, (size_t)p->columns });  \
    }

/* An instruction set with pairs has those here, and takes the rest from the one below it. */
#if defined(VF_HAS_BF16_DOT)
#define TILE(R, V) TILE_OF(R, V, true, tile_##R##x##V)
#else
#define TILE(R, V) TILE_OF(R, V, false, tile_##R##x##V)
#endif

#define TILES_TO_6(V) TILE(1, V) TILE(2, V) TILE(3, V) TILE(4, V) TILE(5, V) TILE(6, V)
#define TILES_TO_8(V) TILES_TO_6(V) TILE(7, V) TILE(8, V)

#define NAMES_TO_6(T, V, S) T##_1x##V##S, T##_2x##V##S, T##_3x##V##S, T##_4x##V##S, T##_5x##V##S, T##_6x##V##S
#define NAMES_TO_8(T, V, S) NAMES_TO_6(T, V, S), T##_7x##V##S, T##_8x##V##S

TILES_TO_8(1)
#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON)
TILES_TO_8(2)
TILES_TO_8(3)
TILES_TO_6(4)
#else
TILES_TO_6(2)
#endif

#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_NEON)
#define NAMES(T, S)                                                                \
    {                                                                              \
        { NAMES_TO_8(T, 1, S) }, { NAMES_TO_8(T, 2, S) }, { NAMES_TO_8(T, 3, S) }, \
        {                                                                          \
            NAMES_TO_6(T, 4, S)                                                    \
        }                                                                          \
    }
#else
#define NAMES(T, S)              \
    {                            \
        { NAMES_TO_8(T, 1, S) }, \
        {                        \
            NAMES_TO_6(T, 2, S)  \
        }                        \
    }
#endif

/* By raggedness, vectors and rows. */
typedef tile_function tile_table[2][MAX_VECTORS][MAX_ROWS];

static const tile_table tiles = { NAMES(tile, ), NAMES(tile, _ragged) };

/* Tiles as equal in height as can be, for a low one is limited by latency: the first of them are a row higher. */
static void multiply_tiles(const cnn_gemm *p)
{
    int64_t vectors = (p->columns + VF_WIDTH - 1) / VF_WIDTH;
    int64_t count = (p->rows + tile_rows(vectors) - 1) / tile_rows(vectors);
    if (count <= 0)
        return;
    int64_t height = p->rows / count, higher = p->rows % count;
    const tile_function *by_height = tiles[p->columns % VF_WIDTH != 0][vectors - 1];
    for (int64_t i = 0, row = 0; i < count; i++) {
        int64_t rows = height + (i < higher);
        by_height[rows - 1](p, row, choose_prefetch(p, i, vectors));
        row += rows;
    }
}

#if defined(VF_HAS_BF16_DOT)
const cnn_bf16_dot_kernels CNN_FOR_ISA(cnn_bf16_dot_kernels) = { .multiply = multiply_tiles };
#else
enum { CHANNEL_ROWS = 4 };

/* One vector of channels, from `column` on. */
ALWAYS_INLINE void multiply_channel_tile(const cnn_gemm *p, int64_t row, int64_t column, tile_shape s)
{
    vf first = p->bias ? load_columns(s, 0, p->bias + column) : vf_zero(), sum[CHANNEL_ROWS];
    UNROLLED (r, s.rows)
        sum[r] = p->residual ? vf_add(first, load_columns(s, 0, p->residual + p->indirection.outputs[row + r] + column))
                             : first;
    for (int64_t o = 0; o < p->outer; o++) {
        const float *a = p->a + p->indirection.taps[o] + column;
        vf factor = load_columns(s, 0, p->b + o * p->b_stride + column);
        UNROLLED (r, s.rows)
            sum[r] = vf_fmadd(load_columns(s, 0, a + p->indirection.rows[row + r]), factor, sum[r]);
    }
    vf min = vf_broadcast(p->clamp.min), max = vf_broadcast(p->clamp.max);
    UNROLLED (r, s.rows)
        store_columns(s, 0, p->c + p->indirection.outputs[row + r] + column, vf_clamp(min, max, sum[r]));
}

ALWAYS_INLINE void multiply_channel_vector(const cnn_gemm *p, int64_t column, bool ragged, size_t columns)
{
    int64_t row = 0;
    for (; row + CHANNEL_ROWS <= p->rows; row += CHANNEL_ROWS)
        multiply_channel_tile(p, row, column, (tile_shape){ CHANNEL_ROWS, 1, ragged, false, columns });
    for (; row < p->rows; row++)
        multiply_channel_tile(p, row, column, (tile_shape){ 1, 1, ragged, false, columns });
}

static void multiply_channels(const cnn_gemm *p)
{
    int64_t column = 0;
    for (; column + VF_WIDTH <= p->columns; column += VF_WIDTH)
        multiply_channel_vector(p, column, false, VF_WIDTH);
    if (column < p->columns)
        multiply_channel_vector(p, column, true, (size_t)(p->columns - column));
}

/* `s.rows` values of c, from tap `first` on, for a vector of channels. */
ALWAYS_INLINE void correlate_channel_tile(const cnn_gemm *p, int64_t first, int64_t column, tile_shape s)
{
    vf sum[MAX_ROWS];
    UNROLLED (t, s.rows)
        sum[t] = p->accumulate ? load_columns(s, 0, p->c + p->indirection.outputs[first + t] + column) : vf_zero();
    for (int64_t r = 0; r < p->rows; r++) {
        const float *a = p->a + p->indirection.rows[r] + column;
        vf factor = load_columns(s, 0, p->b + r * p->b_stride + column);
        UNROLLED (t, s.rows)
            sum[t] = vf_fmadd(load_columns(s, 0, a + p->indirection.taps[first + t]), factor, sum[t]);
    }
    UNROLLED (t, s.rows)
        store_columns(s, 0, p->c + p->indirection.outputs[first + t] + column, sum[t]);
}

ALWAYS_INLINE void correlate_channel_vector(const cnn_gemm *p, int64_t column, bool ragged, size_t columns)
{
    int64_t tap = 0;
    for (; tap + 5 <= p->outer; tap += 5)
        correlate_channel_tile(p, tap, column, (tile_shape){ 5, 1, ragged, false, columns });
    for (; tap + 3 <= p->outer; tap += 3)
        correlate_channel_tile(p, tap, column, (tile_shape){ 3, 1, ragged, false, columns });
    for (; tap < p->outer; tap++)
        correlate_channel_tile(p, tap, column, (tile_shape){ 1, 1, ragged, false, columns });
}

static void correlate_channels(const cnn_gemm *p)
{
    int64_t column = 0;
    for (; column + VF_WIDTH <= p->columns; column += VF_WIDTH)
        correlate_channel_vector(p, column, false, VF_WIDTH);
    if (column < p->columns)
        correlate_channel_vector(p, column, true, (size_t)(p->columns - column));
}

const cnn_gemm_kernels CNN_FOR_ISA(cnn_gemm_kernels) = {
    .width = VF_WIDTH,
    .columns = VF_WIDTH * MAX_VECTORS,
    .multiply = multiply_tiles,
    .multiply_channels = multiply_channels,
    .correlate_channels = correlate_channels,
};
#endif
