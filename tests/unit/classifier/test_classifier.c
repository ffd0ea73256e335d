#include "photographs.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/memory.h"

static cnn_classifier *create_small(cnn_context *context)
{
    cnn_graph *g;
    cnn_classifier *classifier;
    assert_ok(cnn_graph_create(context, &g));
    cnn_node x = cnn_input(g, INPUT, INPUT, 3);
    x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 8, NULL)), NULL);
    cnn_dense(g, cnn_global_avg_pool(g, x), 1, NULL);
    assert_ok(cnn_classifier_create_from_graph(context, g, NULL, &classifier));
    cnn_graph_destroy(g);
    return classifier;
}

static cnn_classifier *train_small(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *dataset = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 20);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    cnn_dataset_destroy(dataset);
    return classifier;
}

static void it_learns_to_tell_two_classes_apart(void **state)
{
    cnn_classifier *classifier = train_small(state);
    assert_string_equal("blue", cnn_classifier_class_name(classifier, 0));
    assert_string_equal("red", cnn_classifier_class_name(classifier, 1));
    assert_null(cnn_classifier_class_name(classifier, 2));
    cnn_dataset *test = open_data(state, "test");
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_classifier_evaluate(classifier, test, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_int_equal(2 * IMAGES, result.images);
    assert_true(result.accuracy > 0.95);
    const cnn_prediction red = predict(classifier, scratch_path(*state, "test/red/03.png"));
    assert_string_equal("red", red.label);
    assert_int_equal(1, red.class_index);
    assert_true(red.probability > 0.5f && red.confidence == red.probability);
    const cnn_prediction blue = predict(classifier, scratch_path(*state, "test/blue/03.png"));
    assert_string_equal("blue", blue.label);
    assert_true(blue.probability < 0.5f && blue.confidence == 1 - blue.probability);
    cnn_metrics_destroy(metrics);
    cnn_dataset_destroy(test);
    cnn_classifier_destroy(classifier);
}

static void names_and_labels_last_through_another_training(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *dataset = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 1);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    const char *name = cnn_classifier_class_name(classifier, 0);
    const cnn_prediction red = predict(classifier, scratch_path(*state, "data/red/03.png"));
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    assert_ptr_equal(name, cnn_classifier_class_name(classifier, 0));
    assert_string_equal("blue", name);
    assert_ptr_equal(red.label, cnn_classifier_class_name(classifier, (uint32_t)red.class_index));
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
}

static void assert_same_prediction(const cnn_prediction *a, const cnn_prediction *b)
{
    assert_int_equal(0, a->status);
    assert_int_equal(0, b->status);
    assert_int_equal(a->class_index, b->class_index);
    assert_string_equal(a->label, b->label);
    assert_memory_equal(&a->probability, &b->probability, sizeof a->probability);
    assert_memory_equal(&a->confidence, &b->confidence, sizeof a->confidence);
}

static void a_file_its_bytes_and_its_pixels_give_the_same(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/01.png");
    const cnn_prediction file = predict(classifier, path);
    cnn_prediction memory = { .struct_size = sizeof memory }, pixels = memory;
    char sentence[1024];
    void *bytes;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes, &size));
    assert_ok(cnn_classifier_predict_memory(classifier, bytes, size, &memory));
    assert_same_prediction(&file, &memory);
    cnn_tensor *image;
    assert_ok(cnn_image_load(NULL, path, NULL, &image));
    assert_ok(cnn_classifier_predict_pixels(classifier, image, &pixels));
    assert_same_prediction(&file, &pixels);
    memory.error = sentence;
    memory.error_capacity = sizeof sentence;
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_predict_memory(classifier, bytes, 30, &memory));
    assert_int_equal(CNN_ERROR_FORMAT, memory.status);
    assert_string_equal(cnn_last_error(), sentence);
    assert_true(memory.class_index == -1 && !memory.label);
    assert_ok(cnn_classifier_predict_memory(classifier, bytes, size, &memory));
    assert_same_prediction(&file, &memory);
    assert_string_equal("", sentence);
    cnn_tensor_destroy(image);
    cnn_release(NULL, bytes);
    cnn_classifier_destroy(classifier);
}

