#include "kernels/winograd/winograd.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/conv/epilogue.h"
#include "kernels/gemm/gemm_blocking.h"
#include "kernels/tasks.h"
#include "kernels/winograd/winograd_transforms.h"
#include "simd/bf16.h"

enum {
    BLOCK_TILES = 24,          /* of one task: enough to share weights that come from the third-level cache */
    BLOCK_BF16_TILES = 48,     /* the same of smaller tiles */
    MIN_BLOCK_TILES = 16,      /* fewer leave too little work to a panel of weights */
    MAX_STEP_FLOATS = 1 << 22, /* of all matrices, where all threads take one step after the other */
    PADDED_TILES = 8,          /* side by side, of which the source is copied at once */
    SHIFT = 16                 /* floats between matrices: else the same element of all would fall on one cache set */
};

typedef struct plan {
    const cnn_winograd_transforms *transforms;
    int64_t tile, matrices;
    int64_t across, per_image, tiles;        /* tiles in a row of them, in an image, in all */
    int64_t blocks, block_tiles;             /* of tiles, and most tiles in one */
    int64_t panels, panel_groups;            /* of columns, and groups of panels that are tasks apart */
    bool in_steps;                           /* of few tiles, for many threads: see run_in_steps */
    int64_t window;                          /* of pooling that is done by tile: 2, or 1 for none */
    bool pools_later;                        /* windows that don't divide tiles: the whole map is made, then pooled */
    ptrdiff_t source_stride, product_stride; /* between matrices of a block */
    int64_t padded_floats, source_floats, product_floats, map_floats;
    size_t tables_bytes, map_bytes, shared_bytes, worker_bytes;
} plan;

/* Into equal blocks, of a number that threads share evenly. */
static void plan_blocks(plan *p, const cnn_conv_problem *s, uint32_t threads)
{
    int64_t most_tiles = s->bf16_dot ? BLOCK_BF16_TILES : BLOCK_TILES, enough = cnn_enough_tasks(threads);
    bool many = threads > CNN_FEW_THREADS;
    p->blocks = cnn_divide_up(p->tiles, most_tiles);
    if (p->blocks < enough) {
        int64_t most = cnn_at_least_1(p->tiles / MIN_BLOCK_TILES), even = many ? threads : CNN_FEW_THREADS;
        p->blocks = cnn_lesser(most, cnn_divide_up(p->blocks, even) * even);
    }
    p->panels = cnn_divide_up(s->channels, CNN_PANEL);
    p->panel_groups = cnn_lesser(p->panels, cnn_divide_up(enough / 2, p->blocks));
    int64_t floats = p->matrices * p->tiles * (s->source_channels + p->panels * CNN_PANEL);
    p->in_steps = many && p->blocks < threads && floats <= MAX_STEP_FLOATS;
    if (p->in_steps)
        p->blocks = 1;
    p->block_tiles = cnn_divide_up(p->tiles, p->blocks);
}

static void plan_memory(plan *p, const cnn_conv_problem *s)
{
    p->source_stride = p->block_tiles * s->source_channels + SHIFT;
    p->product_stride = p->block_tiles * CNN_PANEL + SHIFT;
    int64_t padded_tiles = cnn_lesser(p->across, PADDED_TILES);
    p->padded_floats =
        (int64_t)cnn_round_up((size_t)((p->tile + 2) * (padded_tiles * p->tile + 2) * s->source_channels), SHIFT);
    p->source_floats = (int64_t)cnn_round_up((size_t)(p->matrices * p->source_stride), SHIFT);
    p->product_floats = p->matrices * p->product_stride;
    p->map_floats = p->pools_later ? s->batch * s->height * s->width * s->channels : 0;
    p->tables_bytes = cnn_indirection_bytes(p->block_tiles, 1);
    p->map_bytes = cnn_round_up((size_t)p->map_floats * sizeof(float), 64);
    int64_t block_floats = p->source_floats + p->product_floats * (p->in_steps ? p->panels : 1);
    p->shared_bytes = p->in_steps ? (size_t)block_floats * sizeof(float) : 0;
    p->worker_bytes = (size_t)(p->padded_floats + (p->in_steps ? 0 : block_floats)) * sizeof(float);
}

