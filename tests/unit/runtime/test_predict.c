#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/explain.h>

#include "models.h"
#include "runtime/model_internal.h"

static cnn_model *random_model(cnn_context *context, uint64_t seed)
{
    cnn_graph *graph = random_graph(context, seed, false);
    cnn_model *model;
    assert_ok(cnn_model_create_blank(context, graph, &model));
    cnn_graph_destroy(graph);
    fill_parameters(model, seed);
    return model;
}

static void assert_close(const cnn_tensor *a, const cnn_tensor *b, double tolerance)
{
    assert_int_equal(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        double x = (double)((const float *)a->data)[i], y = (double)((const float *)b->data)[i];
        if (!(fabs(x - y) <= tolerance * (1 + fabs(x))))
            fail_msg("value %d is %.9g here and %.9g there", (int)i, x, y);
    }
}

static void fused_layers_predict_as_single_ones_do(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        cnn_model *fused = random_model(NULL, seed), *single = random_model(NULL, seed);
        single->fuse = single->share_memory = false;
        cnn_tensor *input = batch_of(3, cnn_model_input_shape(fused), seed);
        cnn_tensor *a = batch_of(3, cnn_model_output_shape(fused), 1),
                   *b = batch_of(3, cnn_model_output_shape(fused), 2);
        assert_ok(cnn_model_predict(fused, input, a));
        assert_ok(cnn_model_predict(single, input, b));
        assert_close(a, b, 1e-4);
        cnn_tensor_destroy(input);
        cnn_tensor_destroy(a);
        cnn_tensor_destroy(b);
        cnn_model_destroy(fused);
        cnn_model_destroy(single);
    }
}

static void an_image_gets_the_same_bits_in_any_batch(void **state)
{
    (void)state;
    enum { COUNT = 70 }; /* more than are computed at a time */
    cnn_model *model = random_model(NULL, 5);
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_tensor *input = batch_of(COUNT, in, 1), *together = batch_of(COUNT, out, 2), *alone = batch_of(COUNT, out, 3);
    assert_ok(cnn_model_predict(model, input, together));
    int64_t in_size = input->count / COUNT, out_size = together->count / COUNT;
    for (int64_t i = 0; i < COUNT; i++) {
        cnn_tensor *one_in, *one_out;
        int64_t in_dims[4] = { 1, in.dims[0], in.dims[1], in.dims[2] }, out_dims[2] = { 1, out.dims[0] };
        assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 4, in_dims, (float *)input->data + i * in_size, &one_in));
        assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, out_dims, (float *)alone->data + i * out_size, &one_out));
        assert_ok(cnn_model_predict(model, one_in, one_out));
        cnn_tensor_destroy(one_in);
        cnn_tensor_destroy(one_out);
    }
    assert_memory_equal(together->data, alone->data, cnn_tensor_bytes(alone));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(together);
    cnn_tensor_destroy(alone);
    cnn_model_destroy(model);
}

static void any_number_of_threads_predicts_the_same_bits(void **state)
{
    (void)state;
    enum { COUNT = 37 };
    float *first = NULL;
    for (uint32_t threads = 1; threads <= 6; threads++) {
        cnn_context_options options;
        cnn_context_options_init(&options);
        options.threads = threads;
        cnn_context *context;
        assert_ok(cnn_context_create(&options, &context));
        cnn_model *model = random_model(context, 5);
        cnn_tensor *input = batch_of(COUNT, cnn_model_input_shape(model), 1);
        cnn_tensor *output = batch_of(COUNT, cnn_model_output_shape(model), 2);
        assert_ok(cnn_model_predict(model, input, output));
        if (!first) {
            first = malloc(cnn_tensor_bytes(output));
            assert_non_null(first);
            memcpy(first, output->data, cnn_tensor_bytes(output));
        }
        assert_memory_equal(first, output->data, cnn_tensor_bytes(output));
        cnn_tensor_destroy(input);
        cnn_tensor_destroy(output);
        cnn_model_destroy(model);
        cnn_context_destroy(context);
    }
    free(first);
}

/* A model of which one image takes about `megabytes`, from which the number of images that a thread takes at a time
 * follows. */
