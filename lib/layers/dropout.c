/* Dropout: Srivastava et al. 2014, with the kept values scaled up in training. */
#include <math.h>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"
#include "layers/layer_internal.h"

static cnn_status shape(cnn_layer *layer)
{
    const cnn_dropout_attributes *attributes = layer->attributes;
    if (!(attributes->rate >= 0 && attributes->rate < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "a rate of %g is not possible; it is 0 to below 1",
                        (double)attributes->rate);
    return cnn_layer_keep_shape(layer);
}

/* Values of one task, a multiple of the four words of a block of random numbers. */
enum { CHUNK = 4096 };

static size_t saved_bytes(const cnn_layer *layer, int64_t batch)
{
    return cnn_layer_output_count(layer, batch); /* a byte for each value: whether it is kept */
}

static size_t chunk_end(const cnn_layer_pass *pass, size_t task)
{
    size_t end = (task + 1) * CHUNK, count = cnn_layer_output_count(pass->layer, pass->batch);
    return end < count ? end : count;
}

static void run(const cnn_layer_pass *pass, cnn_task task)
{
    cnn_parallel(pass->context, (cnn_layer_output_count(pass->layer, pass->batch) + CHUNK - 1) / CHUNK, task,
                 (void *)pass);
}

/* A value is dropped where its random word is below the rate's share of all words; the words are numbered by the
 * value's place in the batch. */
static void draw(const cnn_layer_pass *pass, size_t first, size_t end, uint8_t *kept)
{
    const cnn_dropout_attributes *attributes = pass->layer->attributes;
    cnn_random random;
    cnn_random_init(&random, pass->seed, CNN_RANDOM_DROPOUT, pass->node, pass->step);
    random.counter[0] = (uint32_t)(first / 4);
    cnn_kernels_get(pass->context)
        ->dropout->draw(random.key, random.counter, (uint32_t)ceil((double)attributes->rate * 0x1p32), kept + first,
                        end - first);
}

static void mask(const cnn_layer_pass *pass, size_t first, size_t end, const void *from, void *to)
{
    const cnn_dropout_attributes *attributes = pass->layer->attributes;
    const uint8_t *kept = pass->saved;
    const cnn_dropout_kernels *kernels = cnn_kernels_get(pass->context)->dropout;
    float scale = 1 / (1 - attributes->rate);
    if (pass->layer->output_type == CNN_BFLOAT16)
        kernels->mask_bf16(kept + first, (const uint16_t *)from + first, scale, (uint16_t *)to + first, end - first);
    else
        kernels->mask(kept + first, (const float *)from + first, scale, (float *)to + first, end - first);
}

static void forward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_layer_pass *pass = argument;
    size_t end = chunk_end(pass, task);
    draw(pass, task * CHUNK, end, pass->saved);
    mask(pass, task * CHUNK, end, pass->inputs[0], pass->output);
}

static void forward(const cnn_layer_pass *pass)
{
    if (pass->training)
        run(pass, forward_task);
    else
        cnn_elementwise_copy(pass->context, pass->layer->output_type, pass->inputs[0], pass->output,
                             cnn_layer_output_count(pass->layer, pass->batch));
}

static void backward_task(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const cnn_layer_pass *pass = argument;
    mask(pass, task * CHUNK, chunk_end(pass, task), pass->output_gradient, pass->input_gradients[0]);
}

static void backward(const cnn_layer_pass *pass)
{
    if (pass->input_gradients[0])
        run(pass, backward_task);
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
    .values = CNN_LAYER_ONE_TYPE,
    .shape = shape,
    .saved_bytes = saved_bytes,
    .forward = forward,
    .backward = backward,
};
