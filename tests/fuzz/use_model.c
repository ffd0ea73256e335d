#include <stdlib.h>
#include <string.h>

#include "../unit/memory_file.h"
#include "fuzz.h"
#include "runtime/model_internal.h"

/* Nets that take longer are left alone: the fuzzer would see little else. */
enum { WORK_MAX = 20000000, VALUES_MAX = 1 << 18, IMAGES = 3 };

static int64_t values_of(cnn_shape shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < shape.rank; i++)
        count *= shape.dims[i];
    return count;
}

static cnn_tensor *batch_of(cnn_context *context, int64_t images, cnn_shape shape)
{
    int64_t dims[1 + sizeof shape.dims / sizeof shape.dims[0]] = { images };
    cnn_tensor *tensor;
    memcpy(dims + 1, shape.dims, sizeof shape.dims);
    if (cnn_tensor_create(context, CNN_FLOAT32, shape.rank + 1, dims, &tensor))
        return NULL;
    float *values = cnn_tensor_data(tensor);
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++)
        values[i] = (float)(i * 7919 % 255) / 127.5f - 1;
    return tensor;
}

static int is_small(const cnn_model *model)
{
    return cnn_model_flops(model) < WORK_MAX && values_of(cnn_model_input_shape(model)) < VALUES_MAX &&
           values_of(cnn_model_output_shape(model)) < VALUES_MAX;
}

static void predict(cnn_context *context, const cnn_model *model, int64_t images)
{
    if (!is_small(model))
        return;
    cnn_tensor *input = batch_of(context, images, cnn_model_input_shape(model));
    cnn_tensor *output = batch_of(context, images, cnn_model_output_shape(model));
    if (input && output)
        cnn_model_predict(model, input, output);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
}

static void train_a_step(cnn_context *context, cnn_model *model, uint32_t choice)
{
    const cnn_tensor *output;
    cnn_tensor *input = batch_of(context, 2, cnn_model_input_shape(model));
    cnn_tensor *gradient = batch_of(context, 2, cnn_model_output_shape(model));
    cnn_optimizer *optimizer;
    if (choice & 1)
        cnn_model_set_precision(model, CNN_PRECISION_BFLOAT16);
    if (input && gradient && !cnn_model_forward(model, input, 1, 1, &output) && !cnn_model_backward(model, gradient) &&
        !cnn_optimizer_create(model, NULL, &optimizer)) {
        cnn_optimizer_step(optimizer, 0.001f);
        cnn_optimizer_destroy(optimizer);
    }
    cnn_tensor_destroy(gradient);
    cnn_tensor_destroy(input);
    predict(context, model, 1);
}

static void cut(cnn_context *context, cnn_model *model, uint32_t choice)
{
    const cnn_graph *graph = cnn_model_graph(model);
    int32_t nodes = cnn_graph_node_count(graph);
    cnn_graph *part;
    cnn_model *shorter;
    if (cnn_graph_truncate(context, graph, cnn_graph_node_name(graph, (int32_t)(choice % (uint32_t)nodes)), &part))
        return;
    if (!cnn_model_create(context, part, choice, &shorter)) {
        cnn_model_copy_weights(shorter, model, NULL);
        predict(context, shorter, 1);
        cnn_model_destroy(shorter);
    }
    cnn_graph_destroy(part);
}

static void resize(cnn_context *context, cnn_model *model, uint32_t choice)
{
    if (!cnn_model_resize(model, 1 + choice % 40, 1 + choice / 64 % 40))
        predict(context, model, 2);
}

static void quantize(cnn_context *context, cnn_model *model)
{
    cnn_model *quantized;
    cnn_tensor *images = batch_of(context, IMAGES, cnn_model_input_shape(model));
    if (images && !cnn_model_quantize(model, images, &quantized)) {
        predict(context, quantized, IMAGES);
        cnn_model_destroy(quantized);
    }
    cnn_tensor_destroy(images);
}

static cnn_status save_and_load_a_file(cnn_context *context, const cnn_model *model, cnn_dtype weights, bool *saved,
                                       cnn_model **again)
{
    const char *path = fuzz_path("saved.safetensors");
    cnn_status status = cnn_model_save_as(model, path, weights);
    *saved = !status;
    return status ? status : cnn_model_load(context, path, again);
}

static cnn_status save_and_load_memory(cnn_context *context, const cnn_model *model, cnn_dtype weights, bool *saved,
                                       cnn_model **again)
{
    void *bytes;
    size_t size;
    cnn_status status = cnn_model_save_to_memory(model, weights, &bytes, &size);
    *saved = !status;
    if (status)
        return status;
    status = cnn_model_load_from_memory(context, bytes, size, again);
    cnn_bytes_free(bytes);
    return status;
}

