#include "kernels/int8/int8_winograd.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/tasks.h"

enum {
    TILE = 2,             /* results of a tile, down and across */
    WINDOW = TILE + 2,    /* of the input, which it needs */
    BLOCK_TILES = 24,     /* of one task */
    MIN_BLOCK_TILES = 12, /* fewer leave too little work to a panel of weights */
    SHIFT = 32            /* numbers between matrices: else the same element of all would fall on one cache set */
};

/* G g G^T, where the rows of G are 2 0 0, 1 1 1, 1 -1 1 and 0 0 2. */
void cnn_int8_winograd_weights(const int8_t *taps, ptrdiff_t stride, int16_t transformed[CNN_INT8_WINOGRAD_MATRICES])
{
    int rows[WINDOW][3];
    for (int u = 0; u < 3; u++) {
        const int8_t *g = taps + u * stride;
        int outer = g[0] + g[6 * stride], inner = g[3 * stride];
        rows[0][u] = 2 * g[0];
        rows[1][u] = outer + inner;
        rows[2][u] = outer - inner;
        rows[3][u] = 2 * g[6 * stride];
    }
    for (int i = 0; i < WINDOW; i++, transformed += WINDOW) {
        int outer = rows[i][0] + rows[i][2], inner = rows[i][1];
        transformed[0] = (int16_t)(2 * rows[i][0]);
        transformed[1] = (int16_t)(outer + inner);
        transformed[2] = (int16_t)(outer - inner);
        transformed[3] = (int16_t)(2 * rows[i][2]);
    }
}

typedef struct plan {
    cnn_int8_layout layout;
    cnn_conv_problem problem;         /* without the part of the result that no whole pooling window holds */
    int64_t across, per_image, tiles; /* tiles in a row of them, in an image, in all */
    int64_t blocks, block_tiles;      /* of tiles, and most tiles in one */
    int64_t panels, panel_groups;     /* of columns, and groups of panels that are tasks apart */
    int64_t block_columns;
    ptrdiff_t source_stride, product_stride; /* between matrices of a block */
    size_t tables_bytes, zeros_bytes;        /* for all threads */
    size_t rows_bytes, window_bytes, source_bytes, product_bytes, sum_bytes, worker_bytes;
} plan;

static void plan_blocks(plan *p, int64_t enough)
{
    p->blocks = cnn_divide_up(p->tiles, BLOCK_TILES);
    if (p->blocks < enough) {
        int64_t most = cnn_at_least_1(p->tiles / MIN_BLOCK_TILES);
        p->blocks = cnn_lesser(most, cnn_divide_up(p->blocks, 4) * 4);
    }
    p->block_tiles = cnn_divide_up(p->tiles, p->blocks);
    p->panels = cnn_divide_up(p->layout.columns, CNN_INT8_PANEL);
    p->panel_groups = cnn_lesser(p->panels, cnn_divide_up(enough / 2, p->blocks));
}

static void plan_memory(plan *p, int64_t channels)
{
    size_t results = (size_t)(TILE * TILE * p->block_tiles);
    p->source_stride = p->block_tiles * channels + SHIFT;
    p->product_stride = p->block_tiles * p->block_columns + SHIFT;
    p->tables_bytes = cnn_indirection_bytes(p->block_tiles, p->layout.inner);
    p->zeros_bytes = cnn_round_up((size_t)p->block_columns * sizeof(int32_t), 64);
    p->rows_bytes = cnn_round_up(results * (sizeof(ptrdiff_t) + sizeof(int32_t)), 64);
    p->window_bytes = cnn_round_up((size_t)(WINDOW * WINDOW * channels), 64);
    p->source_bytes = cnn_round_up(CNN_INT8_WINOGRAD_MATRICES * (size_t)p->source_stride * sizeof(int16_t), 64);
    p->product_bytes = cnn_round_up(CNN_INT8_WINOGRAD_MATRICES * (size_t)p->product_stride * sizeof(int32_t), 64);
    p->sum_bytes = cnn_round_up((results + 1) * (size_t)p->block_columns * sizeof(int32_t), 64);
    p->worker_bytes = p->rows_bytes + p->window_bytes + p->source_bytes + p->product_bytes + p->sum_bytes;
}

