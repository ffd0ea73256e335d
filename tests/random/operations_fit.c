#include "operations_fit.h"

#include <stdio.h>
#include <string.h>

#include "../unit/scratch.h"
#include "kinds.h"
#include "photographs.h"
#include "runtime/model_internal.h"

enum { MOST_CLASSES = 12 };

/* The classes of a net that takes photographs and ends in logits; 0 if it doesn't. */
static int32_t count_classes(const case_trial *trial)
{
    cnn_shape in = cnn_model_input_shape(trial->model), out = cnn_model_output_shape(trial->model);
    if (in.rank != 3 || in.dims[2] != 3 || in.dims[0] * in.dims[1] > 96 * 96 || out.rank != 1 ||
        out.dims[0] > MOST_CLASSES)
        return 0;
    const cnn_graph *graph = cnn_model_graph(trial->model);
    cnn_node node = cnn_graph_output(graph);
    while (!strcmp(cnn_graph_node_type(graph, node), "dropout") || !strcmp(cnn_graph_node_type(graph, node), "flatten"))
        cnn_graph_node_inputs(graph, node, &node, 1);
    const char *last = cnn_graph_node_type(graph, node);
    if (!strcmp(last, "softmax") || !strcmp(last, "sigmoid"))
        return 0;
    return out.dims[0] == 1 ? 2 : (int32_t)out.dims[0];
}

/* What a training is given, drawn from one number. */
typedef struct recipe {
    cnn_train_options options;
    cnn_optimizer_options optimizer;
    cnn_schedule schedule;
    cnn_augment augment;
    char checkpoint[512];
} recipe;

static void draw_recipe(const case_trial *trial, int32_t argument, recipe *it)
{
    draw source = { (uint64_t)argument };
    cnn_train_options_init(&it->options);
    cnn_optimizer_options_init(&it->optimizer);
    cnn_schedule_init(&it->schedule);
    cnn_augment_init(&it->augment);
    it->options.epochs = (uint32_t)draw_between(&source, 1, 3);
    it->options.batch_size = (uint32_t)draw_between(&source, 1, 30);
    it->options.seed = draw_bits(&source);
    it->options.label_smoothing = draw_one_in(&source, 4) ? 0.1f : 0;
    it->options.ema_decay = draw_one_in(&source, 4) ? 0.9f : 0;
    it->options.keep_last = draw_one_in(&source, 2);
    it->options.workers = (uint32_t)draw_below(&source, 4);
    it->options.cache_bytes = draw_one_in(&source, 2) ? 1 << 20 : 0;
    it->options.mixup = draw_one_in(&source, 4) ? 0.2f : 0;
    it->options.cutmix = draw_one_in(&source, 4) ? 1.0f : 0;
    it->options.precision = draw_one_in(&source, 3) ? CNN_PRECISION_BFLOAT16 : CNN_PRECISION_FLOAT32;
    it->optimizer.kind = (cnn_optimizer_kind)draw_below(&source, kinds_of_optimizer());
    it->schedule.kind = (cnn_schedule_kind)draw_below(&source, kinds_of_schedule());
    cnn_augment_parse(draw_one_in(&source, 2) ? "none" : "flip,rotation,zoom,brightness,crop,erase", &it->augment);
    it->options.optimizer = &it->optimizer;
    it->options.schedule = &it->schedule;
    it->options.augment = &it->augment;
    snprintf(it->checkpoint, sizeof it->checkpoint, "%s", scratch_path(trial->folder, "checkpoint"));
}

static int stop_after_an_epoch(const cnn_epoch *epoch, void *user)
{
    (void)epoch, (void)user;
    return 1;
}

/* A copy of the trial's model, trained in a context. What isn't finite is said by the status. */
static cnn_model *train(case_trial *trial, cnn_context *context, const cnn_train_options *options, cnn_model *model,
                        cnn_status *status)
{
    cnn_dataset *dataset;
    if (!model)
        model = trial_clone(trial, trial->model, context);
    if (!model || !trial_ok(trial, photographs_dataset(trial, context, count_classes(trial), &dataset), "a dataset"))
        return NULL;
    bool validates = options->seed % 2 || options->schedule->kind == CNN_SCHEDULE_PLATEAU;
    *status = cnn_train(model, dataset, validates ? dataset : NULL, options, NULL);
    cnn_dataset_destroy(dataset);
    return !*status || *status == CNN_ERROR_NOT_FINITE || trial_ok(trial, *status, "cnn_train") ? model : NULL;
}

/* The same, stopped after an epoch, and resumed. */
static cnn_model *train_in_parts(case_trial *trial, recipe *it, cnn_status *status)
{
    cnn_train_options options = it->options;
    options.checkpoint = it->checkpoint;
    options.on_epoch = stop_after_an_epoch;
    remove(it->checkpoint);
    cnn_model *model = train(trial, trial->context, &options, NULL, status);
    if (!model || *status)
        return model;
    cnn_model_destroy(model);
    options.on_epoch = NULL;
    options.resume = 1;
    return train(trial, trial->context, &options, NULL, status);
}

