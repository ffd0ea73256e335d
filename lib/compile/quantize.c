/* The int8 pass: from operations in fp32 to those of a quantised model, which compute with bytes where they can. */
#include <string.h>

#include "compile/passes.h"

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"

/* What is known of an fp32 operation while the others are made. */
typedef struct operation_info {
    cnn_quantization value;         /* of its value as bytes; scale 0: has none */
    bool bytes;                     /* it computes with bytes */
    bool wants_bytes, wants_floats; /* those that use its value do, or one of them */
    int32_t as_bytes, as_floats;    /* the operations that give them */
} operation_info;

typedef struct pass {
    const cnn_program_source *source;
    const cnn_program *from;
    cnn_operation *to;
    int32_t count; /* of those */
    operation_info *infos;
} pass;

/* A convolution or a dense layer: a matrix product of values and weights. */
static bool is_gemm(const cnn_layer *layer)
{
    return layer->type == &cnn_layer_conv2d || layer->type == &cnn_layer_dense ||
           layer->type == &cnn_layer_fused_conv2d || layer->type == &cnn_layer_fused_dense;
}

static bool has_int8_weights(const pass *p, const cnn_operation *operation)
{
    return is_gemm(&operation->layer) && p->source->weights[operation->parameters[0]].value->dtype == CNN_INT8;
}

static bool is(const cnn_operation *operation, const cnn_layer_type *type)
{
    return operation->layer.type == type;
}

/* Whether an operation that isn't a gemm can compute with bytes if it is given them. */
static bool takes_bytes(const cnn_operation *operation)
{
    return is(operation, &cnn_layer_max_pool2d) || is(operation, &cnn_layer_flatten) ||
           is(operation, &cnn_layer_global_avg_pool) || is(operation, &cnn_layer_add) ||
           is(operation, &cnn_layer_concat) || is(operation, &cnn_layer_relu) || is(operation, &cnn_layer_relu6);
}

static bool gives_bytes(const pass *p, int32_t i)
{
    return p->infos[i].bytes && p->infos[i].value.scale > 0 && !is(&p->from->operations[i], &cnn_layer_global_avg_pool);
}

static cnn_quantization value_of(const pass *p, const cnn_operation *operation)
{
    bool inherits = (is(operation, &cnn_layer_max_pool2d) || is(operation, &cnn_layer_flatten)) &&
                    p->infos[operation->inputs[0]].value.scale > 0;
    return inherits ? p->infos[operation->inputs[0]].value : p->source->nodes[operation->node].quantization;
}

static cnn_status check_gemm(const pass *p, const cnn_operation *operation)
{
    const char *name = p->source->graph->nodes[operation->node].name;
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        if (p->infos[operation->inputs[k]].value.scale <= 0)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but nothing says how its input is as bytes",
                            name);
    bool gives_floats = p->source->outputs && (is(operation, &cnn_layer_conv2d) || is(operation, &cnn_layer_dense));
    if (p->source->nodes[operation->node].quantization.scale <= 0 && !gives_floats)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but nothing says how its value is as bytes", name);
    if (is(operation, &cnn_layer_fused_conv2d) &&
        ((cnn_fused_conv2d_attributes *)operation->layer.attributes)->batch_norm)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: its weights are int8, but batch normalisation isn't part of them", name);
    return CNN_OK;
}

/* Which operations could compute with bytes, from the input on. */
static cnn_status find_able(pass *p)
{
    for (int32_t i = 0; i < p->from->count; i++) {
        const cnn_operation *operation = &p->from->operations[i];
        operation_info *info = &p->infos[i];
        info->value = value_of(p, operation);
        info->bytes = i > 0 && takes_bytes(operation) && info->value.scale > 0;
        for (int32_t k = 0; k < operation->layer.input_count; k++)
            info->bytes = info->bytes && gives_bytes(p, operation->inputs[k]);
        if (i == 0 || !has_int8_weights(p, operation))
            continue;
        cnn_status status = check_gemm(p, operation);
        if (status)
            return status;
        info->bytes = true;
    }
    return CNN_OK;
}

