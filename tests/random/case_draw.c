/* What cases are drawn. Most are tiny, so that hundreds are tried in a second; a few are large. */
#include <string.h>

#include "case.h"
#include "contexts.h"
#include "operations.h"
#include "runtime/model_internal.h"

/* What is known of the net so far. */
typedef struct case_sketch {
    random_case *drawn;
    draw source;
    cnn_context *context;
    cnn_shape shapes[CASE_MAX_LAYERS + 1];
    double work, most_work; /* of one image: about its multiplications */
} case_sketch;

static int32_t draw_channels(draw *source)
{
    if (draw_one_in(source, 4))
        return draw_between(source, 1, 80);
    return draw_of(source, 1, 2, 3, 3, 3, 4, 5, 7, 8, 9, 15, 16, 16, 17, 24, 31, 32, 32, 33, 40, 48, 64, 65, 80);
}

static void draw_input(case_sketch *sketch, int32_t least, int32_t most)
{
    draw *source = &sketch->source;
    int32_t *input = sketch->drawn->input;
    input[0] = draw_between(source, least, most);
    input[1] = draw_one_in(source, 3) ? input[0] : draw_between(source, least, most);
    input[2] = draw_one_in(source, 2) ? 3 : draw_channels(source);
    sketch->shapes[0] = (cnn_shape){ 3, { input[0], input[1], input[2] } };
}

static void draw_padding(draw *source, int32_t *padding, int32_t *pads)
{
    *padding = draw_of(source, CNN_PADDING_VALID, CNN_PADDING_SAME, CNN_PADDING_SAME, CNN_PADDING_EXPLICIT);
    for (int side = 0; side < 4 && *padding == CNN_PADDING_EXPLICIT; side++)
        pads[side] = draw_of(source, 0, 0, 1, 1, 2, 3, 5);
}

static void draw_pair(draw *source, int32_t pair[2], int32_t first, int32_t other)
{
    pair[0] = first;
    pair[1] = draw_one_in(source, 4) ? other : first;
}

static void draw_groups(draw *source, int32_t channels, int32_t *groups, int32_t *filters)
{
    *groups = 1;
    *filters = draw_channels(source);
    if (draw_one_in(source, 6)) {
        *groups = channels;
        *filters = channels * draw_of(source, 1, 1, 1, 2);
    } else if (draw_one_in(source, 10)) {
        *groups = draw_between(source, 1, channels);
        while (channels % *groups)
            --*groups;
        *filters = *groups * draw_between(source, 1, 9);
    }
}

static void draw_conv(draw *source, int32_t channels, int32_t *numbers)
{
    draw_groups(source, channels, &numbers[CONV_GROUPS], &numbers[CONV_FILTERS]);
    draw_pair(source, &numbers[CONV_KERNEL], draw_of(source, 1, 1, 2, 3, 3, 3, 3, 4, 5, 7), draw_between(source, 1, 7));
    draw_pair(source, &numbers[CONV_STRIDE], draw_of(source, 1, 1, 1, 2, 2, 3), draw_between(source, 1, 4));
    draw_pair(source, &numbers[CONV_DILATION], draw_of(source, 1, 1, 1, 1, 1, 2, 3), draw_between(source, 1, 3));
    draw_padding(source, &numbers[CONV_PADDING], &numbers[CONV_PADS]);
    numbers[CONV_NO_BIAS] = draw_one_in(source, 3);
}

static void draw_pool(draw *source, int32_t *numbers)
{
    draw_pair(source, &numbers[POOL_KERNEL], draw_of(source, 1, 2, 2, 2, 2, 3, 3, 5), draw_between(source, 1, 4));
    draw_pair(source, &numbers[POOL_STRIDE], draw_of(source, 0, 0, 0, 1, 2, 2, 3), draw_between(source, 0, 3));
    if (draw_one_in(source, 2))
        draw_padding(source, &numbers[POOL_PADDING], &numbers[POOL_PADS]);
}

static bool same_shape(const cnn_shape *a, const cnn_shape *b, bool but_channels)
{
    bool same = a->rank == b->rank;
    for (int32_t i = 0; i < a->rank && same; i++)
        same = a->dims[i] == b->dims[i] || (but_channels && i == a->rank - 1);
    return same;
}

