#include "training/transfer.h"

#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/paths.h"
#include "cli/shipped.h"

const char *const transfer_heads[] = { "fine-tune", "linear", NULL };
const char *const transfer_starts[] = { "shipped", NULL }; /* besides files */

/* A layer's name, and neither of the words that stand for none and all. */
static int names_layer(const char *freeze)
{
    return freeze && strcmp(freeze, "none") != 0 && strcmp(freeze, "all") != 0;
}

cnn_status transfer_create(cnn_context *context, const transfer_arguments *transfer, uint64_t size,
                           const cnn_classifier_options *options, cnn_classifier **classifier)
{
    cnn_model *pretrained;
    const char *path = shipped_model_unless(transfer->from);
    if (!path)
        return CNN_ERROR_IO;
    cnn_status status = cnn_model_load(context, path, &pretrained);
    if (status) {
        paths_model_error(path, status);
        return status;
    }
    if (names_layer(transfer->freeze) && cnn_graph_find(cnn_model_graph(pretrained), transfer->freeze) < 0) {
        output_error("--freeze: '%s' has no layer named '%s'; catdog summary lists them", transfer->from,
                     transfer->freeze);
        cnn_model_destroy(pretrained);
        return CNN_ERROR_ARGUMENT;
    }
    if (size)
        status = cnn_model_resize(pretrained, (int64_t)size, (int64_t)size);
    if (!status)
        status = cnn_classifier_create_from_model(context, pretrained, options, classifier);
    cnn_model_destroy(pretrained);
    if (status)
        output_error("'%s' can't be trained further: %s", transfer->from, cnn_last_error());
    return status;
}

/* The layer that the head is computed from. */
static const char *last_of_body(cnn_classifier *classifier)
{
    const cnn_graph *graph = cnn_model_graph(cnn_classifier_model(classifier));
    cnn_node input = CNN_NODE_ERROR;
    cnn_graph_node_inputs(graph, cnn_graph_node_count(graph) - 1, &input, 1);
    return cnn_graph_node_name(graph, input);
}

static int trains_all(const transfer_training *t)
{
    const transfer_arguments *a = t->arguments;
    int frozen = a->head == TRANSFER_LINEAR || (a->freeze && !strcmp(a->freeze, "all"));
    return !frozen && a->unfreeze_at <= t->options->epochs;
}

static cnn_status fit_head(transfer_training *t)
{
    cnn_train_options options = *t->options;
    if (trains_all(t)) {
        options.epochs = (uint32_t)t->arguments->unfreeze_at - 1;
        options.history = NULL; /* the second part writes that of both */
        t->epochs_after = t->options->epochs - options.epochs;
    }
    return cnn_classifier_fit_head(t->classifier, NULL, t->training, t->validation, &options, &t->history);
}

static cnn_status set_rates(const transfer_training *t)
{
    const transfer_arguments *a = t->arguments;
    cnn_model *model = cnn_classifier_model(t->classifier);
    float factor = a->body_rate >= 0 ? (float)a->body_rate : 0.1f;
    cnn_status status = cnn_model_set_learning_rate_multiplier(model, last_of_body(t->classifier), factor);
    return status || !names_layer(a->freeze) ? status : cnn_model_set_learning_rate_multiplier(model, a->freeze, 0);
}

/* Trains all layers. Where that gives nothing better than the head alone did, the classifier stays as it is. */
static cnn_status fit_all(transfer_training *t)
{
    cnn_history *history = NULL;
    cnn_train_options options = *t->options;
    options.epochs -= (uint32_t)t->arguments->unfreeze_at - 1;
    options.earlier = t->history;
    t->epochs_after = 0;
    cnn_status status = set_rates(t);
    if (!status)
        status = cnn_classifier_fit_with_history(t->classifier, t->training, t->validation, &options, &history);
    if (history) {
        cnn_history_destroy(t->history);
        t->history = history;
    }
    return status;
}

cnn_status transfer_fit(transfer_training *t)
{
    const cnn_train_options *options = t->options;
    int all = trains_all(t);
    int resumes = all && options->resume && options->checkpoint && !access(options->checkpoint, F_OK);
    cnn_status status = CNN_OK;
    if (!resumes && (!all || t->arguments->unfreeze_at > 1))
        status = fit_head(t);
    return status || !all ? status : fit_all(t);
}