static plan plan_make(const cnn_conv_call *call)
{
    const cnn_conv_problem *s = &call->problem;
    plan p = { .tile = cnn_winograd_tile(s) == 2 ? 2 : 4, .window = 1 }; /* asked only where Winograd is used */
    p.transforms = cnn_winograd_transforms_of(cnn_kernels_get(call->context), s);
    p.matrices = (p.tile + 2) * (p.tile + 2);
    p.across = cnn_divide_up(s->width, p.tile);
    p.per_image = p.across * cnn_divide_up(s->height, p.tile);
    p.tiles = s->batch * p.per_image;
    if (call->pool[0] == 2 && call->pool[1] == 2)
        p.window = 2;
    else
        p.pools_later = call->pool[0] != 0;
    plan_blocks(&p, s, cnn_context_threads(call->context));
    plan_memory(&p, s);
    return p;
}

size_t cnn_winograd_workspace(const cnn_conv_call *call)
{
    plan p = plan_make(call);
    return p.tables_bytes + p.map_bytes + p.shared_bytes + cnn_context_threads(call->context) * p.worker_bytes;
}

typedef struct job {
    const cnn_conv_call *call;
    const plan *plan;
    const cnn_kernels *kernels;
    cnn_indirection indirection;
    float *map;
    float *shared; /* all sources, and products of each panel, if in steps */
    unsigned char *scratch;
    void *to; /* what tiles are written to */
    cnn_pixel_strides strides;
    bool bf16;
    cnn_clamp clamp;
} job;

/* A task's tiles, and its worker's scratch memory. */
typedef struct block {
    int64_t first, last;
    float *padded, *source, *products;
} block;

typedef struct place {
    int64_t image, y, x; /* of a tile's first pixel */
} place;

static place locate_tile(const plan *p, int64_t tile)
{
    int64_t within = tile % p->per_image;
    return (place){ tile / p->per_image, within / p->across * p->tile, within % p->across * p->tile };
}

/* The source of `count` tiles side by side: in place, or copied with zeros around the image. */
static const float *prepare_source(const job *j, const block *b, place at, int64_t count, ptrdiff_t *row_stride)
{
    const cnn_conv_call *call = j->call;
    const cnn_conv_problem *s = &call->problem;
    cnn_padded_tile padded = { .image = at.image,
                               .top = s->origin[0] + at.y,
                               .left = s->origin[1] + at.x,
                               .rows = j->plan->tile + 2,
                               .columns = count * j->plan->tile + 2,
                               .channels = call->source.channels,
                               .pixel_stride = call->source.channels,
                               .bf16 = s->bf16_dot };
    if (!call->source.gradient && s->source_bf16 == s->bf16_dot && padded.top >= 0 && padded.left >= 0 &&
        padded.top + padded.rows <= s->source_height && padded.left + padded.columns <= s->source_width) {
        *row_stride = s->source_width * s->source_channels;
        return (const float *)call->source.image +
               ((at.image * s->source_height + padded.top) * s->source_width + padded.left) * s->source_channels;
    }
    *row_stride = padded.columns * s->source_channels;
    cnn_padded_tile_fill(&call->source, &padded, b->padded);
    return b->padded;
}

static void transform_source(const job *j, const block *b)
{
    const plan *p = j->plan;
    int64_t channels = j->call->problem.source_channels, count;
    for (int64_t tile = b->first; tile < b->last; tile += count) {
        count = cnn_lesser(cnn_lesser(PADDED_TILES, b->last - tile), p->across - tile % p->across);
        ptrdiff_t row_stride;
        const float *from = prepare_source(j, b, locate_tile(p, tile), count, &row_stride);
        p->transforms->input(from, row_stride, channels, count, b->source + (tile - b->first) * channels,
                             p->source_stride);
    }
}

/* Some of the matrices. */
static void multiply_panel(const job *j, const block *b, int64_t column, int64_t columns, int64_t first, int64_t last)
{
    const plan *p = j->plan;
    const cnn_conv_problem *s = &j->call->problem;
    cnn_gemm gemm = { .bf16_dot = s->bf16_dot,
                      .rows = b->last - b->first,
                      .columns = columns,
                      .outer = 1,
                      .inner = s->source_channels,
                      .indirection = j->indirection,
                      .a_stride = 1,
                      .clamp = CNN_NO_CLAMP };
    const cnn_gemm_packed layout = { .terms = s->source_channels, .columns = columns };
    int64_t weights = cnn_winograd_panel_stride(j->kernels, s, column);
    const float *packed = j->call->packed + p->matrices * s->source_channels * column;
    for (int64_t i = first; i < last; i++) {
        gemm.a = b->source + i * p->source_stride;
        gemm.b = packed + i * weights;
        gemm.c = b->products + i * p->product_stride;
        cnn_gemm_run_packed(j->kernels, &gemm, &layout);
    }
}

