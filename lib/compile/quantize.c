/* The int8 pass: from steps in fp32 to those of a quantised model, which compute with bytes where they can. A branch
 * that ends in a convolution and is added to another becomes one step with the addition, and the activation after it.
 */
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/quantize.h"

/* What is known of an fp32 step while the others are made. */
typedef struct step_info {
    cnn_quantization value;         /* of its value as bytes; scale 0: has none */
    bool bytes;                     /* it computes with bytes */
    bool wants_bytes, wants_floats; /* those that use its value do, or one of them */
    int32_t as_bytes, as_floats;    /* the steps that give them */
} step_info;

typedef struct pass {
    const cnn_model *model;
    const cnn_steps *from;
    cnn_steps *to;
    step_info *infos;
} pass;

static bool is_product(const cnn_layer *layer)
{
    return layer->type == &cnn_layer_conv2d || layer->type == &cnn_layer_dense ||
           layer->type == &cnn_layer_fused_conv2d || layer->type == &cnn_layer_fused_dense;
}

static bool has_int8_weights(const pass *p, const cnn_step *step)
{
    return is_product(&step->layer) && p->model->weights[step->parameters[0]].value->dtype == CNN_INT8;
}

static bool is(const cnn_step *step, const cnn_layer_type *type)
{
    return step->layer.type == type;
}

/* Whether a step that isn't a product can compute with bytes if it is given them. */
static bool takes_bytes(const cnn_step *step)
{
    return is(step, &cnn_layer_max_pool2d) || is(step, &cnn_layer_flatten) || is(step, &cnn_layer_global_avg_pool) ||
           is(step, &cnn_layer_add) || is(step, &cnn_layer_concat) || is(step, &cnn_layer_relu) ||
           is(step, &cnn_layer_relu6);
}

static bool gives_bytes(const pass *p, int32_t i)
{
    return p->infos[i].bytes && !is(&p->from->items[i], &cnn_layer_global_avg_pool);
}

static cnn_quantization value_of(const pass *p, const cnn_step *step)
{
    bool inherits = is(step, &cnn_layer_max_pool2d) || is(step, &cnn_layer_flatten);
    return inherits ? p->infos[step->inputs[0]].value : p->model->nodes[step->node].quantization;
}

static cnn_status check_product(const pass *p, const cnn_step *step)
{
    const char *name = p->model->graph->nodes[step->node].name;
    for (int32_t k = 0; k < step->layer.input_count; k++)
        if (p->infos[step->inputs[k]].value.scale <= 0)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but nothing says how its input is as bytes",
                            name);
    if (p->model->nodes[step->node].quantization.scale <= 0)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but nothing says how its value is as bytes", name);
    if (is(step, &cnn_layer_fused_conv2d) && ((cnn_fused_conv2d_attributes *)step->layer.attributes)->batch_norm)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but batch normalisation isn't part of them", name);
    return CNN_OK;
}

/* Which steps could compute with bytes, from the input on. */
static cnn_status find_able(pass *p)
{
    for (int32_t i = 0; i < p->from->count; i++) {
        const cnn_step *step = &p->from->items[i];
        step_info *info = &p->infos[i];
        info->value = value_of(p, step);
        info->bytes = i > 0 && takes_bytes(step) && info->value.scale > 0;
        for (int32_t k = 0; k < step->layer.input_count; k++)
            info->bytes = info->bytes && gives_bytes(p, step->inputs[k]);
        if (i == 0 || !has_int8_weights(p, step))
            continue;
        cnn_status status = check_product(p, step);
        if (status)
            return status;
        info->bytes = true;
    }
    return CNN_OK;
}

/* Which of those do, from the output on: steps beside the products only if they end in one. */
static void find_wanted(pass *p)
{
    p->infos[p->from->count - 1].wants_floats = true;
    for (int32_t i = p->from->count - 1; i > 0; i--) {
        const cnn_step *step = &p->from->items[i];
        step_info *info = &p->infos[i];
        if (!is_product(&step->layer) && gives_bytes(p, i) && !info->wants_bytes)
            info->bytes = false;
        for (int32_t k = 0; k < step->layer.input_count; k++) {
            step_info *input = &p->infos[step->inputs[k]];
            input->wants_bytes = input->wants_bytes || info->bytes;
            input->wants_floats = input->wants_floats || !info->bytes;
        }
    }
}

