/* Pooling over windows, and over the whole image. */
#include "core/error.h"
#include "kernels/pool/pool.h"
#include "layers/layer_internal.h"
#include "layers/window.h"

/* Windows are numbered in 16 bits where a maximum is kept. */
enum { MAX_WINDOW = 65536 };

static cnn_window window_of(const cnn_pool2d_attributes *attributes)
{
    return (cnn_window){
        .kernel = { attributes->kernel[0], attributes->kernel[1] },
        .stride = { attributes->stride[0], attributes->stride[1] },
        .dilation = { 1, 1 },
        .padding = attributes->padding,
        .pads = attributes->pads,
    };
}

/* With less padding than the kernel's size on each side, every window has a pixel of the image. */
static cnn_status check_pads(const cnn_pool2d_attributes *attributes)
{
    for (int side = 0; side < 4; side++) {
        if (attributes->pads[side] >= attributes->kernel[side % 2])
            return cnn_fail(CNN_ERROR_ARGUMENT,
                            "a padding of %d is not possible with a kernel of %d\xC3\x97%d: it is less than the kernel",
                            (int)attributes->pads[side], (int)attributes->kernel[0], (int)attributes->kernel[1]);
    }
    if ((int64_t)attributes->kernel[0] * attributes->kernel[1] > MAX_WINDOW)
        return cnn_fail(CNN_ERROR_LIMIT, "a kernel of %d\xC3\x97%d is too large: at most %d pixels are possible",
                        (int)attributes->kernel[0], (int)attributes->kernel[1], MAX_WINDOW);
    return CNN_OK;
}

static cnn_status shape(cnn_layer *layer)
{
    cnn_pool2d_attributes *attributes = layer->attributes;
    cnn_status status = cnn_layer_check_image(layer);
    if (status)
        return status;
    for (int axis = 0; axis < 2; axis++) {
        attributes->kernel[axis] = attributes->kernel[axis] ? attributes->kernel[axis] : 2;
        attributes->stride[axis] = attributes->stride[axis] ? attributes->stride[axis] : attributes->kernel[axis];
    }
    cnn_window window = window_of(attributes);
    cnn_window_grid grid;
    status = cnn_window_place(&window, &layer->inputs[0], &grid);
    if (!status)
        status = check_pads(attributes);
    if (status)
        return status;
    return cnn_layer_set_output(layer, &(cnn_shape){ 3, { grid.count[0], grid.count[1], layer->inputs[0].dims[2] } });
}

static cnn_status global_shape(cnn_layer *layer)
{
    cnn_status status = cnn_layer_check_image(layer);
    return status ? status : cnn_layer_set_features(layer, layer->inputs[0].dims[2]);
}

cnn_pool_shape cnn_pool2d_shape(const cnn_pool2d_attributes *attributes, const cnn_shape *input, int64_t batch)
{
    cnn_window window = window_of(attributes);
    cnn_window_grid grid = cnn_window_placed(&window, input);
    return (cnn_pool_shape){
        .batch = batch,
        .in_height = input->dims[0],
        .in_width = input->dims[1],
        .channels = input->dims[2],
        .out_height = grid.count[0],
        .out_width = grid.count[1],
        .kernel = { window.kernel[0], window.kernel[1] },
        .stride = { window.stride[0], window.stride[1] },
        .pad_top = grid.padding[0],
        .pad_left = grid.padding[1],
    };
}

static cnn_pool_shape pool_shape(const cnn_layer_pass *pass)
{
    cnn_pool_shape shape = cnn_pool2d_shape(pass->layer->attributes, &pass->layer->inputs[0], pass->batch);
    shape.type = pass->layer->output_type;
    return shape;
}

static size_t max_saved_bytes(const cnn_layer *layer, int64_t batch)
{
    return cnn_layer_output_count(layer, batch) * sizeof(uint16_t);
}

static void max_forward(const cnn_layer_pass *pass)
{
    cnn_pool_shape pool = pool_shape(pass);
    cnn_max_pool_forward(pass->context, &pool, pass->inputs[0], pass->output, pass->saved);
}

static void max_backward(const cnn_layer_pass *pass)
{
    cnn_pool_shape pool = pool_shape(pass);
    if (pass->input_gradients[0])
        cnn_max_pool_backward(pass->context, &pool, pass->output_gradient, pass->saved, pass->input_gradients[0]);
}

static void avg_forward(const cnn_layer_pass *pass)
{
    cnn_pool_shape pool = pool_shape(pass);
    cnn_avg_pool_forward(pass->context, &pool, pass->inputs[0], pass->output);
}

static void avg_backward(const cnn_layer_pass *pass)
{
    cnn_pool_shape pool = pool_shape(pass);
    if (pass->input_gradients[0])
        cnn_avg_pool_backward(pass->context, &pool, pass->output_gradient, pass->input_gradients[0]);
}

static cnn_global_pool_shape global_pool_shape(const cnn_layer_pass *pass)
{
    const int64_t *dims = pass->layer->inputs[0].dims;
    return (cnn_global_pool_shape){ pass->batch, dims[0] * dims[1], dims[2], pass->layer->input_types[0] };
}

static void global_forward(const cnn_layer_pass *pass)
{
    cnn_global_pool_shape shape = global_pool_shape(pass);
    cnn_global_avg_pool_forward(pass->context, &shape, pass->inputs[0], pass->output);
}

static void global_backward(const cnn_layer_pass *pass)
{
    cnn_global_pool_shape shape = global_pool_shape(pass);
    if (pass->input_gradients[0])
        cnn_global_avg_pool_backward(pass->context, &shape, pass->output_gradient, pass->input_gradients[0]);
}

static const cnn_attribute attributes_table[] = {
    { "kernel", CNN_ATTRIBUTE_INT32, offsetof(cnn_pool2d_attributes, kernel), 2, NULL },
    { "stride", CNN_ATTRIBUTE_INT32, offsetof(cnn_pool2d_attributes, stride), 2, NULL },
    { "padding", CNN_ATTRIBUTE_ENUM, offsetof(cnn_pool2d_attributes, padding), 1, cnn_padding_names },
    { "pads", CNN_ATTRIBUTE_INT32, offsetof(cnn_pool2d_attributes, pads), 4, NULL },
};

const cnn_layer_type cnn_layer_max_pool2d = {
    .name = "max_pool2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_pool2d_attributes),
    .attributes = attributes_table,
    .attribute_count = sizeof attributes_table / sizeof attributes_table[0],
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .saved_bytes = max_saved_bytes,
    .forward = max_forward,
    .backward = max_backward,
};

const cnn_layer_type cnn_layer_avg_pool2d = {
    .name = "avg_pool2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .attributes_size = sizeof(cnn_pool2d_attributes),
    .attributes = attributes_table,
    .attribute_count = sizeof attributes_table / sizeof attributes_table[0],
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .forward = avg_forward,
    .backward = avg_backward,
};

const cnn_layer_type cnn_layer_global_avg_pool = {
    .name = "global_avg_pool",
    .min_inputs = 1,
    .max_inputs = 1,
    .values = CNN_LAYER_BF16_INPUT,
    .shape = global_shape,
    .forward = global_forward,
    .backward = global_backward,
};
