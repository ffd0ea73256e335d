#include "train/fingerprint.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

/* FNV-1a, of file names without their folders (a moved dataset is still the same) and of classes, in order. */
static uint64_t hash_dataset(const cnn_dataset *dataset)
{
    uint64_t hash = 0xcbf29ce484222325u, count = cnn_dataset_count(dataset);
    for (uint64_t i = 0; i < count; i++) {
        const char *path = cnn_dataset_path(dataset, i), *slash = strrchr(path, '/');
        for (const char *c = slash ? slash : path; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        hash = (hash ^ (uint32_t)cnn_dataset_label(dataset, i)) * 0x100000001b3u;
    }
    return hash;
}

static json_t *dataset_json(const cnn_dataset *dataset)
{
    if (!dataset)
        return json_string("none");
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 " images, %016" PRIx64, cnn_dataset_count(dataset), hash_dataset(dataset));
    return json_string(text);
}

static json_t *number(uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_string(text);
}

static json_t *optimizer_json(const cnn_optimizer_options *o)
{
    return json_pack("{s:i, s:f, s:f, s:b, s:f, s:f, s:f, s:f, s:f, s:f}", "kind", (int)o->kind, "learning_rate",
                     (double)o->learning_rate, "momentum", (double)o->momentum, "nesterov", o->nesterov != 0, "beta1",
                     (double)o->beta1, "beta2", (double)o->beta2, "alpha", (double)o->alpha, "epsilon",
                     (double)o->epsilon, "weight_decay", (double)o->weight_decay, "clip_norm", (double)o->clip_norm);
}

static json_t *schedule_json(const cnn_schedule *s)
{
    return json_pack("{s:i, s:f, s:f, s:o, s:o, s:f}", "kind", (int)s->kind, "warmup", (double)s->warmup, "gamma",
                     (double)s->gamma, "step_epochs", number(s->step_epochs), "patience", number(s->patience),
                     "final_factor", (double)s->final_factor);
}

static json_t *augment_json(const cnn_augment *a)
{
    return json_pack("{s:b, s:b, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "flip_horizontal",
                     a->flip_horizontal != 0, "flip_vertical", a->flip_vertical != 0, "rotation", (double)a->rotation,
                     "zoom", (double)a->zoom, "shift", (double)a->shift, "shear", (double)a->shear, "brightness",
                     (double)a->brightness, "contrast", (double)a->contrast, "saturation", (double)a->saturation,
                     "crop_min_area", (double)a->crop_min_area, "crop_max_aspect", (double)a->crop_max_aspect, "erase",
                     (double)a->erase);
}

static json_t *preprocess_json(const cnn_preprocess *p)
{
    return json_pack("{s:o, s:o, s:i, s:[f, f, f], s:[f, f, f]}", "width", number(p->width), "height",
                     number(p->height), "fit", (int)p->fit, "mean", (double)p->mean[0], (double)p->mean[1],
                     (double)p->mean[2], "scale", (double)p->scale[0], (double)p->scale[1], (double)p->scale[2]);
}

cnn_status cnn_fingerprint_create(const cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation,
                                  const cnn_train_settings *settings, json_t **fingerprint)
{
    *fingerprint = NULL;
    char *net;
    cnn_status status = cnn_graph_to_json(cnn_model_graph(model), &net);
    if (status)
        return status;
    const cnn_train_options *o = &settings->options;
    *fingerprint = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:s}", "seed",
        number(o->seed), "net", net, "training data", dataset_json(training), "validation data",
        dataset_json(validation), "epochs", number(o->epochs), "batch_size", number(o->batch_size), "early_stopping",
        number(o->early_stopping), "loss", (int)o->loss, "label_smoothing", (double)o->label_smoothing, "ema_decay",
        (double)o->ema_decay, "keep_last", json_boolean(o->keep_last), "optimizer",
        optimizer_json(&settings->optimizer), "schedule", schedule_json(&settings->schedule), "augment",
        augment_json(&settings->augment), "preprocess", preprocess_json(&settings->preprocess), "first_size",
        number(o->first_size), "last_size", number(o->last_size), "mixup", (double)o->mixup, "cutmix",
        (double)o->cutmix, "precision", o->precision == CNN_PRECISION_BFLOAT16 ? "bf16" : "fp32");
    cnn_text_free(net);
    if (!*fingerprint)
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "training: the options can't be written to a checkpoint: one isn't finite, or there is no "
                        "memory for them");
    return CNN_OK;
}

