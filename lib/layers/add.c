#include <string.h>

#include "core/error.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_keep_shape(layer);
    if (status)
        return status;
    char first[CNN_SHAPE_TEXT_SIZE], second[CNN_SHAPE_TEXT_SIZE];
    const cnn_shape *a = &layer->inputs[0], *b = &layer->inputs[1];
    if (a->rank != b->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]))
        return cnn_fail(CNN_ERROR_SHAPE, "%s and %s can't be added: the shapes differ", cnn_shape_text(a, first),
                        cnn_shape_text(b, second));
    return CNN_OK;
}

const cnn_layer_type cnn_layer_add = {
    .name = "add",
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = true,
    .shape = shape,
};