static int64_t offset_of_tile(const job *j, int64_t tile)
{
    place at = locate_tile(j->plan, tile);
    int64_t window = j->plan->window;
    return cnn_pixel_offset(j->strides, at.image, at.y / window, at.x / window);
}

/* What is added to a tile lies in pieces too short for the processor to guess the next. */
static void fetch_residual(const job *j, int64_t tile, int64_t column, int64_t columns)
{
    const cnn_conv_problem *s = &j->call->problem;
    place at = locate_tile(j->plan, tile);
    const float *from = j->call->residual + offset_of_tile(j, tile) + column;
    int64_t rows = cnn_lesser(j->plan->tile, s->height - at.y), pixels = cnn_lesser(j->plan->tile, s->width - at.x);
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < pixels; x++)
            for (int64_t c = 0; c < columns; c += 64 / (int64_t)sizeof(float))
                __builtin_prefetch(from + cnn_pixel_offset(j->strides, 0, y, x) + c);
}

static void transform_products(const job *j, const block *b, int64_t column, int64_t columns)
{
    const plan *p = j->plan;
    const cnn_conv_problem *s = &j->call->problem;
    cnn_winograd_output output = { .matrix_stride = p->product_stride,
                                   .bias = j->call->bias ? j->call->bias + column : NULL,
                                   .clamp = j->clamp,
                                   .pools = p->window == 2,
                                   .channels = columns,
                                   .row_stride = j->strides.row,
                                   .pixel_stride = j->strides.pixel,
                                   .bf16 = j->bf16 };
    int64_t bytes = j->bf16 ? sizeof(cnn_bf16) : sizeof(float);
    for (int64_t tile = b->first; tile < b->last; tile++) {
        place at = locate_tile(p, tile);
        int64_t to = offset_of_tile(j, tile) + column;
        if (j->call->residual && tile + 1 < b->last)
            fetch_residual(j, tile + 1, column, columns);
        output.products = b->products + (tile - b->first) * CNN_PANEL;
        output.rows = s->height - at.y;
        output.columns = s->width - at.x;
        output.to = (char *)j->to + to * bytes;
        output.residual = j->call->residual ? j->call->residual + to : NULL;
        output.argmax = output.pools && j->call->argmax ? j->call->argmax + to : NULL;
        p->transforms->output(&output);
    }
}

static void run_block(void *argument, size_t task, uint32_t worker)
{
    const job *j = argument;
    const plan *p = j->plan;
    int64_t index = (int64_t)task / p->panel_groups, group = (int64_t)task % p->panel_groups;
    block b = { .first = p->tiles * index / p->blocks, .last = p->tiles * (index + 1) / p->blocks };
    b.padded = (float *)(void *)(j->scratch + worker * p->worker_bytes);
    b.source = b.padded + p->padded_floats;
    b.products = b.source + p->source_floats;
    transform_source(j, &b);
    int64_t panel = p->panels * group / p->panel_groups, last = p->panels * (group + 1) / p->panel_groups;
    for (; panel < last; panel++) {
        int64_t column = panel * CNN_PANEL, columns = cnn_lesser(CNN_PANEL, j->call->problem.channels - column);
        multiply_panel(j, &b, column, columns, 0, p->matrices);
        transform_products(j, &b, column, columns);
    }
}

/* All tiles of a small result fit into few blocks. Many threads then take all of it through one step after the other:
 * sources by tile, products by panel and matrix, results by tile and panel. */

static void transform_one_source(void *argument, size_t tile, uint32_t worker)
{
    const job *j = argument;
    block b = { .first = (int64_t)tile,
                .last = (int64_t)tile + 1,
                .padded = (float *)(void *)(j->scratch + worker * j->plan->worker_bytes),
                .source = j->shared + (int64_t)tile * j->call->problem.source_channels };
    transform_source(j, &b);
}

