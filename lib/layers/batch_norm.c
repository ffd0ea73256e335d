/* Batch normalisation: Ioffe and Szegedy 2015, arXiv:1502.03167. Alone, and in training with what the fusion pass puts
 * behind it: an addition and an activation. */
#include <math.h>

#include "core/error.h"
#include "kernels/conv/conv.h"
#include "kernels/norm/batch_norm.h"
#include "layers/layer_internal.h"

enum { SCALE, OFFSET, RUNNING_MEAN, RUNNING_VARIANCE };

/* A plain layer is a fused one with nothing behind it. */
static cnn_fused_batch_norm_attributes fused_of(const cnn_layer *layer)
{
    if (layer->type == &cnn_layer_batch_norm)
        return (cnn_fused_batch_norm_attributes){ .norm = *(const cnn_batch_norm_attributes *)layer->attributes };
    return *(const cnn_fused_batch_norm_attributes *)layer->attributes;
}

/* The input that is normalised comes last, behind one that is added. */
static int32_t source_of(const cnn_layer *layer)
{
    return layer->input_count - 1;
}

static cnn_status shape_of(cnn_layer *layer, cnn_batch_norm_attributes *attributes)
{
    cnn_status status = cnn_layer_keep_shape(layer);
    if (status)
        return status;
    attributes->momentum = attributes->momentum != 0 ? attributes->momentum : 0.9f;
    attributes->epsilon = attributes->epsilon != 0 ? attributes->epsilon : 1e-5f;
    if (!(attributes->momentum > 0 && attributes->momentum < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a momentum of %g is not possible; it is above 0 and below 1",
                        (double)attributes->momentum);
    if (!(attributes->epsilon > 0) || !isfinite(attributes->epsilon))
        return cnn_fail(CNN_ERROR_ARGUMENT, "an epsilon of %g is not possible; it is above 0 and finite",
                        (double)attributes->epsilon);
    int64_t channels = cnn_shape_channels(&layer->output);
    status = cnn_layer_add_constant(layer, "scale", channels, 1, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "offset", channels, 0, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "running_mean", channels, 0, false);
    return status ? status : cnn_layer_add_constant(layer, "running_variance", channels, 1, false);
}

static cnn_status shape(cnn_layer *layer)
{
    return shape_of(layer, layer->attributes);
}

static cnn_status fused_shape(cnn_layer *layer)
{
    cnn_fused_batch_norm_attributes *attributes = layer->attributes;
    return shape_of(layer, &attributes->norm);
}

static size_t channels_of(const cnn_layer *layer)
{
    return (size_t)cnn_shape_channels(&layer->output);
}

static size_t rows_of(const cnn_layer *layer, int64_t batch)
{
    return cnn_layer_output_count(layer, batch) / channels_of(layer);
}

/* The batch's mean, and the inverse of its deviation. */
static size_t saved_bytes(const cnn_layer *layer, int64_t batch)
{
    (void)batch;
    return 2 * channels_of(layer) * sizeof(float);
}

/* Five numbers per channel, then what the sums need. */
static size_t workspace_bytes(cnn_context *context, const cnn_layer *layer, int64_t batch, bool training)
{
    (void)context;
    size_t numbers = 5 * channels_of(layer) * sizeof(float);
    return training ? numbers + cnn_batch_norm_workspace(rows_of(layer, batch), channels_of(layer)) : numbers;
}

static float *number(const cnn_layer_pass *pass, size_t index)
{
    return (float *)pass->workspace + index * channels_of(pass->layer);
}

static void *sums_workspace(const cnn_layer_pass *pass)
{
    return number(pass, 5);
}

static void update_running(const cnn_layer_pass *pass, const float *mean, const float *variance)
{
    const cnn_batch_norm_attributes attributes = fused_of(pass->layer).norm;
    float *running_mean = pass->parameters[RUNNING_MEAN], *running_variance = pass->parameters[RUNNING_VARIANCE];
    double rows = (double)rows_of(pass->layer, pass->batch);
    float unbiased = rows > 1 ? (float)(rows / (rows - 1)) : 1, keep = attributes.momentum;
    for (size_t c = 0; c < channels_of(pass->layer); c++) {
        running_mean[c] = keep * running_mean[c] + (1 - keep) * mean[c];
        running_variance[c] = keep * running_variance[c] + (1 - keep) * (variance[c] * unbiased);
    }
}

static void set_inverse(const cnn_layer_pass *pass, const float *variance, float *inverse)
{
    const cnn_batch_norm_attributes attributes = fused_of(pass->layer).norm;
    for (size_t c = 0; c < channels_of(pass->layer); c++)
        inverse[c] = 1 / sqrtf(variance[c] + attributes.epsilon);
}

static cnn_channels channels_in(const cnn_layer_pass *pass)
{
    return (cnn_channels){ pass->layer->output_type, rows_of(pass->layer, pass->batch), channels_of(pass->layer) };
}

static cnn_clamp clamp_of(const cnn_layer_pass *pass)
{
    return cnn_activation_clamp(fused_of(pass->layer).activation);
}

static void forward(const cnn_layer_pass *pass)
{
    const void *input = pass->inputs[source_of(pass->layer)];
    const cnn_channels shape = channels_in(pass);
    size_t channels = shape.channels;
    float *multiply = number(pass, 0), *inverse = number(pass, 1);
    const float *mean = pass->parameters[RUNNING_MEAN];
    if (pass->training) {
        float *batch_mean = pass->saved, *variance = number(pass, 2);
        inverse = batch_mean + channels;
        cnn_batch_norm_moments(pass->context, &shape, input, batch_mean, variance, sums_workspace(pass));
        set_inverse(pass, variance, inverse);
        update_running(pass, batch_mean, variance);
        mean = batch_mean;
    } else {
        set_inverse(pass, pass->parameters[RUNNING_VARIANCE], inverse);
    }
    for (size_t c = 0; c < channels; c++)
        multiply[c] = pass->parameters[SCALE][c] * inverse[c];
    cnn_batch_norm_affine affine = { mean, multiply, pass->parameters[OFFSET] };
    cnn_batch_norm_epilogue epilogue = { .residual = pass->layer->input_count > 1 ? pass->inputs[0] : NULL };
    epilogue.clamp = clamp_of(pass);
    cnn_batch_norm_apply(pass->context, &shape, &affine, &epilogue, input, pass->output);
}

/* From the sums of g and of g × (x − mean) the numbers for the gradient by x, and the gradients by scale and offset. */
static void set_gradients(const cnn_layer_pass *pass, const float *sum, const float *product, float *mean_gradient,
                          float *slope)
{
    size_t channels = channels_of(pass->layer);
    const float *inverse = (const float *)pass->saved + channels;
    float factor = 1 / (float)rows_of(pass->layer, pass->batch);
    for (size_t c = 0; c < channels; c++) {
        float scale_gradient = product[c] * inverse[c];
        if (pass->parameter_gradients[SCALE])
            pass->parameter_gradients[SCALE][c] = scale_gradient;
        if (pass->parameter_gradients[OFFSET])
            pass->parameter_gradients[OFFSET][c] = sum[c];
        mean_gradient[c] = sum[c] * factor;
        slope[c] = scale_gradient * inverse[c] * factor;
    }
}

/* By the running statistics, which are constants: the gradient by the input is the output's, scaled. Of a plain layer,
 * whose scale and offset don't learn. */
static void backward_frozen(const cnn_layer_pass *pass)
{
    size_t channels = channels_of(pass->layer);
    float *inverse = number(pass, 0), *zeros = number(pass, 1), *multiply = number(pass, 2);
    set_inverse(pass, pass->parameters[RUNNING_VARIANCE], inverse);
    for (size_t c = 0; c < channels; c++) {
        zeros[c] = 0;
        multiply[c] = pass->parameters[SCALE][c] * inverse[c];
    }
    cnn_batch_norm_affine affine = { zeros, multiply, zeros };
    const cnn_channels shape = channels_in(pass);
    cnn_batch_norm_apply(pass->context, &shape, &affine, NULL, pass->output_gradient, pass->input_gradients[0]);
}

/* With x' = (x - mean) / deviation and g the gradient by the output, where the activation lets it pass:
 * scale' = sum(g x'), offset' = sum(g), by x: (g - offset' / rows - x' scale' / rows) × scale / deviation, and by what
 * is added g itself. With an addition g is told by the output, and kept in one of the results; else by x. */
static void backward(const cnn_layer_pass *pass)
{
    const cnn_layer *layer = pass->layer;
    if (!pass->training) {
        backward_frozen(pass);
        return;
    }
    const cnn_channels shape = channels_in(pass);
    size_t channels = shape.channels;
    const float *mean = pass->saved, *inverse = mean + channels;
    float *sum = number(pass, 0), *product = number(pass, 1);
    float *mean_gradient = number(pass, 2), *slope = number(pass, 3), *multiply = number(pass, 4);
    for (size_t c = 0; c < channels; c++)
        multiply[c] = pass->parameters[SCALE][c] * inverse[c];
    bool adds = layer->input_count > 1;
    void *input_gradient = pass->input_gradients[source_of(layer)];
    cnn_batch_norm_affine forward_affine = { mean, multiply, pass->parameters[OFFSET] };
    cnn_batch_norm_mask mask = { .affine = &forward_affine };
    mask.clamp = clamp_of(pass);
    if (adds) {
        mask.output = pass->output;
        mask.masked = pass->input_gradients[0] ? pass->input_gradients[0] : input_gradient;
    }
    bool masks = adds || fused_of(layer).activation != CNN_ACTIVATION_NONE;
    cnn_batch_norm_backward with_mask = { masks ? &mask : NULL, pass->inputs[source_of(layer)], pass->output_gradient,
                                          mean };
    cnn_batch_norm_gradient_sums(pass->context, &shape, &with_mask, sum, product, sums_workspace(pass));
    set_gradients(pass, sum, product, mean_gradient, slope);
    if (!input_gradient)
        return;
    cnn_batch_norm_backward remaining = with_mask;
    if (adds) { /* has been masked */
        remaining.mask = NULL;
        remaining.gradient = mask.masked;
    }
    cnn_batch_norm_slopes slopes = { mean_gradient, slope, multiply };
    cnn_batch_norm_input_gradient(pass->context, &shape, &remaining, &slopes, input_gradient);
}

static const cnn_attribute attributes_table[] = {
    { "momentum", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_batch_norm_attributes, momentum), 1, NULL },
    { "epsilon", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_batch_norm_attributes, epsilon), 1, NULL },
};

