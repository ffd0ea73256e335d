#include "core/error.h"
#include "core/tensor_internal.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    const cnn_input_attributes *attributes = layer->attributes;
    const int64_t *dims = attributes->shape;
    cnn_status status = cnn_layer_check_inputs(layer);
    if (status)
        return status;
    char text[CNN_SHAPE_TEXT_SIZE];
    if (dims[0] < 1 || dims[1] < 1 || dims[2] < 1)
        return cnn_fail(CNN_ERROR_ARGUMENT, "an input of %s is not possible; each dimension is 1 or more",
                        cnn_dims_text(3, dims, text, sizeof text));
    return cnn_layer_set_output(layer, &(cnn_shape){ 3, { dims[0], dims[1], dims[2] } });
}

static const cnn_attribute attributes_table[] = {
    { "shape", CNN_ATTRIBUTE_INT64, offsetof(cnn_input_attributes, shape), 3, NULL },
};

/* Has no forward: the executor puts the images where its output is read from. */
const cnn_layer_type cnn_layer_input = {
    .name = "input",
    .attributes_size = sizeof(cnn_input_attributes),
    .attributes = attributes_table,
    .attribute_count = 1,
    .shape = shape,
};