static void many_files_are_predicted_and_the_broken_ones_named(void **state)
{
    enum { COUNT = 70, BROKEN = 33, ABSENT = 5 };
    cnn_classifier *classifier = train_small(state);
    static char names[COUNT][512];
    const char *paths[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%s/test/%s/%02d.png", (const char *)*state, i % 2 ? "red" : "blue",
                 i / 2 % IMAGES);
        paths[i] = names[i];
    }
    snprintf(names[BROKEN], sizeof names[BROKEN], "%s/data/red/broken.png", (const char *)*state);
    snprintf(names[ABSENT], sizeof names[ABSENT], "%s/absent.png", (const char *)*state);
    static cnn_prediction predictions[COUNT];
    static char sentences[COUNT][1024];
    for (int i = 0; i < COUNT; i++) {
        cnn_prediction_init(&predictions[i]);
        predictions[i].error = sentences[i];
        predictions[i].error_capacity = sizeof sentences[i];
    }
    assert_ok(cnn_classifier_predict_files(classifier, paths, COUNT, predictions));
    for (int i = 0; i < COUNT; i++) {
        if (i == BROKEN || i == ABSENT) {
            assert_int_equal(i == BROKEN ? CNN_ERROR_FORMAT : CNN_ERROR_IO, predictions[i].status);
            assert_non_null(strstr(predictions[i].error, i == BROKEN ? "broken.png" : "absent.png"));
            continue;
        }
        const cnn_prediction alone = predict(classifier, paths[i]);
        assert_same_prediction(&alone, &predictions[i]);
    }
    assert_ok(cnn_classifier_predict_files(classifier, NULL, 0, NULL));
    predictions[0].struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_files(classifier, paths, COUNT, predictions));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_files(classifier, NULL, COUNT, predictions));
    cnn_classifier_destroy(classifier);
}

static void lists_and_text_are_cut_to_their_room(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/01.png"),
               *absent = scratch_path(*state, "\u00e4\u00e4\u00e4.png");
    float probabilities[] = { -7, -7, -7 };
    char sentence[] = "1234567";
    cnn_prediction p;
    cnn_prediction_init(&p);
    p.probabilities = probabilities;
    p.probability_capacity = 1;
    assert_ok(cnn_classifier_predict_file(classifier, path, &p));
    assert_true(p.class_count == 2 && fabsf(probabilities[0] + p.probability - 1) < 1e-6f && probabilities[1] == -7);
    p.probability_capacity = 3;
    assert_ok(cnn_classifier_predict_file(classifier, path, &p));
    assert_true(probabilities[1] == p.probability && probabilities[2] == -7);
    const size_t start = strlen(absent) - strlen("\u00e4\u00e4\u00e4.png");
    char *longer = malloc(start + 8);
    assert_non_null(longer);
    p.error = sentence;
    for (uint32_t capacity = 0; capacity <= 4; capacity++) {
        memcpy(sentence, "1234567", 8);
        p.error_capacity = capacity;
        assert_status(CNN_ERROR_IO, cnn_classifier_predict_file(classifier, absent, &p));
        assert_memory_equal(&"1234567"[capacity], sentence + capacity, 8 - capacity);
        assert_true(!capacity || (strlen(sentence) < capacity && !strncmp(absent, sentence, strlen(sentence))));
    }
    p.error = longer; /* which ends amid the first ä */
    p.error_capacity = (uint32_t)start + 2;
    assert_status(CNN_ERROR_IO, cnn_classifier_predict_file(classifier, absent, &p));
    assert_int_equal(start, strlen(longer));
    free(longer);
    cnn_classifier_destroy(classifier);
}

