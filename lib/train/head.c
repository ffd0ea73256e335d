/* Training what follows a layer on values of that layer that are computed once. */
#include "train/head.h"

#include "core/cancel.h"
#include "core/error.h"
#include "runtime/model_internal.h"
#include "train/features.h"
#include "train/temperature.h"
#include "train/training_loop.h"

typedef struct head_training {
    cnn_context *context;
    cnn_train_settings settings;
    cnn_model *body, *head; /* before the cut, and after it */
    cnn_features *training, *validation;
    uint64_t done, total; /* photographs whose features are computed, and all */
} head_training;

static void tear_down(head_training *t)
{
    cnn_features_destroy(t->validation);
    cnn_features_destroy(t->training);
    cnn_model_destroy(t->head);
    cnn_model_destroy(t->body);
}

/* A model of a part of another's graph, with its weights. Takes the graph. */
static cnn_status make_part(const cnn_model *whole, cnn_graph *graph, cnn_model **part)
{
    cnn_status status = cnn_model_create(whole->context, graph, 0, part);
    cnn_graph_destroy(graph);
    return status ? status : cnn_model_copy_weights(*part, whole, NULL);
}

static cnn_status part(head_training *t, const cnn_model *model, const char *layer)
{
    cnn_node cut;
    cnn_graph *graph;
    cnn_status status = cnn_graph_find_cut(model->graph, layer, &cut);
    if (!status)
        status = cnn_graph_truncate(t->context, model->graph, cnn_graph_node_name(model->graph, cut), &graph);
    if (!status)
        status = make_part(model, graph, &t->body);
    if (!status)
        status = cnn_graph_rest(t->context, model->graph, cut, &graph);
    return status ? status : make_part(model, graph, &t->head);
}

/* What needs the photographs themselves is left out. */
static cnn_status resolve(head_training *t, const cnn_model *model, const cnn_dataset *training,
                          const cnn_dataset *validation, const cnn_train_options *given)
{
    cnn_status status = cnn_train_settings_resolve(model, training, validation, given, &t->settings);
    cnn_train_options *options = &t->settings.options;
    options->mixup = options->cutmix = 0;
    options->checkpoint = NULL;
    options->resume = 0;
    t->settings.progressive = false;
    return status ? status : cnn_train_check_outputs(options);
}

static int report(uint64_t done, uint64_t total, void *user)
{
    const head_training *t = user;
    const cnn_train_options *options = &t->settings.options;
    (void)total;
    cnn_progress progress = { .struct_size = sizeof progress,
                              .epochs = options->epochs,
                              .step = t->done + done,
                              .steps = t->total,
                              .images = t->done + done };
    return options->on_step && options->on_step(&progress, options->on_step_user);
}

static cnn_status compute(head_training *t, const cnn_dataset *dataset, bool shuffle, cnn_features **features)
{
    const cnn_features_options options = {
        .preprocess = &t->settings.preprocess,
        .batch_size = t->settings.options.batch_size,
        .workers = t->settings.options.workers,
        .shuffle = shuffle,
        .seed = t->settings.options.seed,
        .progress = report,
        .user = t,
    };
    cnn_shape shape = cnn_model_input_shape(t->head);
    cnn_status status = cnn_features_compute(t->body, dataset, &shape, &options, features);
    t->done += cnn_dataset_count(dataset);
    return status;
}

static cnn_status compute_all(head_training *t, const cnn_dataset *training, const cnn_dataset *validation)
{
    t->total = cnn_dataset_count(training) + (validation ? cnn_dataset_count(validation) : 0);
    cnn_status status = compute(t, training, true, &t->training);
    return status || !validation ? status : compute(t, validation, false, &t->validation);
}

static cnn_status train(head_training *t, cnn_history **history)
{
    const cnn_training_inputs training = {
        .model = t->head,
        .settings = &t->settings,
        .batches = cnn_features_batches(t->training),
        .validation = cnn_features_batches(t->validation),
    };
    return cnn_training_loop(&training, history);
}

static cnn_status calibrate(const head_training *t, const cnn_dataset *validation, float *temperature)
{
    if (!temperature || !validation)
        return CNN_OK;
    return cnn_calibrate_batches(t->head, cnn_features_batches(t->validation), cnn_dataset_count(validation),
                                 temperature);
}

cnn_status cnn_train_head_calibrated(cnn_model *model, const cnn_head_plan *plan, cnn_history **history,
                                     float *temperature)
{
    if (history)
        *history = NULL;
    if (!model || !plan->training)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_train_head: no model or no training data was given");
    head_training t = { .context = model->context };
    cnn_work work;
    cnn_work_begin(&work, t.context);
    cnn_status status = resolve(&t, model, plan->training, plan->validation, plan->options), calibrated = CNN_OK;
    if (!status)
        status = part(&t, model, plan->layer);
    if (!status)
        status = compute_all(&t, plan->training, plan->validation);
    if (!status) {
        status = train(&t, history);
        calibrated = calibrate(&t, plan->validation, temperature);
    }
    if (t.head) /* what was learned until an error is kept, as in cnn_train */
        cnn_model_copy_weights(model, t.head, NULL);
    tear_down(&t);
    cnn_work_end(&work);
    return status ? status : calibrated;
}

cnn_status cnn_train_head(cnn_model *model, const char *layer, const cnn_dataset *training,
                          const cnn_dataset *validation, const cnn_train_options *options, cnn_history **history)
{
    const cnn_head_plan plan = { layer, training, validation, options };
    return cnn_train_head_calibrated(model, &plan, history, NULL);
}
