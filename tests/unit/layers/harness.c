#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"

cnn_status layer_shape(const layer_case *what, cnn_layer *layer, any_attributes *attributes)
{
    *attributes = what->attributes;
    *layer = (cnn_layer){ .type = what->type, .attributes = attributes };
    layer->input_count = what->input_count ? what->input_count : what->type->min_inputs;
    for (int32_t i = 0; i < layer->input_count; i++)
        layer->inputs[i] = what->inputs[i];
    return what->type->shape(layer);
}

static size_t count_of(int32_t rank, const int64_t *dims)
{
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    return count;
}

static float *new_floats(size_t count)
{
    float *memory = cnn_allocate(NULL, count * sizeof *memory);
    assert_non_null(memory);
    memset(memory, 0xFF, count * sizeof *memory); /* NaN: what isn't written shows */
    return memory;
}

/* Distinct numbers, none near 0 and none near another, so that small steps cross no kink; shuffled. */
static void fill_apart(cnn_random *random, float *values, size_t count)
{
    float gap = count < 200 ? 0.02f : 4.0f / (float)count;
    for (size_t i = 0; i < count; i++)
        values[i] = ((float)i - (float)(count / 2) + 0.5f) * gap;
    for (size_t i = count; i > 1; i--) {
        size_t j = cnn_random_below(random, (uint32_t)i);
        float value = values[i - 1];
        values[i - 1] = values[j];
        values[j] = value;
    }
}

static void fill(cnn_random *random, float *values, size_t count, float low, float high)
{
    for (size_t i = 0; i < count; i++)
        values[i] = cnn_random_between(random, low, high);
}

static void make_parameters(layer_run *run, cnn_random *random)
{
    for (int32_t i = 0; i < run->layer.parameter_count; i++) {
        const cnn_layer_parameter *parameter = &run->layer.parameters[i];
        size_t count = run->parameter_counts[i] = count_of(parameter->rank, parameter->dims);
        run->pass.parameters[i] = new_floats(count);
        bool positive = !strcmp(parameter->name, "running_variance") || !strcmp(parameter->name, "scale");
        fill(random, run->pass.parameters[i], count, positive ? 0.5f : -0.5f, positive ? 1.5f : 0.5f);
        if (parameter->trainable)
            run->pass.parameter_gradients[i] = new_floats(count);
    }
}

void layer_run_begin(layer_run *run, const layer_case *what, cnn_context *context)
{
    cnn_random random;
    uint64_t seed = 7;
    for (const char *c = what->name; *c; c++)
        seed = seed * 31 + (uint64_t)*c;
    cnn_random_init(&random, seed, CNN_RANDOM_WEIGHTS, 1, 1);

    memset(run, 0, sizeof *run);
    run->what = *what;
    run->context = context;
    any_attributes *attributes = calloc(1, sizeof *attributes);
    assert_ok(layer_shape(what, &run->layer, attributes));
    run->pass = (cnn_layer_pass){
        .context = context, .layer = &run->layer, .batch = what->batch, .seed = 11, .step = 3, .node = 5
    };
    for (int32_t i = 0; i < run->layer.input_count; i++) {
        run->input_counts[i] = (size_t)what->batch * count_of(run->layer.inputs[i].rank, run->layer.inputs[i].dims);
        run->inputs[i] = new_floats(run->input_counts[i]);
        fill_apart(&random, run->inputs[i], run->input_counts[i]);
        run->pass.input_gradients[i] = new_floats(run->input_counts[i]);
    }
    run->output_count = (size_t)what->batch * count_of(run->layer.output.rank, run->layer.output.dims);
    run->output = new_floats(run->output_count);
    run->output_gradient = new_floats(run->output_count);
    fill(&random, run->output_gradient, run->output_count, -1, 1);
    make_parameters(run, &random);
}

static void drop(void **memory)
{
    cnn_release(NULL, *memory);
    *memory = NULL;
}

void layer_run_end(layer_run *run)
{
    for (int32_t i = 0; i < CNN_MAX_INPUTS; i++) {
        cnn_release(NULL, run->inputs[i]);
        cnn_release(NULL, run->pass.input_gradients[i]);
    }
    for (int32_t i = 0; i < CNN_MAX_PARAMETERS; i++) {
        cnn_release(NULL, run->pass.parameters[i]);
        cnn_release(NULL, run->pass.parameter_gradients[i]);
    }
    cnn_release(NULL, run->output);
    cnn_release(NULL, run->output_gradient);
    drop(&run->pass.saved);
    free(run->layer.attributes);
}

static void *new_bytes(size_t bytes)
{
    void *memory = cnn_allocate(NULL, bytes);
    assert_non_null(memory);
    memset(memory, 0xFF, bytes);
    return memory;
}

void layer_forward(layer_run *run, bool training)
{
    const cnn_layer_type *type = run->layer.type;
    cnn_layer_pass *pass = &run->pass;
    void *packed = NULL, *workspace = NULL;
    pass->training = training;
    drop(&pass->saved);
    if (training && type->saved_bytes)
        pass->saved = new_bytes(run->saved_bytes = type->saved_bytes(&run->layer, pass->batch));
    if (type->workspace_bytes)
        workspace = new_bytes(type->workspace_bytes(run->context, &run->layer, pass->batch, training));
    if (type->packed_bytes) {
        packed = new_bytes(type->packed_bytes(run->context, &run->layer, training));
        type->pack(run->context, &run->layer, training, pass->parameters, packed);
    }
    for (int32_t i = 0; i < CNN_MAX_INPUTS; i++)
        pass->inputs[i] = run->inputs[i];
    pass->output = run->output;
    pass->packed = packed;
    pass->workspace = workspace;
    type->forward(pass);
    drop(&packed);
    drop(&workspace);
}

void layer_backward(layer_run *run)
{
    const cnn_layer_type *type = run->layer.type;
    cnn_layer_pass *pass = &run->pass;
    void *packed = NULL, *workspace = NULL;
    pass->training = true;
    if (type->workspace_bytes)
        workspace = new_bytes(type->workspace_bytes(run->context, &run->layer, pass->batch, true));
    if (type->packed_backward_bytes) {
        packed = new_bytes(type->packed_backward_bytes(run->context, &run->layer));
        type->pack_backward(run->context, &run->layer, pass->parameters, packed);
    }
    for (int32_t i = 0; i < CNN_MAX_INPUTS; i++)
        pass->inputs[i] = type->backward_needs_inputs ? run->inputs[i] : NULL;
    pass->output = type->backward_needs_output ? run->output : NULL;
    pass->output_gradient = run->output_gradient;
    pass->packed = NULL;
    pass->packed_backward = packed;
    pass->workspace = workspace;
    type->backward(pass);
    drop(&packed);
    drop(&workspace);
}

cnn_context *make_context(uint32_t threads, cnn_instruction_set set)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    options.instruction_set = set;
    cnn_context *context = NULL;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}
