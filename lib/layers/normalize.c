/* Fixed scaling of a network's input: the same for all channels, or for each its own. */
#include <math.h>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/norm/batch_norm.h"
#include "layers/layer_internal.h"

enum { MAX_CHANNELS = 16 };

static cnn_status rescale_shape(cnn_layer *layer)
{
    const cnn_rescale_attributes *attributes = layer->attributes;
    if (!isfinite(attributes->scale) || attributes->scale == 0 || !isfinite(attributes->offset))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "a scale of %g and an offset of %g are not possible: both are finite, and "
                        "the scale is not 0",
                        (double)attributes->scale, (double)attributes->offset);
    return cnn_layer_keep_shape(layer);
}

static cnn_status normalize_shape(cnn_layer *layer)
{
    const cnn_normalize_attributes *attributes = layer->attributes;
    cnn_status status = cnn_layer_keep_shape(layer);
    if (status)
        return status;
    int64_t channels = cnn_shape_channels(&layer->output);
    char text[CNN_SHAPE_TEXT_SIZE];
    if (channels > MAX_CHANNELS)
        return cnn_fail(CNN_ERROR_SHAPE, "the input %s has %lld channels; at most %d can be normalised",
                        cnn_shape_text(&layer->output, text), (long long)channels, MAX_CHANNELS);
    for (int64_t c = 0; c < channels; c++) {
        float mean = attributes->mean[c], deviation = attributes->deviation[c];
        if (!isfinite(mean) || !isfinite(deviation) || !(deviation > 0))
            return cnn_fail(
                CNN_ERROR_ARGUMENT,
                "a mean of %g and a deviation of %g are not possible (channel %lld of %s): both are finite, "
                "and the deviation is above 0",
                (double)mean, (double)deviation, (long long)c, cnn_shape_text(&layer->output, text));
    }
    return CNN_OK;
}

static void rescale_forward(const cnn_layer_pass *pass)
{
    const cnn_rescale_attributes *attributes = pass->layer->attributes;
    const float constants[2] = { attributes->scale, attributes->offset };
    cnn_elementwise_call call = { CNN_ELEMENTWISE_RESCALE, constants, pass->layer->output_type,
                                  cnn_layer_output_count(pass->layer, pass->batch) };
    cnn_elementwise_forward(pass->context, &call, pass->inputs[0], pass->output);
}

static void rescale_backward(const cnn_layer_pass *pass)
{
    const cnn_rescale_attributes *attributes = pass->layer->attributes;
    const float constants[2] = { attributes->scale, attributes->offset };
    cnn_elementwise_call call = { CNN_ELEMENTWISE_RESCALE, constants, pass->layer->output_type,
                                  cnn_layer_output_count(pass->layer, pass->batch) };
    if (pass->input_gradients[0])
        cnn_elementwise_backward(pass->context, &call, NULL, pass->output_gradient, pass->input_gradients[0]);
}

/* (from - subtract) / deviation */
static void apply(const cnn_layer_pass *pass, const float *subtract, const float *from, float *to)
{
    static const float zeros[MAX_CHANNELS];
    const cnn_normalize_attributes *attributes = pass->layer->attributes;
    size_t channels = (size_t)cnn_shape_channels(&pass->layer->output);
    float multiply[MAX_CHANNELS];
    for (size_t c = 0; c < channels; c++)
        multiply[c] = 1 / attributes->deviation[c];
    cnn_batch_norm_affine affine = { subtract ? subtract : zeros, multiply, zeros };
    size_t rows = channels ? cnn_layer_output_count(pass->layer, pass->batch) / channels : 0;
    cnn_batch_norm_apply(pass->context, &(cnn_channels){ CNN_FLOAT32, rows, channels }, &affine, NULL, from, to);
}

static void normalize_forward(const cnn_layer_pass *pass)
{
    const cnn_normalize_attributes *attributes = pass->layer->attributes;
    apply(pass, attributes->mean, pass->inputs[0], pass->output);
}

static void normalize_backward(const cnn_layer_pass *pass)
{
    if (pass->input_gradients[0])
        apply(pass, NULL, pass->output_gradient, pass->input_gradients[0]);
}

static const cnn_attribute rescale_attributes[] = {
    { "scale", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_rescale_attributes, scale), 1, NULL },
    { "offset", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_rescale_attributes, offset), 1, NULL },
};

static const cnn_attribute normalize_attributes[] = {
    { "mean", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_normalize_attributes, mean), 16, NULL },
    { "deviation", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_normalize_attributes, deviation), 16, NULL },
};

const cnn_layer_type cnn_layer_rescale = {
    .name = "rescale",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_rescale_attributes),
    .attributes = rescale_attributes,
    .attribute_count = 2,
    .in_place = true,
    .shape = rescale_shape,
    .forward = rescale_forward,
    .backward = rescale_backward,
};

const cnn_layer_type cnn_layer_normalize = {
    .name = "normalize",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_normalize_attributes),
    .attributes = normalize_attributes,
    .attribute_count = 2,
    .in_place = true,
    .shape = normalize_shape,
    .forward = normalize_forward,
    .backward = normalize_backward,
};