/* A node before `count` that fits to a node; the node itself if there is no other. */
static int32_t draw_partner(case_sketch *sketch, int32_t node, int32_t count, bool but_channels)
{
    for (int tries = 0; tries < 8; tries++) {
        int32_t other = draw_below(&sketch->source, count);
        if (other != node && same_shape(&sketch->shapes[node], &sketch->shapes[other], but_channels))
            return other;
    }
    return node;
}

static void draw_joint(case_sketch *sketch, case_layer *layer, int32_t count)
{
    layer->input_count = layer->kind == CASE_ADD ? 2 : draw_between(&sketch->source, 2, CASE_MAX_INPUTS);
    for (int32_t i = 1; i < layer->input_count; i++)
        layer->inputs[i] = draw_partner(sketch, layer->inputs[0], count, layer->kind == CASE_CONCAT);
}

/* After a layer comes often what the library runs together with it. */
static case_layer_kind draw_kind(draw *source, case_layer_kind before, int32_t rank)
{
    if (rank == 1 && draw_one_in(source, 2))
        return CASE_DENSE;
    if (before == CASE_CONV && draw_one_in(source, 3))
        return CASE_BATCH_NORM;
    if ((before == CASE_CONV || before == CASE_BATCH_NORM || before == CASE_ADD || before == CASE_DENSE) &&
        !draw_one_in(source, 3))
        return (case_layer_kind)draw_of(source, CASE_RELU, CASE_RELU, CASE_RELU6, CASE_ADD, CASE_SILU, CASE_HARD_SWISH);
    if (before == CASE_RELU && draw_one_in(source, 4))
        return CASE_MAX_POOL;
    if (draw_one_in(source, 2))
        return (case_layer_kind)draw_of(source, CASE_CONV, CASE_CONV, CASE_CONV, CASE_ADD, CASE_CONCAT);
    return (case_layer_kind)draw_below(source, CASE_LAYER_KINDS);
}

static void draw_numbers(case_sketch *sketch, case_layer *layer)
{
    draw *source = &sketch->source;
    const cnn_shape *shape = &sketch->shapes[layer->inputs[0]];
    switch (layer->kind) {
    case CASE_CONV: draw_conv(source, (int32_t)shape->dims[shape->rank - 1], layer->numbers); break;
    case CASE_MAX_POOL:
    case CASE_AVG_POOL: draw_pool(source, layer->numbers); break;
    case CASE_DENSE:
        layer->numbers[0] = draw_one_in(source, 2) ? draw_between(source, 1, 5) : draw_channels(source);
        layer->numbers[1] = draw_one_in(source, 4);
        break;
    case CASE_BATCH_NORM:
        layer->numbers[0] = draw_of(source, 90, 90, 50, 99);
        layer->numbers[1] = draw_of(source, 10, 10, 1000, 1);
        break;
    case CASE_DROPOUT: layer->numbers[0] = draw_of(source, 0, 25, 50, 90); break;
    case CASE_LEAKY_RELU: layer->numbers[0] = draw_of(source, 1, 10, 30); break;
    case CASE_HARD_SIGMOID:
        layer->numbers[0] = draw_of(source, 0, 20, 50);
        layer->numbers[1] = layer->numbers[0] ? draw_of(source, 0, 50) : 0;
        break;
    case CASE_GELU: layer->numbers[0] = draw_of(source, CNN_GELU_EXACT, CNN_GELU_TANH); break;
    case CASE_ELU: layer->numbers[0] = draw_of(source, 0, 50, 200); break;
    case CASE_CLIP:
        layer->numbers[0] = draw_of(source, -100, -20, 0);
        layer->numbers[1] = draw_of(source, 20, 100, 600);
        break;
    case CASE_RESCALE:
        layer->numbers[0] = draw_of(source, -50, 25, 100, 200);
        layer->numbers[1] = draw_of(source, -100, 0, 0, 50);
        break;
    default: break;
    }
}

static double count_of(const cnn_shape *shape)
{
    double count = 1;
    for (int32_t i = 0; i < shape->rank; i++)
        count *= (double)shape->dims[i];
    return count;
}