static void the_likeliest_classes_come_first(void **state)
{
    (void)state;
    const float probabilities[] = { 0.1f, 0.3f, 0.1f, 0.5f, 0 };
    uint32_t classes[6];
    assert_int_equal(3, cnn_top_classes(probabilities, 5, classes, 3));
    assert_true(classes[0] == 3 && classes[1] == 1 && classes[2] == 0);
    assert_int_equal(5, cnn_top_classes(probabilities, 5, classes, 6));
    assert_true(classes[2] == 0 && classes[3] == 2 && classes[4] == 4);
    assert_int_equal(0, cnn_top_classes(probabilities, 5, classes, 0));
}

static void many_images_in_memory_are_predicted_as_from_their_files(void **state)
{
    enum { COUNT = 40, BROKEN = 33, ABSENT = 5 };
    cnn_classifier *classifier = train_small(state);
    void *bytes[COUNT];
    size_t sizes[COUNT];
    cnn_prediction expected[2] = { 0 }, predictions[COUNT] = { { .struct_size = sizeof predictions[0] } };
    for (int i = 0; i < COUNT; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/test/%s/00.png", (const char *)*state, i % 2 ? "red" : "blue");
        assert_ok(cnn_file_read(NULL, path, 1 << 20, &bytes[i], &sizes[i]));
        if (i < 2)
            expected[i] = predict(classifier, path);
    }
    sizes[BROKEN] /= 2;
    cnn_release(NULL, bytes[ABSENT]);
    bytes[ABSENT] = NULL;
    const void *const *images = (const void *const *)bytes;
    assert_ok(cnn_classifier_predict_memories(classifier, images, sizes, COUNT, predictions));
    for (int i = 0; i < COUNT; i++) {
        if (i != BROKEN && i != ABSENT) {
            assert_same_prediction(&expected[i % 2], &predictions[i]);
            continue;
        }
        assert_int_equal(i == BROKEN ? CNN_ERROR_FORMAT : CNN_ERROR_ARGUMENT, predictions[i].status);
        assert_int_equal(-1, predictions[i].class_index);
    }
    assert_ok(cnn_classifier_predict_memories(classifier, NULL, NULL, 0, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memories(classifier, images, NULL, COUNT, predictions));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memories(classifier, NULL, sizes, COUNT, predictions));
    for (int i = 0; i < COUNT; i++)
        cnn_release(NULL, bytes[i]);
    cnn_classifier_destroy(classifier);
}

typedef struct reader {
    const cnn_classifier *classifier;
    const char *path;
    cnn_prediction predictions[8];
    cnn_status status;
} reader;

static void *predict_again_and_again(void *argument)
{
    reader *r = argument;
    for (int i = 0; i < 8 && !r->status; i++) {
        r->predictions[i].struct_size = sizeof r->predictions[i];
        r->status = cnn_classifier_predict_file(r->classifier, r->path, &r->predictions[i]);
    }
    return NULL;
}

static void many_threads_may_predict_at_once(void **state)
{
    enum { THREADS = 4 };
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/red/04.png");
    static reader readers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        readers[i] = (reader){ .classifier = classifier, .path = path };
        assert_int_equal(0, pthread_create(&threads[i], NULL, predict_again_and_again, &readers[i]));
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const cnn_prediction alone = predict(classifier, path);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(CNN_OK, readers[i].status);
        for (int j = 0; j < 8; j++)
            assert_same_prediction(&alone, &readers[i].predictions[j]);
    }
    cnn_classifier_destroy(classifier);
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded;
    const char *path = scratch_path(*state, "memory.safetensors"), *photo = scratch_path(*state, "test/red/04.png");
    assert_ok(cnn_classifier_save(classifier, path));
    cnn_classifier_destroy(classifier);
    scratch_memory memory = { 0 };
    cnn_context *context = scratch_context(&memory);
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        cnn_prediction predictions[2] = { { .struct_size = sizeof predictions[0] } };
        status = cnn_classifier_load(context, path, &loaded);
        if (!status)
            status = cnn_classifier_predict_file(loaded, photo, &predictions[0]);
        if (!status)
            status = cnn_classifier_predict_files(loaded, (const char *const[]){ photo, photo }, 2, predictions);
        if (!status && (predictions[0].status || predictions[1].status))
            status = CNN_ERROR_OUT_OF_MEMORY;
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        cnn_classifier_destroy(loaded);
        assert_int_equal(0, memory.held);
    }
    assert_true(memory.allowed > 20);
    cnn_context_destroy(context);
}

