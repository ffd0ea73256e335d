/* Uses what the worked examples of docs/internals.md add: the kernel and layer softsign, and the optimizer Lion. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cnn/cnn.h>

#define CHECK(condition) \
    if (!(condition))    \
    return fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, cnn_last_error()), 1

enum { UNITS = 37 }; /* not a multiple of any vector */

static float value_at(int i)
{
    return 0.3f * (float)(i - UNITS / 2);
}

static int check_forward(cnn_context *context)
{
    static const char net[] = "{\"layers\": [{\"name\": \"x\", \"type\": \"input\", \"shape\": [1, 1, 37]},"
                              "{\"name\": \"y\", \"type\": \"softsign\"}], \"output\": \"y\"}";
    cnn_graph *graph;
    cnn_model *model;
    cnn_tensor *input, *output;
    CHECK(!cnn_graph_from_json(context, net, strlen(net), &graph) && !cnn_model_create(context, graph, 1, &model));
    CHECK(!cnn_tensor_create(context, CNN_FLOAT32, 4, (int64_t[]){ 1, 1, 1, UNITS }, &input));
    CHECK(!cnn_tensor_create(context, CNN_FLOAT32, 4, (int64_t[]){ 1, 1, 1, UNITS }, &output));
    for (int i = 0; i < UNITS; i++)
        ((float *)cnn_tensor_data(input))[i] = value_at(i);
    CHECK(!cnn_model_predict(model, input, output));
    for (int i = 0; i < UNITS; i++)
        CHECK(fabsf(((float *)cnn_tensor_data(output))[i] - value_at(i) / (1 + fabsf(value_at(i)))) < 1e-6f);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return 0;
}

/* weights of UNITS outputs of one input of 1, so that their gradients are those of softsign */
static int check_training(cnn_context *context)
{
    cnn_graph *graph;
    cnn_model *model;
    cnn_optimizer *lion;
    cnn_tensor *input, *gradient;
    const cnn_tensor *output;
    float one = 1, ones[UNITS], before[UNITS];
    CHECK(!cnn_graph_create(context, &graph));
    cnn_node x = cnn_flatten(graph, cnn_input(graph, 1, 1, 1));
    cnn_softsign(graph, cnn_dense(graph, x, UNITS, NULL));
    CHECK(!cnn_model_create(context, graph, 1, &model));
    CHECK(!cnn_tensor_wrap(context, CNN_FLOAT32, 4, (int64_t[]){ 1, 1, 1, 1 }, &one, &input));
    CHECK(!cnn_tensor_wrap(context, CNN_FLOAT32, 2, (int64_t[]){ 1, UNITS }, ones, &gradient));
    cnn_parameter weight = { .struct_size = sizeof weight };
    CHECK(!cnn_model_parameter(model, 0, &weight));
    float *weights = cnn_tensor_data(weight.value);
    for (int i = 0; i < UNITS; i++) {
        ones[i] = i % 3 ? 1 : -1;
        weights[i] = before[i] = value_at(i);
    }
    cnn_model_changed(model);
    CHECK(!cnn_model_forward(model, input, 0, 0, &output) && !cnn_model_backward(model, gradient));
    CHECK(!cnn_model_parameter(model, 0, &weight));
    for (int i = 0; i < UNITS; i++) {
        float slope = 1 / ((1 + fabsf(before[i])) * (1 + fabsf(before[i])));
        CHECK(fabsf(((const float *)cnn_tensor_const_data(weight.gradient))[i] - ones[i] * slope) < 1e-5f);
    }
    cnn_optimizer_options options = { .struct_size = sizeof options, .kind = CNN_LION };
    CHECK(!cnn_optimizer_create(model, &options, &lion) && !cnn_optimizer_step(lion, 0.01f));
    for (int i = 0; i < UNITS; i++)
        CHECK(fabsf(weights[i] - (before[i] - 0.01f * ones[i])) < 1e-6f);
    cnn_optimizer_destroy(lion);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(gradient);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return 0;
}

int main(void)
{
    int failed = check_forward(NULL) || check_training(NULL);
    if (!failed)
        puts("the examples work");
    return failed;
}