static bool same_weights(case_trial *trial, const char *what, const cnn_model *a, const cnn_model *b)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(a); i++) {
        cnn_parameter x = { .struct_size = sizeof x }, y = { .struct_size = sizeof y };
        cnn_model_parameter(a, i, &x);
        cnn_model_parameter(b, i, &y);
        if (memcmp(cnn_tensor_const_data(x.value), cnn_tensor_const_data(y.value), cnn_tensor_bytes(x.value)) != 0)
            return trial_fail(trial, "fit: %s differs %s", x.name, what);
    }
    return true;
}

bool operation_fit(case_trial *trial, int32_t argument)
{
    if (cnn_model_is_quantized(trial->model) || !count_classes(trial))
        return true;
    recipe it;
    cnn_status on_threads, on_one, in_parts;
    draw_recipe(trial, argument, &it);
    cnn_model *threads = train(trial, trial->context, &it.options, NULL, &on_threads);
    cnn_model *single = threads ? train(trial, trial->single, &it.options, NULL, &on_one) : NULL;
    cnn_model *parts = single ? train_in_parts(trial, &it, &in_parts) : NULL;
    if (!parts)
        return false;
    if (on_threads != on_one || on_threads != in_parts)
        return trial_fail(trial, "fit: %s on threads, %s on one, %s in parts", cnn_status_name(on_threads),
                          cnn_status_name(on_one), cnn_status_name(in_parts));
    bool right = on_threads || (same_weights(trial, "on threads and on one", threads, single) &&
                                same_weights(trial, "where it was resumed", threads, parts));
    cnn_model_destroy(single);
    cnn_model_destroy(parts);
    if (!on_threads)
        return right && trial_take_model(trial, threads);
    cnn_model_destroy(threads);
    return right;
}

/* What is measured, in one context. */
typedef struct measures {
    cnn_metrics_result result;
    float temperature;
} measures;

static bool measure(case_trial *trial, cnn_context *context, int32_t argument, measures *it)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.batch_size = 1 + (uint32_t)argument % 30;
    options.flip = (uint32_t)argument / 30 % 2;
    cnn_dataset *dataset;
    cnn_metrics *metrics;
    cnn_model *model = trial_clone(trial, trial->model, context);
    memset(it, 0, sizeof *it);
    it->result.struct_size = sizeof it->result;
    if (!model || !trial_ok(trial, photographs_dataset(trial, context, count_classes(trial), &dataset), "a dataset") ||
        !trial_ok(trial, cnn_evaluate(model, dataset, &options, &metrics), "cnn_evaluate") ||
        !trial_ok(trial, cnn_metrics_compute(metrics, &it->result), "cnn_metrics_compute") ||
        !trial_ok(trial, cnn_calibrate(model, dataset, &options, &it->temperature), "cnn_calibrate"))
        return false;
    cnn_metrics_destroy(metrics);
    cnn_dataset_destroy(dataset);
    cnn_model_destroy(model);
    return true;
}

bool operation_evaluate(case_trial *trial, int32_t argument)
{
    measures threads, single;
    if (!count_classes(trial))
        return true;
    if (!measure(trial, trial->context, argument, &threads) || !measure(trial, trial->single, argument, &single))
        return false;
    bool same = !memcmp(&threads.result, &single.result, sizeof single.result) &&
                !memcmp(&threads.temperature, &single.temperature, sizeof single.temperature);
    return same ||
           trial_fail(trial, "evaluate: loss %.17g and temperature %.9g on threads, %.17g and %.9g on one",
                      threads.result.loss, (double)threads.temperature, single.result.loss, (double)single.temperature);
}

enum { MOST_CLASSIFIED = 7 };

/* A classifier of the trial's net that has been trained for an epoch, in a file. `*finite`: whether that went well. */
static bool write_classifier(case_trial *trial, int32_t argument, const char *path, bool *finite)
{
    cnn_classifier *classifier, *quantized = NULL;
    cnn_dataset *dataset;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 1;
    if (!trial_ok(trial, photographs_dataset(trial, trial->single, count_classes(trial), &dataset), "a dataset") ||
        !trial_ok(trial,
                  cnn_classifier_create_from_graph(trial->single, cnn_model_graph(trial->model), NULL, &classifier),
                  "cnn_classifier_create_from_graph") ||
        !trial_ok(trial, cnn_model_copy_weights(cnn_classifier_model(classifier), trial->model, NULL), "weights"))
        return false;
    cnn_status status = cnn_classifier_fit(classifier, dataset, dataset, &options);
    *finite = status != CNN_ERROR_NOT_FINITE;
    if (!status && argument / MOST_CLASSIFIED % 2)
        status = cnn_classifier_quantize(classifier, dataset, NULL, &quantized);
    if (!status)
        status = cnn_classifier_save(quantized ? quantized : classifier, path);
    cnn_classifier_destroy(classifier);
    cnn_classifier_destroy(quantized);
    cnn_dataset_destroy(dataset);
    return !*finite || trial_ok(trial, status, "a classifier");
}

