/* What the callbacks of a training may do with the classifier that is trained. */
#include "photographs.h"

typedef struct watch {
    cnn_classifier *classifier;
    const cnn_dataset *test;
    const char *path;
    uint32_t epochs;
} watch;

static int save_and_evaluate(const cnn_epoch *epoch, void *user)
{
    watch *w = user;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_string_equal("blue", cnn_classifier_class_name(w->classifier, 0));
    assert_ok(cnn_classifier_evaluate(w->classifier, w->test, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_int_equal(2 * IMAGES, result.images);
    cnn_metrics_destroy(metrics);
    assert_ok(cnn_classifier_save(w->classifier, w->path));
    w->epochs = epoch->epoch;
    return 0;
}

static void a_first_training_may_be_saved_and_evaluated_after_each_epoch(void **state)
{
    cnn_dataset *data = open_data(state, "data"), *test = open_data(state, "test");
    watch w = { .test = test, .path = scratch_path(*state, "epoch.safetensors") };
    cnn_net_options net;
    cnn_net_options_init(&net);
    net.size = INPUT;
    cnn_classifier_options classifier_options;
    cnn_classifier_options_init(&classifier_options);
    classifier_options.net = &net;
    assert_ok(cnn_classifier_create(NULL, "two_conv", &classifier_options, &w.classifier));
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 2);
    options.on_epoch = save_and_evaluate;
    options.on_epoch_user = &w;
    assert_ok(cnn_classifier_fit(w.classifier, data, NULL, &options));
    assert_int_equal(2, w.epochs);
    cnn_classifier *saved;
    assert_ok(cnn_classifier_load(NULL, w.path, &saved));
    assert_string_equal("red", cnn_classifier_class_name(saved, 1));
    cnn_classifier_destroy(saved);
    cnn_classifier_destroy(w.classifier);
    cnn_dataset_destroy(test);
    cnn_dataset_destroy(data);
}

static int see_classes(const cnn_progress *progress, void *user)
{
    (void)progress;
    assert_string_equal("blue", cnn_classifier_class_name(user, 0));
    return 0;
}

static void a_first_training_that_fails_leaves_no_classes(void **state)
{
    cnn_dataset *data = open_data(state, "data");
    cnn_classifier *classifier;
    assert_ok(cnn_classifier_create(NULL, "two_conv", NULL, &classifier));
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 2);
    optimizer.kind = CNN_SGD;
    optimizer.learning_rate = 1e30f;
    options.on_step = see_classes;
    options.on_step_user = classifier;
    assert_status(CNN_ERROR_NOT_FINITE, cnn_classifier_fit(classifier, data, NULL, &options));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_save(classifier, scratch_path(*state, "none.safetensors")));
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_training_may_be_saved_and_evaluated_after_each_epoch),
        cmocka_unit_test(a_first_training_that_fails_leaves_no_classes),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
