/* A model of two parameters, a matrix and a bias, whose gradients tests set. */
#ifndef CNN_TESTS_OPTIM_TEST_MODEL_H
#define CNN_TESTS_OPTIM_TEST_MODEL_H

#include "../test.h"

#include "runtime/model_internal.h"

static cnn_model *make_model(cnn_context *context, int64_t inputs, int64_t units)
{
    cnn_graph *graph;
    cnn_model *model;
    assert_ok(cnn_graph_create(context, &graph));
    cnn_node x = cnn_dense(graph, cnn_flatten(graph, cnn_input(graph, 1, 1, inputs)), units, NULL);
    cnn_graph_set_output(graph, x);
    assert_ok(cnn_model_create(context, graph, 1, &model));
    cnn_graph_destroy(graph);
    assert_int_equal(2, cnn_model_parameter_count(model));
    for (int i = 0; i < 2; i++) {
        cnn_weights *weights = &model->weights[i];
        assert_ok(cnn_tensor_create(context, CNN_FLOAT32, cnn_tensor_rank(weights->value),
                                    i ? (int64_t[]){ units } : (int64_t[]){ inputs, units }, &weights->gradient));
    }
    return model;
}

static inline float *values_of(cnn_model *model, int index)
{
    return cnn_tensor_data(model->weights[index].value);
}

static inline float *gradient_of(cnn_model *model, int index)
{
    return cnn_tensor_data(model->weights[index].gradient);
}

#endif
