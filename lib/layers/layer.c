#include "layers/layer_internal.h"

#include <string.h>

#include "core/error.h"
#include "core/tensor_internal.h"

const char *const cnn_padding_names[] = { "valid", "same", "explicit", NULL };
const char *const cnn_initializer_names[] = { "default",        "he_normal", "he_uniform", "glorot_normal",
                                              "glorot_uniform", "zeros",     NULL };

static const cnn_layer_type *const types[] = {
    &cnn_layer_input,
    &cnn_layer_conv2d,
    &cnn_layer_max_pool2d,
    &cnn_layer_avg_pool2d,
    &cnn_layer_global_avg_pool,
    &cnn_layer_dense,
    &cnn_layer_flatten,
    &cnn_layer_batch_norm,
    &cnn_layer_dropout,
    &cnn_layer_relu,
    &cnn_layer_relu6,
    &cnn_layer_leaky_relu,
    &cnn_layer_sigmoid,
    &cnn_layer_tanh,
    &cnn_layer_softmax,
    &cnn_layer_silu,
    &cnn_layer_hard_swish,
    &cnn_layer_hard_sigmoid,
    &cnn_layer_gelu,
    &cnn_layer_elu,
    &cnn_layer_selu,
    &cnn_layer_softplus,
    &cnn_layer_clip,
    &cnn_layer_add,
    &cnn_layer_concat,
    &cnn_layer_rescale,
    &cnn_layer_normalize,
};

const cnn_layer_type *cnn_layer_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(types[i]->name, name))
            return types[i];
    return NULL;
}

const char *cnn_shape_text(const cnn_shape *shape, char *text)
{
    return cnn_dims_text(shape->rank, shape->dims, text, CNN_SHAPE_TEXT_SIZE);
}

int64_t cnn_shape_count(const cnn_shape *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < shape->rank; i++)
        count *= shape->dims[i];
    return count;
}

int64_t cnn_shape_channels(const cnn_shape *shape)
{
    return shape->dims[shape->rank - 1];
}

/* Whether every dimension is 1 or more and their product is within the limit. */
static bool fits(int32_t rank, const int64_t *dims)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 1 || __builtin_mul_overflow(count, dims[i], &count) || count > CNN_LAYER_MAX_ELEMENTS)
            return false;
    }
    return true;
}

cnn_status cnn_layer_check_inputs(const cnn_layer *layer)
{
    const cnn_layer_type *type = layer->type;
    if (layer->input_count < type->min_inputs || layer->input_count > type->max_inputs) {
        if (type->min_inputs == type->max_inputs)
            return cnn_fail(CNN_ERROR_ARGUMENT, "%d inputs were given; %s takes %d", (int)layer->input_count,
                            type->name, (int)type->min_inputs);
        return cnn_fail(CNN_ERROR_ARGUMENT, "%d inputs were given; %s takes %d to %d", (int)layer->input_count,
                        type->name, (int)type->min_inputs, (int)type->max_inputs);
    }
    for (int32_t i = 0; i < layer->input_count; i++) {
        const cnn_shape *shape = &layer->inputs[i];
        char text[CNN_SHAPE_TEXT_SIZE];
        if ((shape->rank != 1 && shape->rank != 3) || !fits(shape->rank, shape->dims))
            return cnn_fail(CNN_ERROR_SHAPE, "input %d has the impossible shape %s", (int)i,
                            shape->rank < 1 || shape->rank > 3 ? "of no dimensions" : cnn_shape_text(shape, text));
    }
    return CNN_OK;
}

cnn_status cnn_layer_check_image(const cnn_layer *layer)
{
    cnn_status status = cnn_layer_check_inputs(layer);
    if (status)
        return status;
    char text[CNN_SHAPE_TEXT_SIZE];
    if (layer->inputs[0].rank != 3)
        return cnn_fail(CNN_ERROR_SHAPE,
                        "%s needs an input of height\xC3\x97width\xC3\x97"
                        "channels, but its input is %s features",
                        layer->type->name, cnn_shape_text(&layer->inputs[0], text));
    return CNN_OK;
}

cnn_status cnn_layer_set_output(cnn_layer *layer, const cnn_shape *output)
{
    char in[CNN_SHAPE_TEXT_SIZE] = "none", out[CNN_SHAPE_TEXT_SIZE];
    if (!fits(output->rank, output->dims)) {
        if (layer->input_count)
            cnn_shape_text(&layer->inputs[0], in);
        return cnn_fail(CNN_ERROR_LIMIT,
                        "the output %s (of the input %s) is too large: at most %lld values are possible",
                        cnn_shape_text(output, out), in, (long long)CNN_LAYER_MAX_ELEMENTS);
    }
    layer->output = *output;
    return CNN_OK;
}

cnn_status cnn_layer_set_features(cnn_layer *layer, int64_t count)
{
    return cnn_layer_set_output(layer, &(cnn_shape){ 1, { count } });
}

cnn_status cnn_layer_keep_shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_check_inputs(layer);
    return status ? status : cnn_layer_set_output(layer, &layer->inputs[0]);
}

cnn_status cnn_layer_add_parameter(cnn_layer *layer, const cnn_layer_parameter *parameter)
{
    char text[CNN_SHAPE_TEXT_SIZE];
    if (!fits(parameter->rank, parameter->dims))
        return cnn_fail(CNN_ERROR_LIMIT, "%s of %s is too large: at most %lld values are possible", parameter->name,
                        cnn_dims_text(parameter->rank, parameter->dims, text, sizeof text),
                        (long long)CNN_LAYER_MAX_ELEMENTS);
    layer->parameters[layer->parameter_count++] = *parameter;
    return CNN_OK;
}

cnn_status cnn_layer_add_constant(cnn_layer *layer, const char *name, int64_t count, float value, bool trainable)
{
    return cnn_layer_add_parameter(
        layer,
        &(cnn_layer_parameter){
            .name = name, .rank = 1, .dims = { count }, .constant = true, .value = value, .trainable = trainable });
}

cnn_status cnn_check_initializer(int32_t initializer)
{
    if (initializer < CNN_INIT_DEFAULT || initializer > CNN_INIT_ZEROS)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%d is no way to initialise weights", (int)initializer);
    return CNN_OK;
}

cnn_initializer cnn_weight_initializer(int32_t initializer)
{
    return initializer == CNN_INIT_DEFAULT ? CNN_INIT_HE_NORMAL : (cnn_initializer)initializer;
}

size_t cnn_layer_output_count(const cnn_layer *layer, int64_t batch)
{
    return (size_t)(batch * cnn_shape_count(&layer->output));
}

size_t cnn_layer_input_count(const cnn_layer *layer, int32_t input, int64_t batch)
{
    return (size_t)(batch * cnn_shape_count(&layer->inputs[input]));
}