/* Which of those do, from the outputs on: operations beside the gemms only if they end in one. */
static void find_wanted(pass *p)
{
    for (int32_t i = 0; i < p->from->output_count; i++)
        p->infos[p->from->outputs[i]].wants_floats = true;
    for (int32_t i = p->from->count - 1; i > 0; i--) {
        const cnn_operation *operation = &p->from->operations[i];
        operation_info *info = &p->infos[i];
        if (!is_gemm(&operation->layer) && gives_bytes(p, i) && !info->wants_bytes)
            info->bytes = false;
        for (int32_t k = 0; k < operation->layer.input_count; k++) {
            operation_info *input = &p->infos[operation->inputs[k]];
            input->wants_bytes = input->wants_bytes || info->bytes;
            input->wants_floats = input->wants_floats || !info->bytes;
        }
    }
}

/* A convolution or a dense layer, with what is fused into it. */
static cnn_fused_conv2d_attributes read_gemm(const cnn_layer *layer)
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

static int32_t activation_of(const cnn_operation *operation)
{
    return is(operation, &cnn_layer_relu)    ? CNN_ACTIVATION_RELU
           : is(operation, &cnn_layer_relu6) ? CNN_ACTIVATION_RELU6
                                             : CNN_ACTIVATION_NONE;
}

/* A new operation whose value is `from`'s. */
static cnn_operation *add_operation(pass *p, int32_t from)
{
    cnn_operation *operation = &p->to[p->count++];
    *operation = p->from->operations[from];
    operation->own_attributes = NULL;
    return operation;
}

/* One with bytes. Its attributes' `output` is for bytes too. */
static cnn_int8_attributes *add_int8_operation(pass *p, int32_t from, const cnn_layer_type *type)
{
    cnn_operation *operation = add_operation(p, from);
    cnn_int8_attributes *attributes = cnn_allocate_zeroed(p->source->context, 1, sizeof *attributes);
    if (!attributes)
        return NULL;
    operation->own_attributes = operation->layer.attributes = attributes;
    operation->layer.type = type;
    operation->layer.output_type = CNN_UINT8;
    attributes->output = p->infos[from].value;
    for (int32_t k = 0; k < operation->layer.input_count; k++) {
        const operation_info *input = &p->infos[p->from->operations[from].inputs[k]];
        attributes->inputs[k] = input->value;
        operation->inputs[k] = input->as_bytes;
    }
    return attributes;
}

/* From the operation before, whose value it has in another form. */
static cnn_int8_attributes *add_following(pass *p, int32_t from, const cnn_layer_type *type, const cnn_shape *input)
{
    int32_t before = p->count - 1;
    cnn_int8_attributes *attributes = add_int8_operation(p, from, type);
    if (!attributes)
        return NULL;
    cnn_operation *operation = &p->to[before + 1];
    operation->inputs[0] = before;
    operation->layer.input_count = 1;
    operation->layer.parameter_count = 0;
    operation->layer.inputs[0] = *input;
    attributes->inputs[0] = p->infos[from].value;
    return attributes;
}

static cnn_status add_conversion(pass *p, int32_t from, const cnn_layer_type *type, cnn_dtype output, int32_t *place)
{
    if (!add_following(p, from, type, &p->from->operations[from].layer.output))
        return CNN_ERROR_OUT_OF_MEMORY;
    *place = p->count - 1;
    p->to[*place].layer.output_type = output;
    return CNN_OK;
}

static bool is_depthwise(const cnn_layer *layer, const cnn_conv2d_attributes *conv)
{
    return conv->groups > 1 && conv->groups == layer->inputs[0].dims[2] && conv->groups == conv->filters;
}

/* Pooling that the kernel can't do comes after it, in a operation of its own. */
static cnn_status add_pooling(pass *p, int32_t from, const cnn_fused_conv2d_attributes *fused)
{
    cnn_layer conv = { .type = &cnn_layer_conv2d,
                       .attributes = (void *)&fused->conv,
                       .input_count = 1,
                       .inputs = { p->from->operations[from].layer.inputs[0] } };
    cnn_status status = conv.type->shape(&conv);
    if (status)
        return status;
    p->to[p->count - 1].layer.output = conv.output;
    cnn_int8_attributes *attributes = add_following(p, from, &cnn_layer_int8_max_pool2d, &conv.output);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    memcpy(attributes->pooling.kernel, fused->pool, sizeof fused->pool);
    memcpy(attributes->pooling.stride, fused->pool, sizeof fused->pool);
    return CNN_OK;
}