static void a_threshold_moves_the_decision_and_not_the_probability(void **state)
{
    cnn_classifier *classifier = train_small(state);
    const char *path = scratch_path(*state, "test/blue/02.png");
    const cnn_prediction before = predict(classifier, path);
    assert_int_equal(0, before.class_index);
    assert_ok(cnn_classifier_set_threshold(classifier, before.probability));
    const cnn_prediction at = predict(classifier, path);
    assert_int_equal(1, at.class_index);
    assert_string_equal("red", at.label);
    assert_true(at.probability == before.probability && at.confidence == before.probability);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(classifier, 1.5f));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(classifier, 0.0f / 0.0f));
    assert_true(cnn_classifier_threshold(classifier) == before.probability);
    cnn_classifier_destroy(classifier);
}

static void a_saved_classifier_comes_back_the_same(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded;
    const char *path = scratch_path(*state, "saved.safetensors"), *photo = scratch_path(*state, "test/red/05.png");
    assert_ok(cnn_classifier_set_threshold(classifier, 0.3f));
    assert_ok(cnn_classifier_save(classifier, path));
    assert_ok(cnn_classifier_load(NULL, path, &loaded));
    assert_true(cnn_classifier_threshold(loaded) == 0.3f);
    assert_string_equal("red", cnn_classifier_class_name(loaded, 1));
    const cnn_preprocess *before = cnn_classifier_preprocess(classifier), *after = cnn_classifier_preprocess(loaded);
    assert_memory_equal(before, after, sizeof *before);
    assert_int_equal(INPUT, after->width);
    const char *training = cnn_model_metadata(cnn_classifier_model(loaded), "cnn.training");
    assert_non_null(training);
    assert_non_null(strstr(training, "\"epochs\": 20"));
    assert_non_null(strstr(training, "\"optimizer\": \"adam\""));
    assert_non_null(strstr(training, "\"learning_rate\": 0.02,"));
    assert_non_null(strstr(training, "\"images\": 22,"));
    assert_non_null(strstr(training, "\"validation_images\": 2,"));
    assert_non_null(strstr(training, "\"validation_accuracy\": "));
    const cnn_prediction a = predict(classifier, photo), b = predict(loaded, photo);
    assert_same_prediction(&a, &b);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(classifier);
}

typedef struct log_lines {
    int count;
    char last[1024];
} log_lines;

static void keep_line(cnn_log_level level, const char *message, void *user)
{
    log_lines *lines = user;
    lines->count += level == CNN_LOG_WARNING;
    snprintf(lines->last, sizeof lines->last, "%s", message);
}

static void a_broken_file_is_named_once_in_the_log_and_left_out(void **state)
{
    log_lines lines = { 0 };
    cnn_context_options context_options;
    cnn_context *context;
    cnn_context_options_init(&context_options);
    context_options.threads = 2;
    context_options.log = keep_line;
    context_options.log_user = &lines;
    assert_ok(cnn_context_create(&context_options, &context));
    cnn_classifier *classifier = create_small(context);
    cnn_dataset *dataset;
    cnn_history *history;
    assert_ok(cnn_dataset_open(context, scratch_path(*state, "data"), NULL, &dataset));
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 2);
    assert_ok(cnn_classifier_fit_with_history(classifier, dataset, NULL, &options, &history));
    assert_int_equal(2, cnn_history_count(history));
    assert_int_equal(1, lines.count);
    assert_non_null(strstr(lines.last, "data/red/broken.png: is left out: "));
    assert_int_equal(2 * IMAGES + 1, cnn_dataset_count(dataset));
    cnn_history_destroy(history);

    uint64_t bad;
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad)); /* the caller has reported it: it isn't again */
    assert_int_equal(1, bad);
    assert_ok(cnn_classifier_fit(classifier, dataset, NULL, &options));
    assert_int_equal(1, lines.count);
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
    cnn_context_destroy(context);
}