static plan plan_make(cnn_context *context, const cnn_conv_shape *s, bool pool)
{
    const cnn_kernels *kernels = cnn_kernels_get(context);
    plan p = { .layout = cnn_int8_layout_make(kernels, s),
               .problem = cnn_conv_problem_of(s),
               .block_columns = kernels->int8_gemm->columns };
    if (pool) {
        p.problem.height -= p.problem.height % TILE;
        p.problem.width -= p.problem.width % TILE;
    }
    p.across = cnn_divide_up(p.problem.width, TILE);
    p.per_image = p.across * cnn_divide_up(p.problem.height, TILE);
    p.tiles = s->batch * p.per_image;
    plan_blocks(&p, cnn_enough_tasks(cnn_context_threads(context)));
    plan_memory(&p, s->in_channels);
    return p;
}

size_t cnn_int8_winograd_workspace(cnn_context *context, const cnn_conv_shape *shape, bool pool)
{
    plan p = plan_make(context, shape, pool);
    return p.tables_bytes + p.zeros_bytes + cnn_context_threads(context) * p.worker_bytes;
}

typedef struct job {
    const cnn_int8_winograd_call *call;
    const plan *plan;
    const cnn_kernels *kernels;
    cnn_indirection indirection; /* of the products' gemm */
    const int32_t *zeros;        /* its biases */
    char *scratch;
} job;

/* A task's tiles, and its worker's scratch memory. */
typedef struct block {
    int64_t first, last;
    int64_t rows;       /* results, after pooling, that are wanted */
    ptrdiff_t *outputs; /* of each row */
    int32_t *places;    /* of each tile's four results: the row; of those that aren't wanted: the row behind the last */
    uint8_t *window;
    int16_t *source;
    int32_t *products, *sums;
} block;

typedef struct place {
    int64_t image, y, x; /* of a tile's first pixel */
} place;

static place locate_tile(const plan *p, int64_t tile)
{
    int64_t within = tile % p->per_image;
    return (place){ tile / p->per_image, within / p->across * TILE, within % p->across * TILE };
}

/* Gives the results of a block's tiles their rows. */
static void fill_rows(const job *j, block *b)
{
    const plan *p = j->plan;
    const cnn_conv_problem *s = &p->problem;
    int64_t unit = j->call->pool ? TILE : 1, width = s->width / unit, height = s->height / unit;
    int32_t *places = b->places;
    for (int64_t tile = b->first; tile < b->last; tile++)
        for (int i = 0; i < TILE * TILE; i++, places++) {
            place at = locate_tile(p, tile);
            int64_t y = at.y + i / TILE, x = at.x + i % TILE;
            bool wanted = j->call->pool ? i == 0 : y < s->height && x < s->width;
            *places = (int32_t)(wanted ? b->rows : TILE * TILE * p->block_tiles);
            if (wanted)
                b->outputs[b->rows++] = ((at.image * height + y / unit) * width + x / unit) * s->channels;
        }
}

/* The part of the input that a tile needs: in place, or copied with what is around the image. */
static const uint8_t *find_window(const job *j, const block *b, place at, ptrdiff_t *row_stride)
{
    const cnn_conv_shape *s = j->call->shape;
    int64_t channels = s->in_channels, top = at.y - s->pad_top, left = at.x - s->pad_left;
    const uint8_t *image = j->call->input + at.image * s->in_height * s->in_width * channels;
    if (top >= 0 && left >= 0 && top + WINDOW <= s->in_height && left + WINDOW <= s->in_width) {
        *row_stride = s->in_width * channels;
        return image + (top * s->in_width + left) * channels;
    }
    memset(b->window, j->call->zero, (size_t)(WINDOW * WINDOW * channels));
    for (int64_t y = 0; y < WINDOW; y++)
        for (int64_t x = 0; x < WINDOW; x++) {
            bool inside = top + y >= 0 && top + y < s->in_height && left + x >= 0 && left + x < s->in_width;
            if (inside)
                memcpy(b->window + (y * WINDOW + x) * channels, image + ((top + y) * s->in_width + left + x) * channels,
                       (size_t)channels);
        }
    *row_stride = WINDOW * channels;
    return b->window;
}

static void transform_source(const job *j, const block *b)
{
    int64_t channels = j->call->shape->in_channels;
    int16_t *to = b->source;
    for (int64_t tile = b->first; tile < b->last; tile++, to += channels) {
        ptrdiff_t row_stride;
        const uint8_t *from = find_window(j, b, locate_tile(j->plan, tile), &row_stride);
        j->kernels->int8_winograd->input(from, row_stride, channels, to, j->plan->source_stride);
    }
}