static cnn_model *model_of_size(cnn_context *context, int64_t megabytes)
{
    cnn_graph *graph;
    assert_ok(cnn_graph_create(context, &graph));
    const cnn_conv2d_options wide = { .struct_size = sizeof wide, .kernel = { 1, 1 } };
    cnn_node node = cnn_conv2d(graph, cnn_input(graph, 64, 64, 3), megabytes * 64, &wide);
    node = cnn_max_pool2d(graph, cnn_tanh(graph, node),
                          &(cnn_pool2d_options){ .struct_size = sizeof(cnn_pool2d_options), .kernel = { 8, 8 } });
    cnn_global_avg_pool(graph, cnn_conv2d(graph, node, 2, NULL));
    cnn_model *model;
    assert_ok(cnn_model_create_blank(context, graph, &model));
    cnn_graph_destroy(graph);
    fill_parameters(model, (uint64_t)megabytes);
    return model;
}

static void any_number_of_images_on_any_number_of_threads_gets_the_same_bits(void **state)
{
    (void)state;
    enum { COUNT = 7 };
    const int64_t megabytes[] = { 4, 7, 20 };
    for (size_t m = 0; m < sizeof megabytes / sizeof megabytes[0]; m++) {
        float expected[COUNT * 2];
        for (uint32_t threads = 1; threads <= 4; threads++) {
            cnn_context *context = context_of(threads);
            cnn_model *model = model_of_size(context, megabytes[m]);
            cnn_tensor *images = batch_of(COUNT, cnn_model_input_shape(model), 1);
            for (int64_t count = threads == 1 ? COUNT : 1; count <= COUNT; count++) {
                float found[COUNT * 2];
                cnn_tensor *input, *output;
                assert_ok(
                    cnn_tensor_wrap(context, CNN_FLOAT32, 4, (int64_t[]){ count, 64, 64, 3 }, images->data, &input));
                assert_ok(cnn_tensor_wrap(context, CNN_FLOAT32, 2, (int64_t[]){ count, 2 }, found, &output));
                assert_ok(cnn_model_predict(model, input, output));
                if (threads == 1)
                    memcpy(expected, found, sizeof expected);
                assert_memory_equal(found, expected, (size_t)count * 2 * sizeof(float));
                cnn_tensor_destroy(input);
                cnn_tensor_destroy(output);
            }
            cnn_tensor_destroy(images);
            cnn_model_destroy(model);
            cnn_context_destroy(context);
        }
    }
}

typedef struct caller {
    pthread_t thread;
    const cnn_model *model;
    cnn_tensor *input, *expected, *output;
    int differing;
} caller;

static void *call_often(void *argument)
{
    caller *c = argument;
    for (int i = 0; i < 30; i++) {
        memset(c->output->data, 0, cnn_tensor_bytes(c->output));
        if (cnn_model_predict(c->model, c->input, c->output) ||
            memcmp(c->output->data, c->expected->data, cnn_tensor_bytes(c->output)))
            c->differing++;
    }
    return NULL;
}

static void four_threads_that_predict_at_once_get_what_one_gets(void **state)
{
    (void)state;
    cnn_context *context = context_of(2);
    cnn_model *reference = random_model(context, 6), *model = random_model(context, 6);
    caller callers[4];
    for (int i = 0; i < 4; i++) {
        caller *c = &callers[i];
        *c = (caller){ .model = model };
        c->input = batch_of(1 + i, cnn_model_input_shape(model), (uint64_t)i);
        c->expected = batch_of(1 + i, cnn_model_output_shape(model), 1);
        c->output = batch_of(1 + i, cnn_model_output_shape(model), 1);
        assert_ok(cnn_model_predict(reference, c->input, c->expected));
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&callers[i].thread, NULL, call_often, &callers[i]));
    for (int i = 0; i < 4; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(0, callers[i].differing);
        cnn_tensor_destroy(callers[i].input);
        cnn_tensor_destroy(callers[i].expected);
        cnn_tensor_destroy(callers[i].output);
    }
    cnn_model_destroy(reference);
    cnn_model_destroy(model);
    cnn_context_destroy(context);
}

