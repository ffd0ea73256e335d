/* Writes the seeds that the library itself can make: models in floats and bytes, a classifier, a checkpoint, nets.
 * Usage: fuzz_make_seeds CORPUS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

enum { SIDE = 8, LARGEST = 1 << 20 };

static void check(cnn_status status)
{
    if (status) {
        fprintf(stderr, "%s\n", cnn_last_error());
        exit(1);
    }
}

static const char *path_of(const char *corpus, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", corpus, name);
    return path;
}

static void write_file(const char *path, const char *first, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(first, 1, strlen(first) ? 1 : 0, file) + fwrite(bytes, 1, size, file) < size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

/* As fuzz_frame_safetensors takes it: the header behind a 1. */
static void write_header(const char *from, const char *to)
{
    static uint8_t bytes[LARGEST];
    FILE *file = fopen(from, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    uint64_t length = 0;
    for (int i = 0; i < 8 && size > 8; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    if (!file || length > size - 8) {
        fprintf(stderr, "%s: is no safetensors file\n", from);
        exit(1);
    }
    fclose(file);
    write_file(to, "1", bytes + 8, length);
}

static cnn_graph *make_graph(int kind)
{
    cnn_graph *g;
    check(cnn_graph_create(NULL, &g));
    cnn_node x = cnn_input(g, SIDE, SIDE, 3);
    const cnn_conv2d_options depthwise = { .struct_size = sizeof depthwise, .groups = 4, .stride = { 2, 2 } };
    const cnn_conv2d_options dilated = {
        .struct_size = sizeof dilated, .dilation = { 2, 1 }, .padding = CNN_PADDING_EXPLICIT, .pads = { 2, 1, 2, 1 }
    };
    if (kind == 0) {
        x = cnn_max_pool2d(g, cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, 4, NULL), NULL)), NULL);
        cnn_dense(g, cnn_dropout(g, cnn_flatten(g, x), 0.5f), 1, NULL);
    } else if (kind == 1) {
        const float mean[] = { 0.5f, 0.4f, 0.3f }, deviation[] = { 0.2f, 0.2f, 0.3f };
        x = cnn_conv2d(g, cnn_normalize(g, cnn_rescale(g, x, 0.5f, 0.5f), mean, deviation), 4, &dilated);
        cnn_node branch = cnn_leaky_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, 4, &dilated), NULL), 0.1f);
        x = cnn_conv2d(g, cnn_relu6(g, cnn_add(g, x, branch)), 4, &depthwise);
        x = cnn_concat(g, (cnn_node[]){ x, cnn_tanh(g, x), cnn_sigmoid(g, x) }, 3);
        cnn_softmax(g, cnn_dense(g, cnn_global_avg_pool(g, cnn_avg_pool2d(g, x, NULL)), 3, NULL));
    } else {
        cnn_dense(g, cnn_global_avg_pool(g, cnn_relu(g, cnn_conv2d(g, x, 2, NULL))), 2, NULL);
    }
    return g;
}

static void write_models(const char *corpus, int kind)
{
    char name[64], *text;
    cnn_graph *graph = make_graph(kind);
    cnn_model *model, *quantized;
    cnn_tensor *images;
    check(cnn_model_create(NULL, graph, 1, &model));
    check(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ 2, SIDE, SIDE, 3 }, &images));
    for (int64_t i = 0; i < cnn_tensor_count(images); i++)
        ((float *)cnn_tensor_data(images))[i] = (float)(i % 17) / 8 - 1;
    check(cnn_model_quantize(model, images, &quantized));
    check(cnn_model_set_metadata(model, "author", "nobody"));
    const char *saved = "/tmp/cnn-seed.safetensors";
    check(cnn_model_save(model, saved));
    snprintf(name, sizeof name, "model/float%d", kind);
    write_header(saved, path_of(corpus, name));
    check(cnn_model_save_as(model, saved, CNN_BFLOAT16));
    snprintf(name, sizeof name, "model/bf16_%d", kind);
    write_header(saved, path_of(corpus, name));
    check(cnn_model_save(quantized, saved));
    snprintf(name, sizeof name, "model/int8_%d", kind);
    write_header(saved, path_of(corpus, name));
    snprintf(name, sizeof name, "onnx/net%d", kind);
    check(cnn_model_save_onnx(model, path_of(corpus, name)));
    check(cnn_graph_to_json(graph, &text));
    snprintf(name, sizeof name, "graph/net%d", kind);
    write_file(path_of(corpus, name), "", text, strlen(text));
    cnn_text_free(text);
    remove(saved);
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
}

static cnn_dataset *make_dataset(void)
{
    static uint8_t pixels[4][SIDE * SIDE * 3];
    cnn_tensor *images[4];
    cnn_dataset *dataset;
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < SIDE * SIDE * 3; k++)
            pixels[i][k] = (uint8_t)(k * (i + 3));
        check(cnn_tensor_wrap(NULL, CNN_UINT8, 3, (int64_t[]){ SIDE, SIDE, 3 }, pixels[i], &images[i]));
    }
    check(cnn_dataset_create_from_pixels(NULL, (const cnn_tensor *const *)images, (const int32_t[]){ 0, 1, 0, 1 }, 4,
                                         (const char *const[]){ "a", "b" }, 2, &dataset));
    for (int i = 0; i < 4; i++)
        cnn_tensor_destroy(images[i]);
    return dataset;
}

static void write_training(const char *corpus)
{
    cnn_graph *graph;
    check(cnn_graph_create(NULL, &graph));
    cnn_node x = cnn_batch_norm(graph, cnn_conv2d(graph, cnn_input(graph, SIDE, SIDE, 3), 2, NULL), NULL);
    cnn_dense(graph, cnn_global_avg_pool(graph, cnn_relu(graph, x)), 1, NULL);
    cnn_dataset *dataset = make_dataset();
    cnn_classifier *classifier;
    cnn_model *model;
    const char *checkpoint = "/tmp/cnn-seed.checkpoint", *saved = "/tmp/cnn-seed.safetensors";
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 1;
    check(cnn_classifier_create_from_graph(NULL, graph, NULL, &classifier));
    check(cnn_classifier_fit(classifier, dataset, NULL, &options));
    check(cnn_classifier_save(classifier, saved));
    write_header(saved, path_of(corpus, "classifier/two"));
    options.checkpoint = checkpoint;
    check(cnn_model_create(NULL, graph, 1, &model));
    check(cnn_train(model, dataset, NULL, &options, NULL));
    write_header(checkpoint, path_of(corpus, "checkpoint/one"));
    options.epochs = 2;
    remove(checkpoint);
    check(cnn_train(model, dataset, NULL, &options, NULL));
    write_header(checkpoint, path_of(corpus, "checkpoint/two"));
    remove(checkpoint);
    remove(saved);
    cnn_model_destroy(model);
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(dataset);
    cnn_graph_destroy(graph);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: fuzz_make_seeds CORPUS\n");
        return 2;
    }
    for (int kind = 0; kind < 3; kind++)
        write_models(argv[1], kind);
    write_training(argv[1]);
    return 0;
}
