/* What every public function does with NULL: destroying it does nothing, a getter gives 0, NULL or "", and all else
 * that needs an object fails with a sentence. check_null.py sees to it that no function is left out. */
#include "../unit/test.h"

#include <math.h>
#include <string.h>

/* Fails unless the call is an error of the argument that leaves a sentence. */
#define assert_refused(call)                                  \
    do {                                                      \
        assert_status(CNN_ERROR_ARGUMENT, call);              \
        assert_true(strlen(cnn_last_error()) > strlen("x ")); \
    } while (0)

static void getters_give_nothing(void **state)
{
    (void)state;
    assert_int_equal(0, cnn_tensor_rank(NULL));
    assert_int_equal(0, cnn_tensor_dim(NULL, 0));
    assert_int_equal(0, cnn_tensor_count(NULL));
    assert_int_equal(0, cnn_tensor_bytes(NULL));
    assert_int_equal(CNN_FLOAT32, cnn_tensor_dtype(NULL));
    assert_null(cnn_tensor_data(NULL));
    assert_null(cnn_tensor_const_data(NULL));
    assert_int_equal(0, cnn_graph_node_count(NULL));
    assert_string_equal("", cnn_graph_node_name(NULL, 0));
    assert_string_equal("", cnn_graph_node_type(NULL, 0));
    assert_int_equal(0, cnn_graph_node_dims(NULL, 0, NULL, 0));
    assert_int_equal(0, cnn_graph_node_inputs(NULL, 0, NULL, 0));
    assert_int_equal(CNN_NODE_ERROR, cnn_graph_find(NULL, NULL));
    assert_null(cnn_model_graph(NULL));
    assert_int_equal(0, cnn_model_input_dims(NULL, NULL, 0));
    assert_int_equal(0, cnn_model_output_dims(NULL, NULL, 0));
    assert_int_equal(0, cnn_model_parameter_count(NULL));
    assert_int_equal(0, cnn_model_weight_count(NULL, NULL));
    assert_int_equal(0, cnn_model_flops(NULL));
    assert_int_equal(0, cnn_model_is_quantized(NULL));
    assert_null(cnn_model_metadata(NULL, NULL));
    assert_int_equal(0, cnn_classifier_class_count(NULL));
    assert_int_equal(0, cnn_top_classes(NULL, 2, NULL, 2));
    assert_null(cnn_classifier_class_name(NULL, 0));
    assert_null(cnn_classifier_preprocess(NULL));
    assert_null(cnn_classifier_model(NULL));
    assert_int_equal(0, cnn_classifier_flip(NULL));
    assert_true(cnn_classifier_temperature(NULL) == 1 && cnn_classifier_threshold(NULL) == 0.5f);
    assert_int_equal(0, cnn_dataset_count(NULL));
    assert_int_equal(0, cnn_dataset_class_count(NULL));
    assert_null(cnn_dataset_class_name(NULL, 0));
    assert_null(cnn_dataset_path(NULL, 0));
    assert_int_equal(-1, cnn_dataset_label(NULL, 0));
    assert_int_equal(0, cnn_dataset_has_test_part(NULL, NULL));
    assert_int_equal(0, cnn_loader_batch_count(NULL));
    assert_int_equal(0, cnn_metrics_confusion(NULL, 0, 0));
    assert_int_equal(0, cnn_history_count(NULL));
    assert_int_equal(0, cnn_history_best(NULL));
    assert_true(cnn_schedule_factor(NULL, 0, 1) == 1); /* NULL is the default schedule */
}