static void changed_weights_count_once_the_model_is_told(void **state)
{
    (void)state;
    cnn_model *model = random_model(NULL, 7), *other = random_model(NULL, 7);
    cnn_tensor *input = batch_of(2, cnn_model_input_shape(model), 1);
    cnn_tensor *a = batch_of(2, cnn_model_output_shape(model), 1), *b = batch_of(2, cnn_model_output_shape(model), 2);
    assert_ok(cnn_model_predict(model, input, a));
    fill_parameters(model, 8);
    fill_parameters(other, 8);
    assert_ok(cnn_model_predict(model, input, a));
    assert_ok(cnn_model_predict(other, input, b));
    assert_close(a, b, 0);
    step_of_training(model, 2, 1); /* changes running statistics */
    step_of_training(other, 2, 1);
    cnn_model *fresh = random_model(NULL, 7);
    for (int32_t i = 0; i < model->weights_count; i++)
        memcpy(fresh->weights[i].value->data, model->weights[i].value->data, cnn_tensor_bytes(model->weights[i].value));
    assert_ok(cnn_model_predict(model, input, a));
    assert_ok(cnn_model_predict(fresh, input, b));
    assert_close(a, b, 0);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(a);
    cnn_tensor_destroy(b);
    cnn_model_destroy(model);
    cnn_model_destroy(other);
    cnn_model_destroy(fresh);
}

static void layers_that_do_nothing_leave_the_input_as_it_is(void **state)
{
    (void)state;
    cnn_graph *g;
    cnn_model *model;
    assert_ok(cnn_graph_create(NULL, &g));
    cnn_dropout(g, cnn_flatten(g, cnn_input(g, 3, 2, 1)), 0.5f);
    assert_ok(cnn_model_create(NULL, g, 1, &model));
    cnn_tensor *input = batch_of(4, cnn_model_input_shape(model), 1);
    cnn_tensor *copy = batch_of(4, cnn_model_input_shape(model), 1);
    cnn_tensor *output = batch_of(4, cnn_model_output_shape(model), 2);
    assert_ok(cnn_model_predict(model, input, output));
    assert_close(input, output, 0);
    step_of_training(model, 4, 1);
    const cnn_tensor *trained;
    assert_ok(cnn_model_forward(model, input, 1, 1, &trained));
    assert_memory_equal(copy->data, input->data, cnn_tensor_bytes(input));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(copy);
    cnn_tensor_destroy(output);
    cnn_model_destroy(model);
    cnn_graph_destroy(g);
}

static void tensors_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    cnn_model *model = random_model(NULL, 1);
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_tensor *input = batch_of(2, in, 1), *output = batch_of(2, out, 1), *longer = batch_of(3, out, 1);
    cnn_tensor *bytes, *none;
    assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 4, input->dims, &bytes));
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 4, (int64_t[]){ 0, 10, 9, 3 }, &none));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, output, output));
    assert_non_null(strstr(cnn_last_error(), "N×10×9×3"));
    assert_non_null(strstr(cnn_last_error(), "2×3"));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, input, input));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, input, longer));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, bytes, output));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, none, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict(model, NULL, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict(model, input, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_model_predict(NULL, input, output));
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(longer);
    cnn_tensor_destroy(bytes);
    cnn_tensor_destroy(none);
    cnn_model_destroy(model);
}

static void of_no_images_nothing_is_computed(void **state)
{
    (void)state;
    cnn_model *model = random_model(NULL, 1);
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_tensor *input = batch_of(0, in, 1), *output = batch_of(0, out, 1), *one = batch_of(1, out, 1), *map;
    assert_ok(cnn_model_predict(model, input, output));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, input, one));
    assert_status(CNN_ERROR_SHAPE, cnn_model_predict(model, output, output));
    const cnn_tensor *computed;
    double seconds[64];
    const struct {
        const char *function;
        cnn_status status;
    } others[] = { { "cnn_model_forward", cnn_model_forward(model, input, 0, 0, &computed) },
                   { "cnn_model_heat_map", cnn_model_heat_map(model, input, 0, &map) },
                   { "cnn_model_time_layers",
                     cnn_model_time_layers(model, input, seconds, cnn_graph_node_count(cnn_model_graph(model))) } };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].status != CNN_ERROR_SHAPE)
            fail_msg("%s takes no images", others[i].function);
    cnn_tensor_destroy(input);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(one);
    cnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_layers_predict_as_single_ones_do),
        cmocka_unit_test(an_image_gets_the_same_bits_in_any_batch),
        cmocka_unit_test(any_number_of_threads_predicts_the_same_bits),
        cmocka_unit_test(any_number_of_images_on_any_number_of_threads_gets_the_same_bits),
        cmocka_unit_test(four_threads_that_predict_at_once_get_what_one_gets),
        cmocka_unit_test(changed_weights_count_once_the_model_is_told),
        cmocka_unit_test(layers_that_do_nothing_leave_the_input_as_it_is),
        cmocka_unit_test(tensors_that_do_not_fit_are_refused),
        cmocka_unit_test(of_no_images_nothing_is_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
