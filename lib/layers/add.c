#include <string.h>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_keep_shape(layer);
    if (status)
        return status;
    char first[CNN_SHAPE_TEXT_SIZE], second[CNN_SHAPE_TEXT_SIZE];
    const cnn_shape *a = &layer->inputs[0], *b = &layer->inputs[1];
    if (a->rank != b->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) != 0)
        return cnn_fail(CNN_ERROR_SHAPE, "%s and %s can't be added: the shapes differ", cnn_shape_text(a, first),
                        cnn_shape_text(b, second));
    return CNN_OK;
}

static void forward(const cnn_layer_pass *pass)
{
    cnn_elementwise_add(pass->context, pass->layer->output_type, pass->inputs[0], pass->inputs[1], pass->output,
                        cnn_layer_output_count(pass->layer, pass->batch));
}

static void backward(const cnn_layer_pass *pass)
{
    for (int i = 0; i < 2; i++) {
        if (pass->input_gradients[i])
            cnn_elementwise_copy(pass->context, pass->layer->output_type, pass->output_gradient,
                                 pass->input_gradients[i], cnn_layer_output_count(pass->layer, pass->batch));
    }
}

const cnn_layer_type cnn_layer_add = {
    .name = "add",
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = true,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
