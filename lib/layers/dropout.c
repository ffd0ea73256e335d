/* Dropout: Srivastava et al. 2014, with the kept values scaled up in training. */
#include "core/error.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    const cnn_dropout_attributes *attributes = layer->attributes;
    if (!(attributes->rate >= 0 && attributes->rate < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a rate of %g is not possible; it is 0 to below 1",
                        (double)attributes->rate);
    return cnn_layer_keep_shape(layer);
}

static const cnn_attribute attributes_table[] = {
    { "rate", CNN_ATTRIBUTE_FLOAT, offsetof(cnn_dropout_attributes, rate), 1, NULL },
};

const cnn_layer_type cnn_layer_dropout = {
    .name = "dropout",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_dropout_attributes),
    .attributes = attributes_table,
    .attribute_count = 1,
    .in_place = true,
    .shape = shape,
};
