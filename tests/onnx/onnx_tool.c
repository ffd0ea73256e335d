/* What test_onnx.py needs of the library. Usage:
 *   onnx_tool create NET|FILE.json FILE     a model with every weight drawn at random
 *   onnx_tool save MODEL FILE               as safetensors, or as ONNX if the name ends so
 *   onnx_tool predict MODEL INPUT OUTPUT    raw floats: N × height × width × channels in, N × outputs out
 *   onnx_tool weights MODEL                 how many are trained */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", cnn_last_error());
    return 1;
}

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    void *bytes = length > 0 ? malloc((size_t)length) : NULL;
    *size = bytes ? fread(bytes, 1, (size_t)length, file) : 0;
    fclose(file);
    return bytes;
}

static int ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && !strcmp(name + length - tail, end);
}

static cnn_status read_net(const char *name, cnn_graph **graph)
{
    size_t size = 0;
    if (!ends_in(name, ".json"))
        return cnn_graph_create_net(NULL, name, NULL, graph);
    char *text = read_file(name, &size);
    cnn_status status = cnn_graph_from_json(NULL, text, size, graph);
    free(text);
    return status;
}

/* Batch normalisation would otherwise do nothing. */
static void shake(cnn_model *model)
{
    uint32_t state = 1;
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        if (cnn_model_parameter(model, i, &parameter) || parameter.decay)
            continue;
        float *values = cnn_tensor_data(parameter.value);
        for (int64_t k = 0; k < cnn_tensor_count(parameter.value); k++) {
            state = state * 1664525u + 1013904223u;
            values[k] += (float)(state >> 8) * 0x1p-26f;
        }
    }
    cnn_model_changed(model);
}

static cnn_status save(const cnn_model *model, const char *path)
{
    return ends_in(path, ".onnx") ? cnn_model_save_onnx(model, path) : cnn_model_save(model, path);
}

static int create(const char *net, const char *path)
{
    cnn_graph *graph = NULL;
    cnn_model *model = NULL;
    if (read_net(net, &graph) || cnn_model_create(NULL, graph, 1, &model))
        return failed();
    shake(model);
    int result = cnn_model_set_metadata(model, "author", "\xC3\x89mile") || save(model, path) ? failed() : 0;
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return result;
}

static int predict(const cnn_model *model, const char *from, const char *to)
{
    int64_t in_dims[4], out_dims[4];
    int32_t out_rank = cnn_model_output_dims(model, out_dims + 1, 3);
    cnn_model_input_dims(model, in_dims + 1, 3);
    size_t size = 0, image = (size_t)(in_dims[1] * in_dims[2] * in_dims[3]) * sizeof(float);
    float *values = read_file(from, &size);
    in_dims[0] = out_dims[0] = (int64_t)(size / image);
    cnn_tensor *input, *output;
    if (cnn_tensor_wrap(NULL, CNN_FLOAT32, 4, in_dims, values, &input) ||
        cnn_tensor_create(NULL, CNN_FLOAT32, out_rank + 1, out_dims, &output) ||
        cnn_model_predict(model, input, output))
        return failed();
    FILE *file = fopen(to, "wb");
    int result = !file || fwrite(cnn_tensor_data(output), 1, cnn_tensor_bytes(output), file) < cnn_tensor_bytes(output);
    if (file)
        fclose(file);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    free(values);
    return result;
}

static int with_model(int argc, char **argv)
{
    cnn_model *model;
    uint64_t trained;
    int result = 2;
    if (cnn_model_load(NULL, argv[2], &model))
        return failed();
    if (!strcmp(argv[1], "save") && argc == 4)
        result = save(model, argv[3]) ? failed() : 0;
    else if (!strcmp(argv[1], "predict") && argc == 5)
        result = predict(model, argv[3], argv[4]);
    else if (!strcmp(argv[1], "weights")) {
        cnn_model_weight_count(model, &trained);
        result = printf("%llu\n", (unsigned long long)trained) < 0;
    }
    cnn_model_destroy(model);
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    return !strcmp(argv[1], "create") && argc == 4 ? create(argv[2], argv[3]) : with_model(argc, argv);
}