static void data_that_does_not_fit_is_refused(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *three = open_data(state, "three"), *others = open_data(state, "others"),
                *data = open_data(state, "data");
    cnn_optimizer_options optimizer;
    const cnn_train_options options = train_options(&optimizer, 1);
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, three, NULL, &options));
    assert_non_null(strstr(cnn_last_error(), "3 classes (blue, green, red); the classifier tells 2 apart"));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, data, others, &options));
    assert_ok(cnn_classifier_fit(classifier, data, data, &options));
    assert_status(CNN_ERROR_DATA, cnn_classifier_fit(classifier, others, NULL, &options));
    cnn_metrics *metrics;
    assert_status(CNN_ERROR_DATA, cnn_classifier_evaluate(classifier, others, &metrics));
    assert_null(metrics);
    cnn_dataset_destroy(data);
    cnn_dataset_destroy(others);
    cnn_dataset_destroy(three);
    cnn_classifier_destroy(classifier);
}

static void a_training_that_does_not_begin_leaves_it_untrained(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_dataset *data = open_data(state, "data");
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 1);
    options.label_smoothing = -3;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, data, NULL, &options));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_null(cnn_model_metadata(cnn_classifier_model(classifier), "cnn.classes"));
    options.label_smoothing = 0;
    options.preprocess = cnn_classifier_preprocess(classifier);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, data, NULL, &options));
    assert_non_null(strstr(cnn_last_error(), "preprocess"));
    cnn_dataset_destroy(data);
    cnn_classifier_destroy(classifier);
}

static void graphs_that_are_no_classifiers_are_refused(void **state)
{
    (void)state;
    cnn_classifier *classifier;
    const struct {
        int64_t channels, units;
        bool sigmoid;
        const char *words;
    } cases[] = { { 1, 1, false, "1 channels" }, { 3, 1001, false, "one logit" }, { 3, 1, true, "ends in sigmoid" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_graph *g;
        assert_ok(cnn_graph_create(NULL, &g));
        cnn_node x = cnn_global_avg_pool(g, cnn_input(g, 8, 8, cases[i].channels));
        x = cnn_dense(g, x, cases[i].units, NULL);
        if (cases[i].sigmoid)
            cnn_sigmoid(g, x);
        assert_status(CNN_ERROR_SHAPE, cnn_classifier_create_from_graph(NULL, g, NULL, &classifier));
        assert_null(classifier);
        assert_non_null(strstr(cnn_last_error(), cases[i].words));
        cnn_graph_destroy(g);
    }
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "no_such_net", NULL, &classifier));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, NULL, NULL, &classifier));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create_from_graph(NULL, NULL, NULL, &classifier));
}

static void options_are_checked_and_used(void **state)
{
    (void)state;
    cnn_classifier *classifier;
    cnn_preprocess preprocess;
    cnn_net_options net;
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    cnn_preprocess_init(&preprocess);
    cnn_net_options_init(&net);
    net.size = 40;
    net.outputs = 5; /* ignored */
    preprocess.width = 999;
    preprocess.fit = CNN_FIT_CROP;
    preprocess.mean[1] = 100;
    options.net = &net;
    options.preprocess = &preprocess;
    assert_ok(cnn_classifier_create(NULL, "two_conv", &options, &classifier));
    const cnn_preprocess *used = cnn_classifier_preprocess(classifier);
    assert_int_equal(40, used->width);
    assert_int_equal(40, used->height);
    assert_int_equal(CNN_FIT_CROP, used->fit);
    assert_true(used->mean[1] == 100 && used->mean[0] == 127.5f);
    cnn_classifier_destroy(classifier);
    preprocess.scale[2] = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
    options.struct_size = 0;
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_create(NULL, "two_conv", &options, &classifier));
}