static float *panel_products(const job *j, int64_t panel)
{
    return j->shared + j->plan->source_floats + panel * j->plan->product_floats;
}

static void multiply_one_matrix(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    int64_t panel = (int64_t)task / j->plan->matrices, matrix = (int64_t)task % j->plan->matrices;
    int64_t column = panel * CNN_PANEL, columns = cnn_lesser(CNN_PANEL, j->call->problem.channels - column);
    block b = { .last = j->plan->tiles, .source = j->shared, .products = panel_products(j, panel) };
    multiply_panel(j, &b, column, columns, matrix, matrix + 1);
}

static void transform_one_result(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    int64_t panel = (int64_t)task / j->plan->tiles, tile = (int64_t)task % j->plan->tiles;
    int64_t column = panel * CNN_PANEL, columns = cnn_lesser(CNN_PANEL, j->call->problem.channels - column);
    block b = { .first = tile, .last = tile + 1, .products = panel_products(j, panel) + tile * CNN_PANEL };
    transform_products(j, &b, column, columns);
}

static void run_in_steps(job *j)
{
    const plan *p = j->plan;
    cnn_context *context = j->call->context;
    cnn_parallel(context, (size_t)p->tiles, transform_one_source, j);
    cnn_parallel(context, (size_t)(p->panels * p->matrices), multiply_one_matrix, j);
    cnn_parallel(context, (size_t)(p->panels * p->tiles), transform_one_result, j);
}

/* A row of the pooled map. */
static void pool_row(void *argument, size_t row, uint32_t worker)
{
    (void)worker;
    const job *j = argument;
    const cnn_conv_call *call = j->call;
    const cnn_conv_problem *s = &call->problem;
    int64_t width = s->width / call->pool[1], to = (int64_t)row * width * s->channels;
    cnn_pooling pooling = { .from = j->map + (int64_t)row * call->pool[0] * j->strides.row,
                            .row_stride = s->width,
                            .pixel_stride = s->channels,
                            .window = { call->pool[0], call->pool[1] },
                            .pixels = width,
                            .channels = s->channels,
                            .clamp = call->clamp,
                            .to = (char *)call->result +
                                  to * (int64_t)(s->result_bf16 ? sizeof(cnn_bf16) : sizeof(float)),
                            .bf16 = s->result_bf16,
                            .argmax = call->argmax ? call->argmax + to : NULL,
                            .to_stride = s->channels };
    j->kernels->epilogue->pool(&pooling);
}

static void set_target(job *j)
{
    const cnn_conv_call *call = j->call;
    const cnn_conv_problem *s = &call->problem;
    const plan *p = j->plan;
    bool dense = p->pools_later || p->window == 2;
    j->to = p->pools_later ? j->map : call->result;
    j->bf16 = s->result_bf16 && !p->pools_later;
    j->clamp = p->pools_later ? CNN_NO_CLAMP : call->clamp;
    int64_t row = s->width / p->window * s->channels;
    j->strides = dense ? (cnn_pixel_strides){ s->channels, row, s->height / p->window * row } : call->strides;
}

void cnn_winograd_run(const cnn_conv_call *call, void *workspace)
{
    const cnn_conv_problem *s = &call->problem;
    plan p = plan_make(call);
    unsigned char *memory = workspace;
    job j = { .call = call,
              .plan = &p,
              .kernels = cnn_kernels_get(call->context),
              .indirection = cnn_indirection_at(workspace, p.block_tiles),
              .map = (float *)(void *)(memory + p.tables_bytes),
              .shared = (float *)(void *)(memory + p.tables_bytes + p.map_bytes),
              .scratch = memory + p.tables_bytes + p.map_bytes + p.shared_bytes };
    j.indirection.taps[0] = 0;
    for (int64_t i = 0; i < p.block_tiles; i++) {
        j.indirection.rows[i] = i * s->source_channels;
        j.indirection.outputs[i] = i * CNN_PANEL;
    }
    set_target(&j);
    if (p.in_steps)
        run_in_steps(&j);
    else
        cnn_parallel(call->context, (size_t)(p.blocks * p.panel_groups), run_block, &j);
    if (p.pools_later)
        cnn_parallel(call->context, (size_t)(s->batch * (s->height / call->pool[0])), pool_row, &j);
}
