#include "core/error.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_check_inputs(layer);
    if (status)
        return status;
    cnn_shape output = layer->inputs[0];
    int64_t *channels = &output.dims[output.rank - 1];
    for (int32_t i = 1; i < layer->input_count; i++) {
        const cnn_shape *input = &layer->inputs[i];
        char first[CNN_SHAPE_TEXT_SIZE], other[CNN_SHAPE_TEXT_SIZE];
        if (input->rank != output.rank ||
            (output.rank == 3 && (input->dims[0] != output.dims[0] || input->dims[1] != output.dims[1])))
            return cnn_fail(CNN_ERROR_SHAPE, "%s and %s can't be joined: they differ in more than the channels",
                            cnn_shape_text(&layer->inputs[0], first), cnn_shape_text(input, other));
        *channels += cnn_shape_channels(input);
    }
    return cnn_layer_set_output(layer, &output);
}

const cnn_layer_type cnn_layer_concat = {
    .name = "concat",
    .min_inputs = 2,
    .max_inputs = CNN_MAX_INPUTS,
    .shape = shape,
};