static double work_of(const case_sketch *sketch, const case_layer *layer, const cnn_shape *output)
{
    const cnn_shape *input = &sketch->shapes[layer->inputs[0]];
    double count = count_of(output);
    if (layer->kind == CASE_DENSE)
        return count * count_of(input);
    if (layer->kind == CASE_CONV)
        return count * layer->numbers[CONV_KERNEL] * layer->numbers[CONV_KERNEL + 1] * (double)input->dims[2] /
               layer->numbers[CONV_GROUPS];
    return 4 * count;
}

/* Keeps the layer that was put behind the others if it is possible and not too much work. */
static bool keep_layer(case_sketch *sketch)
{
    random_case *drawn = sketch->drawn;
    cnn_graph *graph;
    drawn->layer_count++;
    if (!case_graph(drawn, sketch->context, &graph)) {
        cnn_shape shape = cnn_graph_node_shape(graph, drawn->layer_count);
        double work = work_of(sketch, &drawn->layers[drawn->layer_count - 1], &shape);
        cnn_graph_destroy(graph);
        if (sketch->work + work <= sketch->most_work) {
            sketch->work += work;
            sketch->shapes[drawn->layer_count] = shape;
            return true;
        }
    }
    drawn->layer_count--;
    return false;
}

static bool add_layer(case_sketch *sketch, case_layer_kind kind, int32_t input)
{
    case_layer *layer = &sketch->drawn->layers[sketch->drawn->layer_count];
    memset(layer, 0, sizeof *layer);
    layer->kind = kind;
    layer->input_count = 1;
    layer->inputs[0] = input;
    if (kind == CASE_ADD || kind == CASE_CONCAT)
        draw_joint(sketch, layer, sketch->drawn->layer_count + 1);
    draw_numbers(sketch, layer);
    return keep_layer(sketch);
}

static void draw_layers(case_sketch *sketch, int32_t count)
{
    random_case *drawn = sketch->drawn;
    for (int32_t tries = 0; drawn->layer_count < count && tries < 4 * count; tries++) {
        int32_t last = drawn->layer_count, input = last;
        if (draw_one_in(&sketch->source, 5))
            input = draw_below(&sketch->source, last + 1);
        case_layer_kind before = last ? drawn->layers[last - 1].kind : CASE_LAYER_KINDS;
        add_layer(sketch, draw_kind(&sketch->source, before, sketch->shapes[input].rank), input);
    }
}

/* A value of a few megabytes for each image: on that depends how images are shared out to threads. */
static void draw_large_value(case_sketch *sketch)
{
    draw *source = &sketch->source;
    int32_t *numbers = sketch->drawn->layers[0].numbers;
    double pixels = (double)sketch->drawn->input[0] * sketch->drawn->input[1];
    int32_t megabytes = draw_of(source, 1, 2, 4, 6, 7, 12, 13, 20, 33, 64);
    sketch->drawn->layers[0] = (case_layer){ .kind = CASE_CONV, .input_count = 1 };
    numbers[CONV_FILTERS] = (int32_t)(megabytes * 250e3 / pixels) + 1;
    numbers[CONV_KERNEL] = numbers[CONV_KERNEL + 1] = numbers[CONV_GROUPS] = 1;
    keep_layer(sketch);
    add_layer(sketch, CASE_GLOBAL_AVG_POOL, sketch->drawn->layer_count);
}

/* As a classifier ends. */
static void draw_head(case_sketch *sketch)
{
    random_case *drawn = sketch->drawn;
    if (sketch->shapes[drawn->layer_count].rank == 3)
        add_layer(sketch, (case_layer_kind)draw_of(&sketch->source, CASE_FLATTEN, CASE_GLOBAL_AVG_POOL),
                  drawn->layer_count);
    if (add_layer(sketch, CASE_DENSE, drawn->layer_count) && draw_one_in(&sketch->source, 6))
        add_layer(sketch, CASE_SOFTMAX, drawn->layer_count);
}

static double draw_work(draw *source)
{
    double work = draw_of(source, 3, 10, 30, 100, 300);
    if (draw_one_in(source, 20))
        work = 3000;
    if (draw_one_in(source, 400))
        work = 50000;
    return 1000 * work;
}