/* The sums of a block of columns in all matrices. */
static void multiply_columns(const job *j, const block *b, int64_t column, int64_t columns)
{
    const plan *p = j->plan;
    const cnn_int8_gemm_kernels *kernels = j->kernels->int8_gemm;
    int64_t padded = cnn_lesser(kernels->columns, p->layout.padded - column);
    const uint8_t *packed = (const uint8_t *)j->call->packed + p->layout.weights +
                            column * CNN_INT8_WINOGRAD_MATRICES * p->layout.inner * kernels->group_bytes;
    cnn_int8_gemm gemm = { .rows = b->last - b->first,
                           .terms = p->layout.inner,
                           .columns = (int32_t)columns,
                           .indirection = j->indirection,
                           .bias = j->zeros };
    for (int i = 0; i < CNN_INT8_WINOGRAD_MATRICES; i++) {
        gemm.a = (const uint8_t *)(b->source + i * p->source_stride);
        gemm.b = packed + i * padded * p->layout.inner * kernels->group_bytes;
        gemm.result.sums = b->products + i * p->product_stride;
        kernels->multiply(&gemm);
    }
}

static void finish_columns(const job *j, const block *b, int64_t column, int64_t columns)
{
    const plan *p = j->plan;
    const char *packed = j->call->packed;
    int64_t width = j->kernels->int8_gemm->width, vectors = cnn_divide_up(columns, width), padded = vectors * width;
    const int32_t *bias = (const int32_t *)(const void *)packed + column, *places = b->places;
    for (int64_t tile = 0; tile < b->last - b->first; tile++, places += TILE * TILE) {
        int32_t *to[TILE * TILE];
        for (int i = 0; i < TILE * TILE; i++)
            to[i] = b->sums + places[i] * padded;
        j->kernels->int8_winograd->output(b->products + tile * padded, p->product_stride, padded, bias, j->call->pool,
                                          to);
    }
    cnn_int8_gemm gemm = { .columns = (int32_t)columns,
                           .indirection = { .outputs = b->outputs },
                           .result = cnn_int8_result_at(&j->call->result, column) };
    gemm.result.scale = (const float *)(const void *)(packed + p->layout.scales) + column;
    j->kernels->int8_finish->finish(&gemm, 0, (int)b->rows, (int)vectors, b->sums);
}

static void run_block(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    const plan *p = j->plan;
    int64_t index = (int64_t)task / p->panel_groups, group = (int64_t)task % p->panel_groups;
    block b = { .first = p->tiles * index / p->blocks, .last = p->tiles * (index + 1) / p->blocks };
    char *memory = j->scratch + worker * p->worker_bytes;
    b.outputs = (ptrdiff_t *)(void *)memory;
    b.places = (int32_t *)(void *)(b.outputs + TILE * TILE * p->block_tiles);
    b.window = (uint8_t *)(memory += p->rows_bytes);
    b.source = (int16_t *)(void *)(memory += p->window_bytes);
    b.products = (int32_t *)(void *)(memory += p->source_bytes);
    b.sums = (int32_t *)(void *)(memory + p->product_bytes);
    fill_rows(j, &b);
    transform_source(j, &b);
    int64_t column = p->panels * group / p->panel_groups * CNN_INT8_PANEL;
    int64_t last = cnn_lesser(p->panels * (group + 1) / p->panel_groups * CNN_INT8_PANEL, p->layout.columns);
    for (; column < last; column += p->block_columns) {
        int64_t columns = cnn_lesser(p->block_columns, last - column);
        multiply_columns(j, &b, column, columns);
        finish_columns(j, &b, column, columns);
    }
}

void cnn_int8_winograd_run(const cnn_int8_winograd_call *call, void *workspace)
{
    const cnn_kernels *kernels = cnn_kernels_get(call->context);
    plan p = plan_make(call->context, call->shape, call->pool);
    char *memory = workspace;
    job j = { .call = call,
              .plan = &p,
              .kernels = kernels,
              .indirection = cnn_indirection_at(workspace, p.block_tiles),
              .zeros = (const int32_t *)(const void *)(memory + p.tables_bytes),
              .scratch = memory + p.tables_bytes + p.zeros_bytes };
    memset(memory + p.tables_bytes, 0, p.zeros_bytes);
    for (int64_t i = 0; i < p.block_tiles; i++)
        j.indirection.rows[i] = i * call->shape->in_channels * (int64_t)sizeof(int16_t);
    for (int64_t i = 0; i < p.layout.inner; i++)
        j.indirection.taps[i] = i * kernels->int8_gemm->group_bytes;
    cnn_parallel(call->context, (size_t)(p.blocks * p.panel_groups), run_block, &j);
}