static cnn_status add_gemm(pass *p, int32_t i)
{
    const cnn_operation *operation = &p->from->operations[i];
    cnn_fused_conv2d_attributes fused = read_gemm(&operation->layer);
    cnn_int8_attributes *attributes = add_int8_operation(p, i, &cnn_layer_int8_conv2d);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    attributes->conv = fused.conv;
    attributes->activation = fused.activation;
    attributes->weight_scales = p->source->weights[operation->parameters[0]].scales->data;
    attributes->pool = fused.pool[0] == 2 && fused.pool[1] == 2 && !is_depthwise(&operation->layer, &fused.conv);
    if (fused.pool[0] && !attributes->pool)
        return add_pooling(p, i, &fused);
    /* the last layer's result is kept whole */
    if (!p->infos[i].wants_bytes && fused.activation == CNN_ACTIVATION_NONE && operation->layer.input_count == 1) {
        attributes->output = (cnn_quantization){ 0 };
        p->to[p->count - 1].layer.output_type = CNN_FLOAT32;
    }
    return CNN_OK;
}

static cnn_status add_other(pass *p, int32_t i)
{
    const cnn_operation *operation = &p->from->operations[i];
    if (is(operation, &cnn_layer_flatten)) {
        cnn_operation *added = add_operation(p, i);
        added->layer.output_type = CNN_UINT8;
        added->inputs[0] = p->infos[operation->inputs[0]].as_bytes;
        return CNN_OK;
    }
    const cnn_layer_type *type = is(operation, &cnn_layer_max_pool2d)        ? &cnn_layer_int8_max_pool2d
                                 : is(operation, &cnn_layer_global_avg_pool) ? &cnn_layer_int8_global_avg_pool
                                 : is(operation, &cnn_layer_concat)          ? &cnn_layer_int8_concat
                                                                             : &cnn_layer_int8_add;
    cnn_int8_attributes *attributes = add_int8_operation(p, i, type);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (type == &cnn_layer_int8_max_pool2d)
        memcpy(&attributes->pooling, operation->layer.attributes, sizeof attributes->pooling);
    if (type == &cnn_layer_int8_global_avg_pool)
        p->to[p->count - 1].layer.output_type = CNN_FLOAT32;
    attributes->activation = activation_of(operation);
    return CNN_OK;
}

/* A operation as it was. */
static void add_float_operation(pass *p, int32_t i)
{
    cnn_operation *old = &p->from->operations[i], *operation = add_operation(p, i);
    operation->own_attributes = old->own_attributes;
    old->own_attributes = NULL;
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        operation->inputs[k] = p->infos[old->inputs[k]].as_floats;
}

/* A operation, and its value in the form that it doesn't give, if some want that. */
static cnn_status convert_operation(pass *p, int32_t i)
{
    const cnn_operation *operation = &p->from->operations[i];
    operation_info *info = &p->infos[i];
    cnn_status status = CNN_OK;
    if (!info->bytes)
        add_float_operation(p, i);
    else
        status = is_gemm(&operation->layer) ? add_gemm(p, i) : add_other(p, i);
    if (status)
        return status;
    info->as_bytes = info->as_floats = p->count - 1;
    bool bytes = p->to[p->count - 1].layer.output_type == CNN_UINT8;
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
        status = convert_operation(p, i);
    for (int32_t i = 0; i < p->from->output_count && !status; i++)
        p->from->outputs[i] = p->infos[p->from->outputs[i]].as_floats;
    for (int32_t i = 0; i < p->count; i++) {
        cnn_layer *layer = &p->to[i].layer;
        for (int32_t k = 0; k < layer->input_count; k++)
            layer->input_types[k] = p->to[p->to[i].inputs[k]].layer.output_type;
    }
    return status;
}

cnn_status cnn_quantize_operations(cnn_program *program)
{
    enum { MOST_NEW = 3 }; /* a convolution, its pooling, and a conversion */
    cnn_context *context = program->source.context;
    size_t count = (size_t)program->count;
    pass p = { .source = &program->source,
               .from = program,
               .to = cnn_allocate_zeroed(context, MOST_NEW * count, sizeof *p.to),
               .infos = cnn_allocate_zeroed(context, count, sizeof *p.infos) };
    cnn_status status = p.to && p.infos ? run(&p) : CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(context, p.infos);
    if (p.to)
        cnn_program_replace(program, p.to, p.count);
    return status;
}