static void use_before_training_or_of_nothing_is_an_error(void **state)
{
    cnn_classifier *classifier = create_small(NULL);
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    cnn_metrics *metrics;
    cnn_dataset *dataset = open_data(state, "data");
    const char *photo = scratch_path(*state, "test/red/01.png"), *path = scratch_path(*state, "untrained");
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_file(classifier, photo, &prediction));
    assert_non_null(strstr(cnn_last_error(), "has not been trained"));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_evaluate(classifier, dataset, &metrics));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_save(classifier, path));
    assert_int_equal(-1, access(path, F_OK));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(NULL, dataset, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(classifier, NULL, NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_memory(NULL, "x", 1, &prediction));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_predict_pixels(NULL, NULL, &prediction));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_save(NULL, path));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_set_threshold(NULL, 0.5f));
    assert_null(cnn_classifier_class_name(classifier, 0));
    assert_null(cnn_classifier_model(NULL));
    assert_null(cnn_classifier_preprocess(NULL));
    cnn_classifier_destroy(NULL);
    cnn_dataset_destroy(dataset);
    cnn_classifier_destroy(classifier);
}

static void assert_not_loaded(const cnn_model *model, const char *path, const char *words)
{
    cnn_classifier *classifier;
    assert_ok(cnn_model_save(model, path));
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_load(NULL, path, &classifier));
    assert_null(classifier);
    if (!strstr(cnn_last_error(), words) || !strstr(cnn_last_error(), path))
        fail_msg("\"%s\" is not in: %s", words, cnn_last_error());
}

static void models_that_are_no_classifiers_are_not_loaded(void **state)
{
    static const struct {
        const char *key, *text, *words;
    } cases[] = {
        { "cnn.classes", NULL, "no trained classifier: cnn.classes is missing" },
        { "cnn.classes", "[\"a\"]", "no list of 2 class names" },
        { "cnn.classes", "[\"a\", 2]", "no list of 2 class names" },
        { "cnn.classes", "{", "cnn.classes: is not sound JSON" },
        { "cnn.preprocess", NULL, "cnn.preprocess is missing" },
        { "cnn.preprocess", "[]", "lacks a sound mean, scale or fit" },
        { "cnn.preprocess",
          "{\"width\": 16, \"height\": 17, \"fit\": \"crop\", \"mean\": [1, 1, 1], \"scale\": [1, 1, 1]}",
          "not those of the graph's input" },
        { "cnn.preprocess",
          "{\"width\": 16, \"height\": 16, \"fit\": \"crop\", \"mean\": [1, 1, 1], \"scale\": [1, 1, 0]}",
          "the scale is not 0" },
        { "cnn.threshold", "1.5", "no number between 0 and 1" },
        { "cnn.threshold", "\"0.5\"", "no number between 0 and 1" },
        { "cnn.temperature", "0", "no number above 0" },
        { "cnn.flip", "1", "neither true nor false" },
    };
    const char *path = scratch_path(*state, "notes.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cnn_classifier *classifier = create_small(NULL);
        cnn_model *model = cnn_classifier_model(classifier);
        assert_ok(cnn_model_set_metadata(model, "cnn.classes", "[\"blue\", \"red\"]"));
        assert_ok(cnn_model_set_metadata(model, cases[i].key, cases[i].text));
        assert_not_loaded(model, path, cases[i].words);
        cnn_classifier_destroy(classifier);
    }
}

static int stop_at_once(uint64_t done, uint64_t total, void *user)
{
    *(uint64_t *)user = total;
    return done > 0;
}