/* With room for all that it tells. */
typedef struct told {
    float probabilities[MOST_CLASSES];
    char sentence[256];
} told;

static cnn_prediction begin_prediction(told *room)
{
    cnn_prediction prediction;
    cnn_prediction_init(&prediction);
    memset(room, 0, sizeof *room);
    prediction.probabilities = room->probabilities;
    prediction.probability_capacity = MOST_CLASSES;
    prediction.error = room->sentence;
    prediction.error_capacity = sizeof room->sentence;
    return prediction;
}

static bool same_prediction(case_trial *trial, const char *what, const cnn_prediction *a, const cnn_prediction *b)
{
    if (a->status || b->status)
        return trial_fail(trial, "classify: %s: %s%s", what, a->error, b->error);
    bool same = a->class_index == b->class_index && !memcmp(&a->confidence, &b->confidence, sizeof a->confidence) &&
                !memcmp(&a->probability, &b->probability, sizeof a->probability) &&
                !memcmp(a->probabilities, b->probabilities, MOST_CLASSES * sizeof *a->probabilities);
    return same || trial_fail(trial, "classify: %s: class %d with %.9g, class %d with %.9g", what, (int)a->class_index,
                              (double)a->confidence, (int)b->class_index, (double)b->confidence);
}

static bool classify_files(case_trial *trial, const cnn_classifier *classifier, int32_t count,
                           const cnn_prediction *expected)
{
    const char *paths[MOST_CLASSIFIED];
    cnn_prediction found[MOST_CLASSIFIED];
    told rooms[MOST_CLASSIFIED];
    for (int32_t i = 0; i < count; i++) {
        paths[i] = photographs_path(i);
        found[i] = begin_prediction(&rooms[i]);
    }
    if (!trial_ok(trial, cnn_classifier_predict_files(classifier, paths, (size_t)count, found), "predict_files"))
        return false;
    for (int32_t i = 0; i < count; i++)
        if (!same_prediction(trial, "files", &expected[i], &found[i]))
            return false;
    return true;
}

static bool classify_memories(case_trial *trial, const cnn_classifier *classifier, int32_t count,
                              const cnn_prediction *expected)
{
    const void *bytes[MOST_CLASSIFIED];
    size_t sizes[MOST_CLASSIFIED];
    cnn_prediction found[MOST_CLASSIFIED];
    told rooms[MOST_CLASSIFIED];
    for (int32_t i = 0; i < count; i++) {
        bytes[i] = photographs_bytes(i, &sizes[i]);
        found[i] = begin_prediction(&rooms[i]);
    }
    if (!trial_ok(trial, cnn_classifier_predict_memories(classifier, bytes, sizes, (size_t)count, found), "memories"))
        return false;
    for (int32_t i = 0; i < count; i++)
        if (!same_prediction(trial, "memories", &expected[i], &found[i]))
            return false;
    return true;
}

static bool classify_one_by_one(case_trial *trial, const cnn_classifier *classifier, int32_t count,
                                cnn_prediction *found, told *rooms)
{
    for (int32_t i = 0; i < count; i++) {
        found[i] = begin_prediction(&rooms[i]);
        if (!trial_ok(trial, cnn_classifier_predict_file(classifier, photographs_path(i), &found[i]), "predict_file"))
            return false;
    }
    return true;
}

static bool compare_classifiers(case_trial *trial, const char *path, int32_t count)
{
    cnn_prediction expected[MOST_CLASSIFIED];
    told rooms[MOST_CLASSIFIED];
    cnn_classifier *single, *threads;
    if (!trial_ok(trial, cnn_classifier_load(trial->single, path, &single), "cnn_classifier_load") ||
        !trial_ok(trial, cnn_classifier_load(trial->context, path, &threads), "cnn_classifier_load"))
        return false;
    bool right = classify_one_by_one(trial, single, count, expected, rooms) &&
                 classify_files(trial, threads, count, expected) && classify_memories(trial, threads, count, expected);
    cnn_classifier_destroy(single);
    cnn_classifier_destroy(threads);
    return right;
}

bool operation_classify(case_trial *trial, int32_t argument)
{
    if (cnn_model_is_quantized(trial->model) || !count_classes(trial))
        return true;
    char path[512];
    bool finite;
    snprintf(path, sizeof path, "%s", scratch_path(trial->folder, "classifier"));
    return write_classifier(trial, argument, path, &finite) &&
           (!finite || compare_classifiers(trial, path, 1 + argument % MOST_CLASSIFIED));
}