/* Whether epoch after epoch is what it is however many there will be: then a training may be given more of them. */
static bool plans_no_further(const json_t *training)
{
    const json_t *schedule = json_object_get(training, "schedule");
    if (json_number_value(json_object_get(schedule, "warmup")) > 0 ||
        json_integer_value(json_object_get(training, "last_size")) > 0)
        return false;
    switch (json_integer_value(json_object_get(schedule, "kind"))) {
    case CNN_SCHEDULE_CONSTANT:
    case CNN_SCHEDULE_EXPONENTIAL:
    case CNN_SCHEDULE_PLATEAU: return true;
    case CNN_SCHEDULE_STEP: return json_integer_value(json_object_get(schedule, "step_epochs")) > 0;
    default: return false;
    }
}

static cnn_status fail_epochs(const json_t *own, const json_t *stored, int64_t earlier, const char *path)
{
    char before[64] = "";
    if (earlier)
        snprintf(before, sizeof before, ", on top of %lld earlier ones", (long long)earlier);
    return cnn_fail(
        CNN_ERROR_ARGUMENT,
        "%s: is the checkpoint of a training with epochs %lld, not %lld%s: its learning rates or image sizes "
        "were planned for all of them; with a constant, exponential or plateau schedule, no warm-up and "
        "one size it could go on. Resume with the same, or start anew",
        path, (long long)json_integer_value(stored), (long long)json_integer_value(own), before);
}

/* A short value as it is, else nothing. */
static void describe(const json_t *value, char *text, size_t size)
{
    size_t length = json_dumpb(value, text, size - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    text[length < size ? length : 0] = 0;
}

/* What dataset_json wrote: how many images there are tells a user something, which ones doesn't. */
static cnn_status fail_data(const char *key, const json_t *own, const json_t *stored, const char *path)
{
    const char *mine = json_string_value(own), *theirs = json_string_value(stored);
    int counted = (int)strcspn(mine, ","), before = (int)strcspn(theirs, ",");
    if (counted == before && !strncmp(mine, theirs, (size_t)counted))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "%s: is the checkpoint of a training with other %s: as many images, but other files or "
                        "classes; resume with the same, or start anew",
                        path, key);
    return cnn_fail(CNN_ERROR_ARGUMENT,
                    "%s: is the checkpoint of a training with other %s: %.*s, not %.*s; resume with the same, or start "
                    "anew",
                    path, key, before, theirs, counted, mine);
}

/* `key` is an option's name, with that of its group before it. */
static cnn_status fail_value(const char *key, const json_t *own, const json_t *stored, const char *path)
{
    char mine[40], theirs[40];
    describe(own, mine, sizeof mine);
    describe(stored, theirs, sizeof theirs);
    if (!stored || !*mine || !*theirs)
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "%s: is the checkpoint of a training with another %s: resume with the same, or start anew",
                        path, key);
    return cnn_fail(CNN_ERROR_ARGUMENT,
                    "%s: is the checkpoint of a training with %s %s, not %s: resume with the same, or start anew", path,
                    key, theirs, mine);
}

/* A kind is a number that says nothing. */
static cnn_status fail_in_group(const char *group, const json_t *own, const json_t *stored, const char *path)
{
    const char *key;
    json_t *value;
    char name[64];
    json_object_foreach((json_t *)own, key, value)
    {
        const json_t *other = json_object_get(stored, key);
        if (json_equal(value, other))
            continue;
        if (!strcmp(key, "kind"))
            break;
        snprintf(name, sizeof name, "%s.%s", group, key);
        return fail_value(name, value, other, path);
    }
    return fail_value(group, own, NULL, path);
}

static cnn_status fail_difference(const char *key, const json_t *own, const json_t *stored, const char *path)
{
    if (json_is_object(own))
        return fail_in_group(key, own, stored, path);
    if (strstr(key, " data") && json_is_string(own) && json_is_string(stored))
        return fail_data(key, own, stored, path);
    return fail_value(key, own, stored, path);
}

cnn_status cnn_fingerprint_compare(const json_t *own, const json_t *stored, int64_t earlier, const char *path)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)own, key, value)
    {
        const json_t *other = json_object_get(stored, key);
        bool epochs = !strcmp(key, "epochs") && json_is_integer(other);
        if (json_equal(value, other) || (epochs && plans_no_further(own)))
            continue;
        return epochs ? fail_epochs(value, other, earlier, path) : fail_difference(key, value, other, path);
    }
    return CNN_OK;
}
