#include "layers/layer_internal.h"

const cnn_layer_type cnn_layer_softmax = {
    .name = "softmax",
    .min_inputs = 1,
    .max_inputs = 1,
    .backward_needs_output = true,
    .in_place = true,
    .shape = cnn_layer_keep_shape,
};