static int32_t draw_images(case_sketch *sketch, double most_work)
{
    draw *source = &sketch->source;
    int32_t most = draw_of(source, 1, 2, 9, 9, 40, 40, 100);
    const int32_t *input = sketch->drawn->input;
    double allowed = most_work / (sketch->work + (double)input[0] * input[1] * input[2]);
    if (draw_one_in(source, 100))
        return 0;
    if (allowed < most)
        most = allowed < 1 ? 1 : (int32_t)allowed;
    return draw_between(source, 1, most);
}

static int32_t draw_threads(draw *source)
{
    if (draw_one_in(source, 500))
        return draw_of(source, 64, 257);
    if (draw_one_in(source, 20))
        return draw_of(source, 16, 33);
    return draw_between(source, 1, 9);
}

static void draw_net(case_sketch *sketch)
{
    draw *source = &sketch->source;
    sketch->most_work = draw_work(source);
    draw_input(sketch, 1, draw_one_in(source, 150) ? 512 : draw_one_in(source, 3) ? 64 : 12);
    draw_layers(sketch, draw_of(source, 1, 2, 3, 4, 6, 8, 12, 18));
    if (draw_one_in(source, 2) || !sketch->drawn->layer_count)
        draw_head(sketch);
    if (!sketch->drawn->layer_count)
        add_layer(sketch, CASE_RELU, 0);
    sketch->drawn->images = draw_images(sketch, 10 * sketch->most_work);
}

/* With operations that cost little, but for predictions. */
static void draw_large_net(case_sketch *sketch)
{
    draw *source = &sketch->source;
    const char *const operations[] = { "threads", "one_by_one", "some" };
    sketch->most_work = 1e9;
    draw_input(sketch, 64, 512);
    sketch->drawn->input[2] = draw_between(source, 1, 4);
    sketch->shapes[0].dims[2] = sketch->drawn->input[2];
    draw_large_value(sketch);
    draw_head(sketch);
    sketch->drawn->images = draw_between(source, 1, 11);
    sketch->drawn->operation_count = 1;
    sketch->drawn->operations[0] =
        (case_operation){ operations_find(operations[draw_below(source, 3)]), draw_below(source, 1 << 14) };
}

/* A net that has a name, as small as it can be without having no filters left in a layer. */
static void draw_named_net(case_sketch *sketch)
{
    draw *source = &sketch->source;
    int32_t *named = sketch->drawn->named, count = 0;
    while (cnn_net_name((uint32_t)count))
        count++;
    named[0] = draw_between(source, 1, count);
    named[1] = draw_between(source, 32, 80);
    named[2] = draw_of(source, 10, 20, 25);
    named[3] = draw_between(source, 1, 4);
    sketch->drawn->images = draw_between(source, 1, 7);
}

/* Operations that compute more than once with it, on the best instruction set: it is large. */
static void draw_shipped_model(case_sketch *sketch)
{
    draw *source = &sketch->source;
    sketch->drawn->named[0] = CASE_SHIPPED;
    sketch->drawn->named[1] = draw_of(source, 224, 256, 320, 384, 448, 512);
    sketch->drawn->images = draw_one_in(source, 4) ? draw_between(source, 1, 40) : draw_between(source, 1, 9);
    sketch->drawn->tier = CNN_TIER_COUNT;
    sketch->drawn->operation_count = 1;
    sketch->drawn->operations[0] = (case_operation){ operations_find("threads"), 0 };
}

static cnn_tier draw_tier(draw *source)
{
    static cnn_tier tiers[CNN_TIER_COUNT];
    static int32_t count;
    if (!count)
        count = case_tiers(tiers);
    return tiers[draw_below(source, count)];
}

void case_draw(random_case *drawn, uint64_t seed, bool threads_only)
{
    memset(drawn, 0, sizeof *drawn);
    case_sketch sketch = { .drawn = drawn, .source = { seed }, .context = contexts_plain() };
    drawn->seed = seed;
    drawn->tier = draw_tier(&sketch.source);
    drawn->threads = draw_threads(&sketch.source);
    if (!threads_only && draw_one_in(&sketch.source, 3000))
        draw_shipped_model(&sketch);
    else if (draw_one_in(&sketch.source, 100))
        draw_large_net(&sketch);
    else if (draw_one_in(&sketch.source, 400))
        draw_named_net(&sketch);
    else
        draw_net(&sketch);
    if (!drawn->operation_count)
        operations_draw(drawn, &sketch.source, threads_only);
}