/* A convolution or a dense layer, with what is fused into it. */
static cnn_fused_conv2d_attributes read_product(const cnn_layer *layer)
{
    cnn_fused_conv2d_attributes fused = { 0 };
    if (layer->type == &cnn_layer_fused_conv2d)
        memcpy(&fused, layer->attributes, sizeof fused);
    else if (layer->type == &cnn_layer_conv2d)
        memcpy(&fused.conv, layer->attributes, sizeof fused.conv);
    else { /* of an image of one pixel */
        const cnn_dense_attributes *dense = layer->attributes;
        fused.conv = (cnn_conv2d_attributes){ .filters = dense->units,
                                              .kernel = { 1, 1 },
                                              .stride = { 1, 1 },
                                              .dilation = { 1, 1 },
                                              .groups = 1,
                                              .no_bias = dense->no_bias };
        if (layer->type == &cnn_layer_fused_dense)
            fused.activation = ((const cnn_fused_dense_attributes *)layer->attributes)->activation;
    }
    return fused;
}

static int32_t activation_of(const cnn_step *step)
{
    return is(step, &cnn_layer_relu)    ? CNN_ACTIVATION_RELU
           : is(step, &cnn_layer_relu6) ? CNN_ACTIVATION_RELU6
                                        : CNN_ACTIVATION_NONE;
}

/* A new step whose value is `from`'s. */
static cnn_step *add_step(pass *p, int32_t from)
{
    cnn_step *step = &p->to->items[p->to->count++];
    *step = p->from->items[from];
    step->fused_attributes = NULL;
    return step;
}

/* One with bytes. Its attributes' `output` is for bytes too. */
static cnn_int8_attributes *add_int8_step(pass *p, int32_t from, const cnn_layer_type *type)
{
    cnn_step *step = add_step(p, from);
    cnn_int8_attributes *attributes = cnn_allocate_zeroed(p->to->context, 1, sizeof *attributes);
    if (!attributes)
        return NULL;
    step->fused_attributes = step->layer.attributes = attributes;
    step->layer.type = type;
    step->layer.output_type = CNN_UINT8;
    attributes->output = p->infos[from].value;
    for (int32_t k = 0; k < step->layer.input_count; k++) {
        const step_info *input = &p->infos[p->from->items[from].inputs[k]];
        attributes->inputs[k] = input->value;
        step->inputs[k] = input->as_bytes;
    }
    return attributes;
}

/* From the step before, whose value it has in another form. */
static cnn_int8_attributes *add_following(pass *p, int32_t from, const cnn_layer_type *type, const cnn_shape *input)
{
    int32_t before = p->to->count - 1;
    cnn_int8_attributes *attributes = add_int8_step(p, from, type);
    if (!attributes)
        return NULL;
    cnn_step *step = &p->to->items[before + 1];
    step->inputs[0] = before;
    step->layer.input_count = 1;
    step->layer.parameter_count = 0;
    step->layer.inputs[0] = *input;
    attributes->inputs[0] = p->infos[from].value;
    return attributes;
}

static cnn_status add_conversion(pass *p, int32_t from, const cnn_layer_type *type, cnn_dtype output, int32_t *place)
{
    if (!add_following(p, from, type, &p->from->items[from].layer.output))
        return CNN_ERROR_OUT_OF_MEMORY;
    *place = p->to->count - 1;
    p->to->items[*place].layer.output_type = output;
    return CNN_OK;
}

static bool is_depthwise(const cnn_layer *layer, const cnn_conv2d_attributes *conv)
{
    return conv->groups > 1 && conv->groups == layer->inputs[0].dims[2] && conv->groups == conv->filters;
}

/* Pooling that the kernel can't do comes after it, in a step of its own. */
static cnn_status add_pooling(pass *p, int32_t from, const cnn_fused_conv2d_attributes *fused)
{
    cnn_layer conv = { .type = &cnn_layer_conv2d,
                       .attributes = (void *)&fused->conv,
                       .input_count = 1,
                       .inputs = { p->from->items[from].layer.inputs[0] } };
    cnn_status status = conv.type->shape(&conv);
    if (status)
        return status;
    p->to->items[p->to->count - 1].layer.output = conv.output;
    cnn_int8_attributes *attributes = add_following(p, from, &cnn_layer_int8_max_pool2d, &conv.output);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    memcpy(attributes->pooling.kernel, fused->pool, sizeof fused->pool);
    memcpy(attributes->pooling.stride, fused->pool, sizeof fused->pool);
    return CNN_OK;
}

static cnn_status add_product(pass *p, int32_t i)
{
    const cnn_step *step = &p->from->items[i];
    cnn_fused_conv2d_attributes fused = read_product(&step->layer);
    cnn_int8_attributes *attributes = add_int8_step(p, i, &cnn_layer_int8_conv2d);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    attributes->conv = fused.conv;
    attributes->activation = fused.activation;
    attributes->weight_scales = p->model->weights[step->parameters[0]].scales->data;
    attributes->pool = fused.pool[0] == 2 && fused.pool[1] == 2 && !is_depthwise(&step->layer, &fused.conv);
    if (fused.pool[0] && !attributes->pool)
        return add_pooling(p, i, &fused);
    /* the last layer's result is kept whole */
    if (!p->infos[i].wants_bytes && fused.activation == CNN_ACTIVATION_NONE && step->layer.input_count == 1) {
        attributes->output = (cnn_quantization){ 0 };
        p->to->items[p->to->count - 1].layer.output_type = CNN_FLOAT32;
    }
    return CNN_OK;
}