static void a_quantized_classifier_decides_as_the_first_does(void **state)
{
    cnn_classifier *first = train_small(state), *small, *none;
    cnn_dataset *photographs = open_data(state, "data"); /* one of them is broken */
    assert_ok(cnn_classifier_set_threshold(first, 0.4f));
    assert_ok(cnn_classifier_quantize(first, photographs, NULL, &small));
    assert_string_equal("red", cnn_classifier_class_name(small, 1));
    assert_true(cnn_classifier_threshold(small) == 0.4f);
    assert_memory_equal(cnn_classifier_preprocess(first), cnn_classifier_preprocess(small), sizeof(cnn_preprocess));
    for (int i = 0; i < IMAGES; i++) {
        char path[64];
        snprintf(path, sizeof path, "test/%s/%02d.png", i % 2 ? "red" : "blue", i);
        const char *file = scratch_path(*state, path);
        const cnn_prediction a = predict(first, file), b = predict(small, file);
        assert_int_equal(a.class_index, b.class_index);
        assert_true(fabsf(a.probability - b.probability) < 0.05f);
    }
    cnn_quantize_options options;
    cnn_quantize_options_init(&options);
    uint64_t total = 0;
    options.images = 10;
    options.progress = stop_at_once;
    options.progress_user = &total;
    assert_status(CNN_ERROR_STOPPED, cnn_classifier_quantize(first, photographs, &options, &none));
    assert_true(total >= 9 && total <= 10);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(small, photographs, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(first, NULL, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(NULL, photographs, NULL, &none));
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_quantize(first, photographs, NULL, NULL));
    cnn_optimizer_options optimizer;
    const cnn_train_options training = train_options(&optimizer, 1);
    assert_status(CNN_ERROR_ARGUMENT, cnn_classifier_fit(small, photographs, NULL, &training));
    cnn_dataset_destroy(photographs);
    cnn_classifier_destroy(small);
    cnn_classifier_destroy(first);
}

static void a_pretrained_net_gets_a_new_head(void **state)
{
    cnn_classifier *first = train_small(state), *second;
    cnn_classifier_options options;
    cnn_classifier_options_init(&options);
    options.seed = 77;
    assert_ok(cnn_classifier_create_from_model(NULL, cnn_classifier_model(first), &options, &second));
    assert_null(cnn_classifier_class_name(second, 0));
    assert_memory_equal(cnn_classifier_preprocess(first), cnn_classifier_preprocess(second), sizeof(cnn_preprocess));
    cnn_model *from = cnn_classifier_model(first), *to = cnn_classifier_model(second);
    int32_t count = cnn_model_parameter_count(from);
    assert_int_equal(count, cnn_model_parameter_count(to));
    for (int32_t i = 0; i < count; i++) {
        cnn_parameter a = { .struct_size = sizeof a }, b = { .struct_size = sizeof b };
        assert_ok(cnn_model_parameter(from, i, &a));
        assert_ok(cnn_model_parameter(to, i, &b));
        bool same = !memcmp(cnn_tensor_data(a.value), cnn_tensor_data(b.value), cnn_tensor_bytes(a.value));
        assert_int_equal(i < count - 2, same);
    }
    cnn_classifier_destroy(first);
    cnn_classifier_destroy(second);
}

static void a_head_alone_learns_to_tell_two_classes_apart(void **state)
{
    cnn_classifier *first = create_small(NULL), *second;
    assert_ok(cnn_classifier_create_from_model(NULL, cnn_classifier_model(first), NULL, &second));
    cnn_dataset *data = open_data(state, "data"), *test = open_data(state, "test");
    cnn_optimizer_options optimizer;
    cnn_train_options options = train_options(&optimizer, 20);
    cnn_history *history;
    cnn_metrics *metrics;
    cnn_metrics_result result = { .struct_size = sizeof result };
    assert_ok(cnn_classifier_fit_head(second, NULL, data, test, &options, &history));
    assert_int_equal(20, cnn_history_count(history));
    assert_ok(cnn_classifier_evaluate(second, test, &metrics));
    assert_ok(cnn_metrics_compute(metrics, &result));
    assert_true(result.accuracy >= 0.9);
    assert_string_equal("blue", cnn_classifier_class_name(second, 0));
    float from_features = cnn_classifier_temperature(second);
    assert_ok(cnn_classifier_calibrate(second, test));
    assert_true(from_features != 1);
    assert_float_equal(from_features, cnn_classifier_temperature(second), 1e-4);
    cnn_metrics_destroy(metrics);
    cnn_history_destroy(history);
    cnn_dataset_destroy(data);
    cnn_dataset_destroy(test);
    cnn_classifier_destroy(first);
    cnn_classifier_destroy(second);
}

