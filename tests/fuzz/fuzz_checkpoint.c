/* Checkpoints from strangers, from which a training goes on. */
#include <stdlib.h>

#include "fuzz.h"

enum { SIDE = 8, IMAGES = 4 };

static cnn_model *make_model(cnn_context *context)
{
    cnn_graph *graph;
    cnn_model *model = NULL;
    if (cnn_graph_create(context, &graph))
        return NULL;
    cnn_node x = cnn_batch_norm(graph, cnn_conv2d(graph, cnn_input(graph, SIDE, SIDE, 3), 2, NULL), NULL);
    cnn_dense(graph, cnn_global_avg_pool(graph, cnn_relu(graph, x)), 1, NULL);
    if (cnn_model_create(context, graph, 1, &model))
        model = NULL;
    cnn_graph_destroy(graph);
    return model;
}

static cnn_dataset *make_dataset(cnn_context *context)
{
    static uint8_t pixels[IMAGES][SIDE * SIDE * 3];
    static const char *const names[] = { "a", "b" };
    static const int32_t labels[IMAGES] = { 0, 1, 0, 1 };
    cnn_tensor *images[IMAGES] = { 0 };
    cnn_dataset *dataset = NULL;
    cnn_status status = CNN_OK;
    for (int i = 0; i < IMAGES && !status; i++) {
        for (int k = 0; k < SIDE * SIDE * 3; k++)
            pixels[i][k] = (uint8_t)(k * (i + 3));
        status = cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIDE, SIDE, 3 }, pixels[i], &images[i]);
    }
    if (!status &&
        cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)images, labels, IMAGES, names, 2, &dataset))
        dataset = NULL;
    for (int i = 0; i < IMAGES; i++)
        cnn_tensor_destroy(images[i]);
    return dataset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cnn_context *context = fuzz_context(fuzz_hash(data, size));
    size_t framed;
    uint8_t *bytes = fuzz_frame_safetensors(data, size, &framed);
    const char *path = fuzz_write_file("checkpoint", bytes, framed);
    free(bytes);
    cnn_model *model = make_model(context);
    cnn_dataset *dataset = make_dataset(context);
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 2;
    options.checkpoint = path;
    options.resume = 1;
    if (model && dataset)
        cnn_train(model, dataset, NULL, &options, NULL);
    cnn_dataset_destroy(dataset);
    cnn_model_destroy(model);
    fuzz_allocations_succeed();
    return 0;
}