static cnn_status add_other(pass *p, int32_t i)
{
    const cnn_step *step = &p->from->items[i];
    if (is(step, &cnn_layer_flatten)) {
        cnn_step *added = add_step(p, i);
        added->layer.output_type = CNN_UINT8;
        added->inputs[0] = p->infos[step->inputs[0]].as_bytes;
        return CNN_OK;
    }
    const cnn_layer_type *type = is(step, &cnn_layer_max_pool2d)        ? &cnn_layer_int8_max_pool2d
                                 : is(step, &cnn_layer_global_avg_pool) ? &cnn_layer_int8_global_avg_pool
                                 : is(step, &cnn_layer_concat)          ? &cnn_layer_int8_concat
                                                                        : &cnn_layer_int8_add;
    cnn_int8_attributes *attributes = add_int8_step(p, i, type);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (type == &cnn_layer_int8_max_pool2d)
        memcpy(&attributes->pooling, step->layer.attributes, sizeof attributes->pooling);
    if (type == &cnn_layer_int8_global_avg_pool)
        p->to->items[p->to->count - 1].layer.output_type = CNN_FLOAT32;
    attributes->activation = activation_of(step);
    return CNN_OK;
}

/* A step as it was. */
static void add_float_step(pass *p, int32_t i)
{
    cnn_step *old = &p->from->items[i], *step = add_step(p, i);
    step->fused_attributes = old->fused_attributes;
    old->fused_attributes = NULL;
    for (int32_t k = 0; k < step->layer.input_count; k++)
        step->inputs[k] = p->infos[old->inputs[k]].as_floats;
}

/* A step, and its value in the form that it doesn't give, if some want that. */
static cnn_status convert_step(pass *p, int32_t i)
{
    const cnn_step *step = &p->from->items[i];
    step_info *info = &p->infos[i];
    cnn_status status = CNN_OK;
    if (!info->bytes)
        add_float_step(p, i);
    else
        status = is_product(&step->layer) ? add_product(p, i) : add_other(p, i);
    if (status)
        return status;
    info->as_bytes = info->as_floats = p->to->count - 1;
    bool bytes = p->to->items[p->to->count - 1].layer.output_type == CNN_UINT8;
    if (bytes && info->wants_floats)
        return add_conversion(p, i, &cnn_layer_dequantize, CNN_FLOAT32, &info->as_floats);
    if (!bytes && info->wants_bytes)
        return add_conversion(p, i, &cnn_layer_quantize, CNN_UINT8, &info->as_bytes);
    return CNN_OK;
}

static cnn_status run(pass *p)
{
    cnn_status status = find_able(p);
    if (status)
        return status;
    find_wanted(p);
    for (int32_t i = 0; i < p->from->count && !status; i++)
        status = convert_step(p, i);
    for (int32_t i = 0; i < p->to->count; i++) {
        cnn_layer *layer = &p->to->items[i].layer;
        for (int32_t k = 0; k < layer->input_count; k++)
            layer->input_types[k] = p->to->items[p->to->items[i].inputs[k]].layer.output_type;
    }
    return status;
}

cnn_status cnn_steps_quantize(const cnn_model *model, cnn_steps **steps)
{
    enum { MOST_NEW = 3 }; /* a convolution, its pooling, and a conversion */
    cnn_context *context = model->context;
    pass p = { .model = model, .from = *steps };
    size_t count = (size_t)p.from->count;
    p.to = cnn_allocate_zeroed(context, 1, sizeof *p.to);
    p.infos = cnn_allocate_zeroed(context, count, sizeof *p.infos);
    if (p.to) {
        p.to->context = context;
        p.to->items = cnn_allocate_zeroed(context, MOST_NEW * count, sizeof *p.to->items);
    }
    cnn_status status = p.to && p.to->items && p.infos ? run(&p) : CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(context, p.infos);
    if (status) {
        cnn_steps_destroy(p.to);
        return status;
    }
    cnn_steps_destroy(*steps);
    *steps = p.to;
    return CNN_OK;
}

cnn_status cnn_model_check_steps(const cnn_model *model)
{
    cnn_steps *steps;
    cnn_status status = cnn_steps_create(model, false, &steps);
    if (!status && model->quantized)
        status = cnn_steps_quantize(model, &steps);
    cnn_steps_destroy(steps);
    return status;
}