static void what_needs_nothing_gives_something(void **state)
{
    (void)state;
    assert_true(cnn_context_threads(NULL) > 0); /* NULL is the default context */
    assert_true(strlen(cnn_context_instruction_set(NULL)) > 0);
    assert_ok(cnn_context_set_log(NULL, NULL, NULL));
    cnn_context_cancel(NULL);
    assert_int_equal(0, cnn_limit_threads(0));
    assert_true(cnn_context_memory_in_use(NULL) <= cnn_context_memory_peak(NULL));
    assert_true(strlen(cnn_version()) > 0 && strlen(cnn_net_name(0)) > 0 && cnn_last_error());
    assert_null(cnn_net_name(UINT32_MAX));
    assert_int_equal(CNN_VERSION_NUMBER, cnn_version_number());
    assert_int_equal(0, cnn_has_feature(NULL));
    assert_null(cnn_feature_name(UINT32_MAX));
    assert_int_equal(0, cnn_dtype_size((cnn_dtype)-1));
    assert_true(strlen(cnn_status_name((cnn_status)-99999)) > 0);
    assert_null(cnn_optimizer_kind_name((cnn_optimizer_kind)-1));
    assert_null(cnn_schedule_kind_name((cnn_schedule_kind)-1));
}

static void releasing_nothing_does_nothing(void **state)
{
    (void)state;
    cnn_context_destroy(NULL);
    cnn_tensor_destroy(NULL);
    cnn_graph_destroy(NULL);
    cnn_model_destroy(NULL);
    cnn_classifier_destroy(NULL);
    cnn_dataset_destroy(NULL);
    cnn_loader_destroy(NULL);
    cnn_metrics_destroy(NULL);
    cnn_history_destroy(NULL);
    cnn_optimizer_destroy(NULL);
    cnn_text_free(NULL);
    cnn_bytes_free(NULL);
    cnn_metrics_reset(NULL);
    cnn_model_changed(NULL);
    cnn_graph_set_output(NULL, 0);
    cnn_classifier_evaluate_options(NULL, NULL);
}

