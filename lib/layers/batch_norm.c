/* Batch normalisation: Ioffe and Szegedy 2015, arXiv:1502.03167. */
#include <math.h>

#include "core/error.h"
#include "layers/layer_internal.h"

enum { SCALE, OFFSET, RUNNING_MEAN, RUNNING_VARIANCE };

static cnn_status shape(cnn_layer *layer)
{
    cnn_batch_norm_attributes *attributes = layer->attributes;
    cnn_status status = cnn_layer_keep_shape(layer);
    if (status)
        return status;
    attributes->momentum = attributes->momentum != 0 ? attributes->momentum : 0.9f;
    attributes->epsilon = attributes->epsilon != 0 ? attributes->epsilon : 1e-5f;
    if (!(attributes->momentum > 0 && attributes->momentum < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a momentum of %g is not possible; it is above 0 and below 1",
                        (double)attributes->momentum);
    if (!(attributes->epsilon > 0) || !isfinite(attributes->epsilon))
        return cnn_fail(CNN_ERROR_ARGUMENT, "an epsilon of %g is not possible; it is above 0",
                        (double)attributes->epsilon);
    int64_t channels = cnn_shape_channels(&layer->output);
    status = cnn_layer_add_constant(layer, "scale", channels, 1, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "offset", channels, 0, true);
    if (!status)
        status = cnn_layer_add_constant(layer, "running_mean", channels, 0, false);
    return status ? status : cnn_layer_add_constant(layer, "running_variance", channels, 1, false);
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
    .shape = shape,
};