const cnn_layer_type cnn_layer_batch_norm = {
    .name = "batch_norm",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_batch_norm_attributes),
    .attributes = attributes_table,
    .attribute_count = sizeof attributes_table / sizeof attributes_table[0],
    .backward_needs_inputs = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .saved_bytes = saved_bytes,
    .workspace_bytes = workspace_bytes,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_fused_batch_norm = {
    .name = "fused_batch_norm",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_fused_batch_norm_attributes),
    .backward_needs_inputs = true,
    .values = CNN_LAYER_ONE_TYPE,
    .in_place = true,
    .shape = fused_shape,
    .saved_bytes = saved_bytes,
    .workspace_bytes = workspace_bytes,
    .forward = forward,
    .backward = backward,
};

const cnn_layer_type cnn_layer_fused_batch_norm_add = {
    .name = "fused_batch_norm_add",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes_size = sizeof(cnn_fused_batch_norm_attributes),
    .backward_needs_inputs = true,
    .backward_needs_last_input_alone = true,
    .backward_needs_output = true,
    .values = CNN_LAYER_ONE_TYPE,
    .in_place = true,
    .shape = fused_shape,
    .saved_bytes = saved_bytes,
    .workspace_bytes = workspace_bytes,
    .forward = forward,
    .backward = backward,
};