static void layers_of_no_graph_are_no_nodes(void **state)
{
    (void)state;
    const cnn_node nodes[] = {
        cnn_input(NULL, 1, 1, 1),
        cnn_graph_set_name(NULL, 0, NULL),
        cnn_conv2d(NULL, 0, 1, NULL),
        cnn_max_pool2d(NULL, 0, NULL),
        cnn_avg_pool2d(NULL, 0, NULL),
        cnn_global_avg_pool(NULL, 0),
        cnn_dense(NULL, 0, 1, NULL),
        cnn_flatten(NULL, 0),
        cnn_batch_norm(NULL, 0, NULL),
        cnn_dropout(NULL, 0, 0),
        cnn_relu(NULL, 0),
        cnn_leaky_relu(NULL, 0, 0),
        cnn_relu6(NULL, 0),
        cnn_sigmoid(NULL, 0),
        cnn_tanh(NULL, 0),
        cnn_silu(NULL, 0),
        cnn_hard_swish(NULL, 0),
        cnn_hard_sigmoid(NULL, 0, 0, 0),
        cnn_gelu(NULL, 0, CNN_GELU_EXACT),
        cnn_elu(NULL, 0, 1),
        cnn_selu(NULL, 0),
        cnn_softplus(NULL, 0),
        cnn_clip(NULL, 0, 0, 1),
        cnn_softmax(NULL, 0),
        cnn_add(NULL, 0, 0),
        cnn_concat(NULL, NULL, 2),
        cnn_rescale(NULL, 0, 1, 0),
        cnn_normalize(NULL, 0, NULL, NULL),
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        assert_int_equal(CNN_NODE_ERROR, nodes[i]);
    assert_refused(cnn_graph_status(NULL));
}

static void graphs_and_models_are_refused(void **state)
{
    (void)state;
    assert_refused(cnn_context_create(NULL, NULL));
    assert_refused(cnn_tensor_create(NULL, CNN_FLOAT32, 0, NULL, NULL));
    assert_refused(cnn_tensor_wrap(NULL, CNN_FLOAT32, 0, NULL, NULL, NULL));
    assert_refused(cnn_tensor_to_dlpack(NULL, NULL));
    assert_refused(cnn_tensor_from_dlpack(NULL, NULL, NULL));
    assert_refused(cnn_graph_create(NULL, NULL));
    assert_refused(cnn_graph_create_net(NULL, NULL, NULL, NULL));
    assert_refused(cnn_graph_truncate(NULL, NULL, NULL, NULL));
    assert_refused(cnn_graph_from_json(NULL, NULL, 0, NULL));
    assert_refused(cnn_graph_to_json(NULL, NULL));
    assert_refused(cnn_model_create(NULL, NULL, 0, NULL));
    assert_refused(cnn_model_load(NULL, NULL, NULL));
    assert_refused(cnn_model_save(NULL, NULL));
    assert_refused(cnn_model_save_as(NULL, NULL, CNN_BFLOAT16));
    assert_refused(cnn_model_save_to_memory(NULL, CNN_FLOAT32, NULL, NULL));
    assert_refused(cnn_model_load_from_memory(NULL, NULL, 0, NULL));
    assert_refused(cnn_model_resize(NULL, 1, 1));
    assert_refused(cnn_model_predict(NULL, NULL, NULL));
    assert_refused(cnn_model_prediction_memory(NULL, 1, NULL));
    assert_refused(cnn_model_predict_layers(NULL, NULL, NULL, 0, NULL));
    assert_refused(cnn_model_forward(NULL, NULL, 0, 0, NULL));
    assert_refused(cnn_model_backward(NULL, NULL));
    assert_refused(cnn_model_set_precision(NULL, CNN_PRECISION_FLOAT32));
    assert_refused(cnn_model_parameter(NULL, 0, NULL));
    assert_refused(cnn_model_copy_weights(NULL, NULL, NULL));
    assert_refused(cnn_model_set_learning_rate_multiplier(NULL, NULL, 1));
    assert_refused(cnn_model_time_layers(NULL, NULL, NULL, 0));
    assert_refused(cnn_model_set_metadata(NULL, NULL, NULL));
    assert_refused(cnn_model_summary(NULL, NULL));
    assert_refused(cnn_model_program_text(NULL, NULL, NULL));
    assert_refused(cnn_model_program_dot(NULL, NULL, NULL));
    assert_refused(cnn_model_quantize(NULL, NULL, NULL));
    assert_refused(cnn_model_heat_map(NULL, NULL, 0, NULL));
    assert_refused(cnn_optimizer_create(NULL, NULL, NULL));
    assert_refused(cnn_optimizer_step(NULL, 0));
    assert_refused(cnn_file_save(NULL, NULL, 0));
    assert_refused(cnn_model_save_to_callbacks(NULL, CNN_FLOAT32, NULL));
    assert_refused(cnn_model_load_from_callbacks(NULL, NULL, NULL));
    assert_refused(cnn_classifier_save_to_callbacks(NULL, NULL));
    assert_refused(cnn_classifier_load_from_callbacks(NULL, NULL, NULL));
    cnn_status load = cnn_model_load_onnx(NULL, NULL, NULL, NULL), save = cnn_model_save_onnx(NULL, NULL);
    assert_true(load == CNN_ERROR_ARGUMENT || load == CNN_ERROR_UNSUPPORTED); /* a build without it */
    assert_true(save == CNN_ERROR_ARGUMENT || save == CNN_ERROR_UNSUPPORTED);
}

static void data_and_training_are_refused(void **state)
{
    (void)state;
    assert_refused(cnn_image_probe(NULL, 0, NULL, NULL));
    assert_refused(cnn_image_decode(NULL, NULL, 0, NULL, NULL, NULL));
    assert_refused(cnn_image_load(NULL, NULL, NULL, NULL));
    assert_refused(cnn_image_preprocess(NULL, NULL, NULL, NULL));
    assert_refused(cnn_image_resize(NULL, NULL, 1, 1, CNN_FIT_STRETCH, NULL));
    assert_refused(cnn_augment_parse(NULL, NULL));
    assert_refused(cnn_augment_apply(NULL, NULL, NULL, NULL, 0, 0, 0, NULL));
    assert_refused(cnn_dataset_open(NULL, NULL, NULL, NULL));
    assert_refused(cnn_dataset_create_from_source(NULL, NULL, NULL));
    assert_refused(cnn_dataset_create_from_pixels(NULL, NULL, NULL, 1, NULL, 0, NULL));
    assert_refused(cnn_dataset_read(NULL, 0, NULL, NULL));
    assert_refused(cnn_dataset_decode(NULL, 0, NULL, NULL));
    assert_refused(cnn_dataset_align_classes(NULL, NULL, 0));
    assert_refused(cnn_dataset_find_duplicates(NULL, NULL, NULL, NULL));
    assert_refused(cnn_dataset_get_parts(NULL, NULL));
    assert_refused(cnn_dataset_split(NULL, 0.5, 0, NULL, NULL));
    assert_refused(cnn_dataset_verify(NULL, NULL, NULL));
    assert_refused(cnn_loader_create(NULL, NULL, NULL, NULL));
    assert_refused(cnn_loader_start(NULL, 0));
    assert_refused(cnn_loader_next(NULL, NULL));
    assert_refused(cnn_loss_compute(CNN_LOSS_BINARY_CROSS_ENTROPY, 0, NULL, NULL, NULL, NULL));
    assert_refused(cnn_metrics_create(NULL, 2, NULL));
    assert_refused(cnn_metrics_add(NULL, 0, NULL, 0, 0));
    assert_refused(cnn_metrics_compute(NULL, NULL));
    assert_refused(cnn_metrics_compute_class(NULL, 0, NULL));
    assert_refused(cnn_history_get(NULL, 0, NULL));
    assert_refused(cnn_train(NULL, NULL, NULL, NULL, NULL));
    assert_refused(cnn_train_head(NULL, NULL, NULL, NULL, NULL, NULL));
    assert_refused(cnn_evaluate(NULL, NULL, NULL, NULL));
    assert_refused(cnn_calibrate(NULL, NULL, NULL, NULL));
}

static void classifiers_are_refused(void **state)
{
    (void)state;
    assert_refused(cnn_classifier_create(NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_create_from_graph(NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_create_from_model(NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_fit(NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_fit_with_history(NULL, NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_fit_head(NULL, NULL, NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_evaluate(NULL, NULL, NULL));
    assert_refused(cnn_classifier_calibrate(NULL, NULL));
    assert_refused(cnn_classifier_save_to_memory(NULL, NULL, NULL));
    assert_refused(cnn_classifier_load_from_memory(NULL, NULL, 0, NULL));
    assert_refused(cnn_classifier_set_flip(NULL, 1));
    assert_refused(cnn_classifier_set_threshold(NULL, 0.5f));
    assert_refused(cnn_classifier_resize(NULL, 1, 1));
    assert_refused(cnn_classifier_predict_file(NULL, NULL, NULL));
    assert_refused(cnn_classifier_predict_memory(NULL, NULL, 0, NULL));
    assert_refused(cnn_classifier_predict_pixels(NULL, NULL, NULL));
    assert_refused(cnn_classifier_predict_files(NULL, NULL, 1, NULL));
    assert_refused(cnn_classifier_predict_memories(NULL, NULL, NULL, 1, NULL));
    assert_refused(cnn_classifier_explain_file(NULL, NULL, 0, NULL, NULL));
    assert_refused(cnn_classifier_explain_memory(NULL, NULL, 0, 0, NULL, NULL));
    assert_refused(cnn_classifier_explain_pixels(NULL, NULL, 0, NULL, NULL));
    assert_refused(cnn_classifier_quantize(NULL, NULL, NULL, NULL));
    assert_refused(cnn_classifier_save(NULL, NULL));
    assert_refused(cnn_classifier_load(NULL, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_give_nothing),           cmocka_unit_test(what_needs_nothing_gives_something),
        cmocka_unit_test(releasing_nothing_does_nothing), cmocka_unit_test(layers_of_no_graph_are_no_nodes),
        cmocka_unit_test(graphs_and_models_are_refused),  cmocka_unit_test(data_and_training_are_refused),
        cmocka_unit_test(classifiers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
