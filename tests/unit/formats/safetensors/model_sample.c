/* Writes and reads model files for check_safetensors.py. Usage: model_sample write|read FILE, or quantize FILE FILE
 * Written: every value is its index in its array, times a half. Expected when reading: times a quarter. */
#include <stdio.h>
#include <string.h>

#include <cnn/cnn.h>

static cnn_model *create(void)
{
    cnn_graph *g;
    cnn_model *model;
    if (cnn_graph_create(NULL, &g))
        return NULL;
    cnn_node x = cnn_input(g, 6, 6, 3);
    x = cnn_graph_set_name(g, cnn_batch_norm(g, cnn_conv2d(g, x, 5, NULL), NULL), "na\xC3\xAFve");
    cnn_dense(g, cnn_flatten(g, x), 1, NULL);
    cnn_status status = cnn_model_create(NULL, g, 0, &model);
    cnn_graph_destroy(g);
    return status ? NULL : model;
}

/* Calls `visit` with every value and the one it should be, until one says no. */
static int all_values(cnn_model *model, float factor, int (*visit)(float *value, float wanted))
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        if (cnn_model_parameter(model, i, &parameter))
            return 0;
        float *values = cnn_tensor_data(parameter.value);
        for (int64_t j = 0; j < cnn_tensor_count(parameter.value); j++)
            if (!visit(&values[j], (float)j * factor))
                return 0;
    }
    return 1;
}

static int set(float *value, float wanted)
{
    *value = wanted;
    return 1;
}

static int equal(float *value, float wanted)
{
    return *value == wanted;
}

/* From one file to another. */
static int quantize(const char *from, const char *to)
{
    cnn_model *model, *quantized = NULL;
    cnn_tensor *images;
    if (cnn_model_load(NULL, from, &model) ||
        cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ 1, 6, 6, 3 }, &images))
        return 0;
    int sound = !cnn_model_quantize(model, images, &quantized) && !cnn_model_save(quantized, to);
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
    return sound;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "quantize")) {
        int done = quantize(argv[2], argv[3]);
        if (!done)
            fprintf(stderr, "%s: %s\n", argv[1], cnn_last_error());
        return !done;
    }
    if (argc != 3)
        return 2;
    cnn_model *model = NULL;
    int sound = 0;
    if (!strcmp(argv[1], "write")) {
        model = create();
        sound = model && all_values(model, 0.5f, set) && !cnn_model_set_metadata(model, "author", "\xC3\x89mile") &&
                !cnn_model_save(model, argv[2]);
    } else if (!cnn_model_load(NULL, argv[2], &model))
        sound = all_values(model, 0.25f, equal) && !strcmp("\xC3\x89mile", cnn_model_metadata(model, "author"));
    cnn_model_destroy(model);
    if (!sound)
        fprintf(stderr, "%s: %s\n", argv[1], cnn_last_error());
    return !sound;
}
