/* A whole net against PyTorch's: its prediction, its output in training, its gradients, its running statistics. Weights
 * are too many for a file; make_fixtures.py makes the same ones. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../unit/test.h"
#include "formats/safetensors/safetensors.h"
#include "runtime/model_internal.h"

enum { BATCH = 3, SIZE = 96 };

static cnn_safetensors *fixtures;

static const float *find(const char *folder, const char *name, size_t count)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", folder, name);
    const cnn_safetensors_array *array = cnn_safetensors_find(fixtures, path);
    if (!array)
        fail_msg("%s is missing", path);
    assert_int_equal(count * sizeof(float), array->bytes);
    return array->data;
}

static uint32_t key_of(const char *name)
{
    uint32_t key = 0;
    for (uint32_t i = 0; name[i]; i++)
        key += (i + 1) * (uint32_t)(unsigned char)name[i];
    return key;
}

/* `noise` of make_fixtures.py */
static float noise(uint32_t key, uint32_t place, double scale, double offset)
{
    uint32_t x = place * 2654435761u + key * 40503u;
    x = (x ^ (x >> 15)) * 2246822519u;
    x = (x ^ (x >> 13)) >> 8;
    return (float)((x / 8388608.0 - 1) * scale + offset);
}

static void fill(cnn_tensor *tensor, const char *name, double scale, double offset)
{
    float *values = cnn_tensor_data(tensor);
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++)
        values[i] = noise(key_of(name), (uint32_t)i, scale, offset);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && !strcmp(text + length - size, end);
}

static cnn_parameter parameter_of(cnn_model *model, int32_t i)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    assert_ok(cnn_model_parameter(model, i, &parameter));
    return parameter;
}

static cnn_model *make_model(cnn_context *context)
{
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.size = SIZE;
    cnn_graph *graph = NULL;
    cnn_model *model = NULL;
    assert_ok(cnn_graph_create_net(context, "resnet18", &options, &graph));
    cnn_graph_set_name(graph, cnn_graph_node_count(graph) - 1, "dense");
    assert_ok(cnn_model_create_blank(context, graph, &model));
    cnn_graph_destroy(graph);
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = parameter_of(model, i);
        double scale = 0.25, offset = 0;
        if (ends_with(parameter.name, "weight")) {
            int32_t last = cnn_tensor_rank(parameter.value) - 1;
            int64_t terms = cnn_tensor_count(parameter.value) / cnn_tensor_dim(parameter.value, last);
            scale = sqrt(6 / (double)terms);
        } else if (ends_with(parameter.name, "scale") || ends_with(parameter.name, "variance"))
            offset = 1;
        fill(parameter.value, parameter.name, scale, offset);
    }
    cnn_model_changed(model);
    return model;
}

static void compare(const char *folder, const char *name, const cnn_tensor *values, double tolerance)
{
    int64_t count = cnn_tensor_count(values);
    const float *expected = find(folder, name, (size_t)count), *found = cnn_tensor_const_data(values);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - (double)expected[i]) <= tolerance * (1 + fabs((double)expected[i]))))
            fail_msg("%s%s[%lld] is %.9g, not %.9g", folder, name, (long long)i, (double)found[i], (double)expected[i]);
}

/* Of a gradient its length is known, and its product with noise. */
static void compare_gradient(const char *name, const cnn_tensor *gradient)
{
    const float *expected = find("gradient/", name, 2), *found = cnn_tensor_const_data(gradient);
    double squares = 0, product = 0, noise_squares = 0;
    uint32_t key = key_of("probe");
    for (int64_t i = 0; i < cnn_tensor_count(gradient); i++) {
        double probe = (double)noise(key, (uint32_t)i, 1, 0), value = (double)found[i];
        squares += value * value;
        product += value * probe;
        noise_squares += probe * probe;
    }
    double length = sqrt(squares), most = 1e-3 * (double)expected[0];
    if (!(fabs(length - (double)expected[0]) <= most))
        fail_msg("the gradient of %s is %.9g long, not %.9g", name, length, (double)expected[0]);
    if (!(fabs(product - (double)expected[1]) <= most * sqrt(noise_squares)))
        fail_msg("the gradient of %s times noise is %.9g, not %.9g", name, product, (double)expected[1]);
}

static cnn_tensor *tensor_of(int32_t rank, const int64_t *dims)
{
    cnn_tensor *tensor = NULL;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, rank, dims, &tensor));
    return tensor;
}

static void check_net(cnn_instruction_set set)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    options.instruction_set = set;
    cnn_context *context = NULL;
    assert_ok(cnn_context_create(&options, &context));
    cnn_model *model = make_model(context);
    cnn_tensor *input = tensor_of(4, (int64_t[]){ BATCH, SIZE, SIZE, 3 });
    cnn_tensor *output = tensor_of(2, (int64_t[]){ BATCH, 1 }), *gradient = tensor_of(2, (int64_t[]){ BATCH, 1 });
    const cnn_tensor *logits;
    fill(input, "input", 1, 0);
    assert_ok(cnn_model_predict(model, input, output));
    compare("", "predicted", output, 1e-3);
    assert_ok(cnn_model_forward(model, input, 1, 0, &logits));
    compare("", "trained", logits, 1e-3);
    fill(gradient, "gradient", 1, 0);
    assert_ok(cnn_model_backward(model, gradient));
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = parameter_of(model, i);
        if (parameter.trainable)
            compare_gradient(parameter.name, parameter.gradient);
        else
            compare("after/", parameter.name, parameter.value, 1e-4);
    }
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(gradient);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void resnet18_gives_what_pytorch_gives(void **state)
{
    (void)state;
    check_net(CNN_ISA_BEST);
}

static void resnet18_in_plain_c_gives_what_pytorch_gives(void **state)
{
    (void)state;
    check_net(CNN_ISA_GENERIC);
}

int main(int argc, char **argv)
{
    if (argc != 2 || cnn_safetensors_open(NULL, argv[1], &fixtures)) {
        fprintf(stderr, "usage: test_golden_nets resnet18.safetensors\n%s\n", cnn_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet18_gives_what_pytorch_gives),
        cmocka_unit_test(resnet18_in_plain_c_gives_what_pytorch_gives),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_safetensors_close(fixtures);
    return failed;
}
