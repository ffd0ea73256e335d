#include <string.h>

#include "core/error.h"
#include "core/parallel.h"
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

/* Pixels of one task. */
enum { CHUNK = 256 };

static int64_t pixels_of(const cnn_layer_pass *pass)
{
    return pass->batch * cnn_shape_count(&pass->layer->output) / cnn_shape_channels(&pass->layer->output);
}

/* A pixel's channels. */
static size_t row_bytes(const cnn_layer *layer, const cnn_shape *shape)
{
    return (size_t)cnn_shape_channels(shape) * cnn_dtype_size(layer->output_type);
}

static void forward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_layer_pass *pass = argument;
    size_t width = row_bytes(pass->layer, &pass->layer->output), at = 0;
    size_t first = task * CHUNK, pixels = (size_t)pixels_of(pass);
    size_t end = first + CHUNK < pixels ? first + CHUNK : pixels;
    for (int32_t i = 0; i < pass->layer->input_count; i++) {
        size_t bytes = row_bytes(pass->layer, &pass->layer->inputs[i]);
        const char *input = pass->inputs[i];
        for (size_t pixel = first; pixel < end; pixel++)
            memcpy((char *)pass->output + pixel * width + at, input + pixel * bytes, bytes);
        at += bytes;
    }
}

static void forward(const cnn_layer_pass *pass)
{
    cnn_parallel(pass->context, ((size_t)pixels_of(pass) + CHUNK - 1) / CHUNK, forward_task, (void *)pass);
}

static void backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_layer_pass *pass = argument;
    size_t width = row_bytes(pass->layer, &pass->layer->output), at = 0;
    size_t first = task * CHUNK, pixels = (size_t)pixels_of(pass);
    size_t end = first + CHUNK < pixels ? first + CHUNK : pixels;
    for (int32_t i = 0; i < pass->layer->input_count; i++) {
        size_t bytes = row_bytes(pass->layer, &pass->layer->inputs[i]);
        char *gradient = pass->input_gradients[i];
        for (size_t pixel = first; gradient && pixel < end; pixel++)
            memcpy(gradient + pixel * bytes, (const char *)pass->output_gradient + pixel * width + at, bytes);
        at += bytes;
    }
}

static void backward(const cnn_layer_pass *pass)
{
    cnn_parallel(pass->context, ((size_t)pixels_of(pass) + CHUNK - 1) / CHUNK, backward_task, (void *)pass);
}

const cnn_layer_type cnn_layer_concat = {
    .name = "concat",
    .min_inputs = 2,
    .max_inputs = CNN_MAX_INPUTS,
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
