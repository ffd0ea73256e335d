/* Three steps of a small network, forward, loss, backward and update, against PyTorch's. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../unit/test.h"
#include "formats/safetensors/safetensors.h"

enum { STEPS = 3, BATCH = 4 };

static cnn_safetensors *fixtures;

static const cnn_safetensors_array *find(const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", folder, name);
    const cnn_safetensors_array *array = cnn_safetensors_find(fixtures, path);
    if (!array)
        fail_msg("%s is missing", path);
    return array;
}

static cnn_tensor *tensor_of(const char *folder, const char *name)
{
    const cnn_safetensors_array *array = find(folder, name);
    cnn_tensor *tensor = NULL;
    assert_ok(cnn_tensor_create(NULL, array->dtype, array->rank, array->dims, &tensor));
    memcpy(cnn_tensor_data(tensor), array->data, array->bytes);
    return tensor;
}

static void compare(const char *folder, const char *name, const cnn_tensor *tensor, float tolerance)
{
    const cnn_safetensors_array *array = find(folder, name);
    const float *expected = array->data, *values = cnn_tensor_const_data(tensor);
    assert_int_equal(array->bytes, cnn_tensor_bytes(tensor));
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++)
        if (!(fabsf(values[i] - expected[i]) <= tolerance * (1 + fabsf(expected[i]))))
            fail_msg("%s%s[%lld] is %.9g, not %.9g", folder, name, (long long)i, (double)values[i],
                     (double)expected[i]);
}

static cnn_model *make_model(cnn_context *context)
{
    cnn_graph *g = NULL;
    cnn_model *model = NULL;
    assert_ok(cnn_graph_create(context, &g));
    cnn_conv2d_options same = { .struct_size = sizeof same, .padding = CNN_PADDING_SAME, .no_bias = 1 };
    cnn_node x = cnn_graph_set_name(g, cnn_conv2d(g, cnn_input(g, 12, 12, 3), 6, &same), "conv1");
    x = cnn_graph_set_name(g, cnn_batch_norm(g, x, NULL), "norm1");
    x = cnn_max_pool2d(g, cnn_relu(g, x), NULL);
    x = cnn_graph_set_name(g, cnn_conv2d(g, x, 8, NULL), "conv2");
    x = cnn_flatten(g, cnn_max_pool2d(g, cnn_relu(g, x), NULL));
    x = cnn_relu(g, cnn_graph_set_name(g, cnn_dense(g, x, 10, NULL), "dense1"));
    cnn_graph_set_name(g, cnn_dense(g, x, 1, NULL), "dense2");
    assert_ok(cnn_model_create(context, g, 1, &model));
    cnn_graph_destroy(g);
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        assert_ok(cnn_model_parameter(model, i, &parameter));
        const cnn_safetensors_array *first = find("first/", parameter.name);
        assert_int_equal(first->bytes, cnn_tensor_bytes(parameter.value));
        memcpy(cnn_tensor_data(parameter.value), first->data, first->bytes);
    }
    cnn_model_changed(model);
    return model;
}

static void compare_parameters(const cnn_model *model, const char *folder, bool gradients, float tolerance)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        assert_ok(cnn_model_parameter(model, i, &parameter));
        if (!gradients)
            compare(folder, parameter.name, parameter.value, tolerance);
        else if (parameter.trainable)
            compare(folder, parameter.name, parameter.gradient, tolerance);
    }
}

static void step(cnn_model *model, cnn_optimizer *optimizer, const char *folder, int number, float rate)
{
    char name[32];
    snprintf(name, sizeof name, "batch%d", number);
    cnn_tensor *batch = tensor_of("", name);
    snprintf(name, sizeof name, "target%d", number);
    cnn_tensor *target = tensor_of("", name), *gradient = NULL;
    const cnn_tensor *logits;
    double loss;
    assert_ok(cnn_model_forward(model, batch, 1, (uint64_t)number, &logits));
    snprintf(name, sizeof name, "logits%d", number);
    compare(folder, name, logits, 2e-5f);
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 2, (int64_t[]){ BATCH, 1 }, &gradient));
    assert_ok(cnn_loss_compute(CNN_LOSS_BINARY_CROSS_ENTROPY, 0, logits, target, &loss, gradient));
    snprintf(name, sizeof name, "loss%d", number);
    assert_float_equal(*(const float *)find(folder, name)->data, (float)loss, 1e-5f);
    assert_ok(cnn_model_backward(model, gradient));
    if (number == 0)
        compare_parameters(model, "gradient/", true, 2e-6f);
    assert_ok(cnn_optimizer_step(optimizer, rate));
    cnn_tensor_destroy(batch);
    cnn_tensor_destroy(target);
    cnn_tensor_destroy(gradient);
}

static void train(const char *folder, cnn_optimizer_options options, float rate)
{
    const cnn_instruction_set sets[] = { CNN_ISA_GENERIC, CNN_ISA_AVX2, CNN_ISA_BEST };
    for (int k = 0; k < 3; k++) {
        cnn_context_options context_options;
        cnn_context_options_init(&context_options);
        context_options.threads = 2;
        context_options.instruction_set = sets[k];
        cnn_context *context = NULL;
        assert_ok(cnn_context_create(&context_options, &context));
        cnn_model *model = make_model(context);
        cnn_optimizer *optimizer = NULL;
        options = optimizer_options(options);
        assert_ok(cnn_optimizer_create(model, &options, &optimizer));
        for (int i = 0; i < STEPS; i++)
            step(model, optimizer, folder, i, rate);
        char last[32];
        snprintf(last, sizeof last, "%slast/", folder);
        compare_parameters(model, last, false, 2e-5f);
        cnn_optimizer_destroy(optimizer);
        cnn_model_destroy(model);
        cnn_context_destroy(context);
    }
}

static void sgd_with_momentum_trains_as_pytorch_does(void **state)
{
    (void)state;
    train("sgd/", (cnn_optimizer_options){ .kind = CNN_SGD, .momentum = 0.9f }, 0.05f);
}

static void nesterov_trains_as_pytorch_does(void **state)
{
    (void)state;
    train("nesterov/", (cnn_optimizer_options){ .kind = CNN_SGD, .momentum = 0.9f, .nesterov = 1 }, 0.05f);
}

static void adam_trains_as_pytorch_does(void **state)
{
    (void)state;
    train("adam/", (cnn_optimizer_options){ .kind = CNN_ADAM }, 0.01f);
}

static void adamw_trains_as_pytorch_does(void **state)
{
    (void)state;
    train("adamw/", (cnn_optimizer_options){ .kind = CNN_ADAMW }, 0.01f);
}

static void rmsprop_trains_as_pytorch_does(void **state)
{
    (void)state;
    train("rmsprop/", (cnn_optimizer_options){ .kind = CNN_RMSPROP }, 0.002f);
}

int main(int argc, char **argv)
{
    if (argc != 2 || cnn_safetensors_open(NULL, argv[1], &fixtures)) {
        fprintf(stderr, "usage: test_golden_training training.safetensors\n%s\n", cnn_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_with_momentum_trains_as_pytorch_does),
        cmocka_unit_test(nesterov_trains_as_pytorch_does),
        cmocka_unit_test(adam_trains_as_pytorch_does),
        cmocka_unit_test(adamw_trains_as_pytorch_does),
        cmocka_unit_test(rmsprop_trains_as_pytorch_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cnn_safetensors_close(fixtures);
    return failed;
}