static cnn_status save_and_load_by_callbacks(cnn_context *context, const cnn_model *model, cnn_dtype weights,
                                             bool *saved, cnn_model **again)
{
    memory_file file = { 0 };
    cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    cnn_status status = cnn_model_save_to_callbacks(model, weights, &callbacks);
    *saved = !status;
    callbacks.size = file.size;
    if (!status)
        status = cnn_model_load_from_callbacks(context, &callbacks, again);
    free(file.bytes);
    return status;
}

static void save_and_load(cnn_context *context, const cnn_model *model, uint32_t choice)
{
    cnn_model *again;
    bool saved;
    cnn_dtype weights = choice & 1 ? CNN_FLOAT32 : CNN_BFLOAT16;
    uint32_t way = choice / 2 % 3;
    cnn_status status = way == 0   ? save_and_load_a_file(context, model, weights, &saved, &again)
                        : way == 1 ? save_and_load_memory(context, model, weights, &saved, &again)
                                   : save_and_load_by_callbacks(context, model, weights, &saved, &again);
    if (!saved)
        return;
    if (!status)
        cnn_model_destroy(again);
    else if (!fuzz_allocations_succeed())
        fuzz_fail("a model that was saved can't be loaded");
}

static void write_onnx_and_read(cnn_context *context, const cnn_model *model)
{
    cnn_model *again;
    if (cnn_model_save_onnx(model, fuzz_path("written.onnx")))
        return;
    cnn_status status = cnn_model_load_onnx(context, fuzz_path("written.onnx"), NULL, &again);
    if (!status) {
        cnn_shape before = cnn_model_input_shape(model), after = cnn_model_input_shape(again);
        if (memcmp(before.dims, after.dims, sizeof before.dims))
            fuzz_fail("a model in ONNX comes back with another input");
        predict(context, again, 1);
        cnn_model_destroy(again);
    } else if (!fuzz_allocations_succeed()) {
        fuzz_fail("a model that was written in ONNX can't be read");
    }
}

static void explain(cnn_context *context, const cnn_model *model, uint32_t choice)
{
    cnn_tensor *input = batch_of(context, 1, cnn_model_input_shape(model)), *map;
    if (input && !cnn_model_heat_map(model, input, (int32_t)(choice % 4), &map))
        cnn_tensor_destroy(map);
    cnn_tensor_destroy(input);
}

/* The values of two layers, and of one again. */
static void predict_layers(cnn_context *context, const cnn_model *model, uint32_t choice)
{
    const cnn_graph *graph = cnn_model_graph(model);
    uint32_t nodes = (uint32_t)cnn_graph_node_count(graph);
    const char *first = cnn_graph_node_name(graph, (int32_t)(choice % nodes));
    const char *const names[] = { first, cnn_graph_node_name(graph, (int32_t)(choice / 64 % nodes)), first };
    cnn_tensor *values[3], *input = batch_of(context, 2, cnn_model_input_shape(model));
    if (input && !cnn_model_predict_layers(model, input, names, 3, values))
        for (int i = 0; i < 3; i++)
            cnn_tensor_destroy(values[i]);
    cnn_tensor_destroy(input);
}

static void describe(cnn_context *context, const cnn_model *model)
{
    char *text;
    cnn_graph *graph;
    if (!cnn_model_summary(model, &text))
        cnn_text_free(text);
    if (cnn_graph_to_json(cnn_model_graph(model), &text))
        return;
    cnn_status status = cnn_graph_from_json(context, text, strlen(text), &graph);
    if (!status)
        cnn_graph_destroy(graph);
    else if (!fuzz_allocations_succeed())
        fuzz_fail("a graph that was written can't be read");
    cnn_text_free(text);
}

void fuzz_use_model(cnn_context *context, cnn_model *model, uint32_t choice)
{
    describe(context, model);
    if (!is_small(model))
        return;
    predict(context, model, 1 + choice % IMAGES);
    for (int i = 0; i < 2; i++, choice /= 8)
        switch (choice % 8) {
        case 0: train_a_step(context, model, choice / 8); break;
        case 1: cut(context, model, choice / 8); break;
        case 2: resize(context, model, choice / 8); break;
        case 3: quantize(context, model); break;
        case 4: save_and_load(context, model, choice / 8); break;
        case 5: write_onnx_and_read(context, model); break;
        case 6: explain(context, model, choice / 8); break;
        default:
            cnn_model_copy_weights(model, model, NULL);
            predict_layers(context, model, choice / 8);
            break;
        }
}