static void a_classifier_is_saved_to_memory_as_to_its_file(void **state)
{
    cnn_classifier *classifier = train_small(state), *loaded = NULL;
    const char *path = scratch_path(*state, "memory.safetensors"), *photo = scratch_path(*state, "test/red/03.png");
    void *bytes, *expected;
    size_t size, file_size;
    assert_ok(cnn_classifier_save(classifier, path));
    assert_ok(cnn_classifier_save_to_memory(classifier, &bytes, &size));
    assert_ok(cnn_file_read(NULL, path, 1 << 24, &expected, &file_size));
    assert_int_equal(file_size, size);
    assert_memory_equal(expected, bytes, size);
    assert_ok(cnn_classifier_load_from_memory(NULL, bytes, size, &loaded));
    memset(bytes, 0xa5, size); /* it is copied */
    const cnn_prediction a = predict(classifier, photo), b = predict(loaded, photo);
    assert_same_prediction(&a, &b);
    cnn_classifier_destroy(loaded);
    assert_status(CNN_ERROR_FORMAT, cnn_classifier_load_from_memory(NULL, bytes, size, &loaded));
    assert_null(loaded);
    for (size_t cut = 0; cut < file_size; cut = cut * 2 + 1)
        assert_status(CNN_ERROR_FORMAT, cnn_classifier_load_from_memory(NULL, expected, cut, &loaded));
    assert_non_null(strstr(cnn_last_error(), "the model in memory: "));
    cnn_model *half;
    cnn_bytes_free(bytes);
    assert_ok(cnn_model_save_to_memory(cnn_classifier_model(classifier), CNN_BFLOAT16, &bytes, &size));
    assert_true(size < file_size);
    assert_ok(cnn_model_load_from_memory(NULL, bytes, size, &half));
    cnn_model_destroy(half);
    cnn_bytes_free(bytes);
    assert_status(CNN_ERROR_ARGUMENT,
                  cnn_model_save_to_memory(cnn_classifier_model(classifier), CNN_INT8, &bytes, &size));
    assert_null(bytes);
    cnn_release(NULL, expected);
    cnn_classifier_destroy(classifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_to_tell_two_classes_apart),
        cmocka_unit_test(names_and_labels_last_through_another_training),
        cmocka_unit_test(a_file_its_bytes_and_its_pixels_give_the_same),
        cmocka_unit_test(many_files_are_predicted_and_the_broken_ones_named),
        cmocka_unit_test(lists_and_text_are_cut_to_their_room),
        cmocka_unit_test(the_likeliest_classes_come_first),
        cmocka_unit_test(many_images_in_memory_are_predicted_as_from_their_files),
        cmocka_unit_test(many_threads_may_predict_at_once),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
        cmocka_unit_test(a_threshold_moves_the_decision_and_not_the_probability),
        cmocka_unit_test(a_saved_classifier_comes_back_the_same),
        cmocka_unit_test(a_broken_file_is_named_once_in_the_log_and_left_out),
        cmocka_unit_test(data_that_does_not_fit_is_refused),
        cmocka_unit_test(a_training_that_does_not_begin_leaves_it_untrained),
        cmocka_unit_test(graphs_that_are_no_classifiers_are_refused),
        cmocka_unit_test(options_are_checked_and_used),
        cmocka_unit_test(use_before_training_or_of_nothing_is_an_error),
        cmocka_unit_test(models_that_are_no_classifiers_are_not_loaded),
        cmocka_unit_test(a_quantized_classifier_decides_as_the_first_does),
        cmocka_unit_test(a_pretrained_net_gets_a_new_head),
        cmocka_unit_test(a_head_alone_learns_to_tell_two_classes_apart),
        cmocka_unit_test(a_classifier_is_saved_to_memory_as_to_its_file),
    };
    return cmocka_run_group_tests(tests, write_data, scratch_teardown);
}
