#include "train/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "formats/json.h"
#include "formats/safetensors/safetensors.h"
#include "runtime/model_internal.h"
#include "train/fingerprint.h"

static const char NOTE[] = "cnn.checkpoint";
enum { VERSION = 1 };

static cnn_status add_array(cnn_checkpoint *checkpoint, const char *kind, cnn_model *model, int32_t index, float *data)
{
    cnn_parameter parameter = { .struct_size = sizeof parameter };
    cnn_status status = cnn_model_parameter(model, index, &parameter);
    if (status)
        return status;
    if (!cnn_grow(checkpoint->context, (void **)&checkpoint->arrays, &checkpoint->capacity, checkpoint->count + 1,
                  sizeof *checkpoint->arrays))
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t size = strlen(kind) + 1 + strlen(parameter.name) + 1;
    char *name = cnn_allocate(checkpoint->context, size);
    if (!name)
        return CNN_ERROR_OUT_OF_MEMORY;
    snprintf(name, size, "%s.%s", kind, parameter.name);
    checkpoint->arrays[checkpoint->count++] =
        (cnn_checkpoint_array){ name, parameter.value, data ? data : cnn_tensor_data(parameter.value) };
    return CNN_OK;
}

static cnn_status add_model(cnn_checkpoint *checkpoint, cnn_model *model)
{
    cnn_status status = CNN_OK;
    int32_t count = cnn_model_parameter_count(model);
    for (int32_t i = 0; i < count && !status; i++)
        status = add_array(checkpoint, "model", model, i, NULL);
    return status;
}

static cnn_status add_optimizer(cnn_checkpoint *checkpoint, cnn_model *model, const cnn_optimizer *optimizer)
{
    cnn_status status = CNN_OK;
    size_t count = cnn_optimizer_state_count(optimizer);
    for (size_t i = 0; i < count && !status; i++) {
        cnn_optimizer_state state = cnn_optimizer_state_at(optimizer, i);
        char kind[64];
        snprintf(kind, sizeof kind, "optimizer.%s", state.name);
        status = add_array(checkpoint, kind, model, state.parameter, state.data);
    }
    return status;
}

static cnn_status add_snapshot(cnn_checkpoint *checkpoint, const char *kind, const cnn_snapshot *snapshot)
{
    cnn_status status = CNN_OK;
    for (size_t i = 0; snapshot && i < snapshot->count && !status; i++)
        status = add_array(checkpoint, kind, snapshot->model, snapshot->arrays[i].parameter, snapshot->arrays[i].data);
    return status;
}

cnn_status cnn_checkpoint_create(const char *path, json_t *fingerprint, const cnn_checkpoint_contents *contents,
                                 cnn_checkpoint **checkpoint)
{
    *checkpoint = NULL;
    cnn_context *context = contents->model->context;
    cnn_checkpoint *created = cnn_allocate_zeroed(context, 1, sizeof *created);
    if (!created) {
        json_decref(fingerprint);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    created->context = context;
    created->path = path;
    created->fingerprint = fingerprint;
    cnn_status status = add_model(created, contents->model);
    if (!status)
        status = add_optimizer(created, contents->model, contents->optimizer);
    if (!status)
        status = add_snapshot(created, "average", contents->ema ? contents->ema->weights : NULL);
    if (!status)
        status = add_snapshot(created, "best", contents->best);
    if (status) {
        cnn_checkpoint_destroy(created);
        return status;
    }
    *checkpoint = created;
    return CNN_OK;
}

void cnn_checkpoint_destroy(cnn_checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    for (size_t i = 0; i < checkpoint->count; i++)
        cnn_release(checkpoint->context, checkpoint->arrays[i].name);
    cnn_release(checkpoint->context, checkpoint->arrays);
    json_decref(checkpoint->fingerprint);
    cnn_release(checkpoint->context, checkpoint);
}

/* FNV-1a over 32-bit words, on from `hash`. */
static uint64_t add_to_hash(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    for (size_t i = 0; i + sizeof(uint32_t) <= bytes; i += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
    }
    return hash;
}

static const uint64_t HASH_START = 0xcbf29ce484222325u;

typedef struct hash_text {
    char digits[17];
} hash_text;

static hash_text print_hash(uint64_t hash)
{
    hash_text text;
    snprintf(text.digits, sizeof text.digits, "%016" PRIx64, hash);
    return text;
}

static json_t *checksum_json(const cnn_checkpoint *checkpoint)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < checkpoint->count; i++)
        hash = add_to_hash(hash, checkpoint->arrays[i].data, cnn_tensor_bytes(checkpoint->arrays[i].like));
    return json_string(print_hash(hash).digits);
}

/* JSON has no NaN: null stands for it. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *history_json(const cnn_history *history)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < history->count; i++) {
        const cnn_epoch *e = &history->epochs[i];
        json_t *row = json_pack("[o, o, o, o, o, o, I]", number(e->learning_rate), number(e->loss), number(e->accuracy),
                                number(e->validation_loss), number(e->validation_accuracy), number(e->seconds),
                                (json_int_t)e->images);
        if (json_array_append_new(list, row)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static cnn_status write_arrays(const cnn_checkpoint *checkpoint, const char *note)
{
    cnn_safetensors_array *arrays = cnn_allocate_zeroed(checkpoint->context, checkpoint->count, sizeof *arrays);
    if (!arrays)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < checkpoint->count; i++) {
        const cnn_checkpoint_array *from = &checkpoint->arrays[i];
        arrays[i] = (cnn_safetensors_array){ .name = from->name,
                                             .dtype = CNN_FLOAT32,
                                             .rank = cnn_tensor_rank(from->like),
                                             .data = from->data,
                                             .bytes = cnn_tensor_bytes(from->like) };
        for (int32_t d = 0; d < arrays[i].rank; d++)
            arrays[i].dims[d] = cnn_tensor_dim(from->like, d);
    }
    cnn_status status = cnn_safetensors_write(checkpoint->context, checkpoint->path, arrays, checkpoint->count,
                                              &(cnn_safetensors_metadata){ NOTE, note }, 1);
    cnn_release(checkpoint->context, arrays);
    return status;
}

cnn_status cnn_checkpoint_write(const cnn_checkpoint *checkpoint, const cnn_history *history)
{
    json_t *record = json_pack("{s:i, s:O, s:I, s:o, s:o}", "version", VERSION, "training", checkpoint->fingerprint,
                               "earlier", (json_int_t)history->earlier, "history", history_json(history), "checksum",
                               checksum_json(checkpoint));
    char *text = NULL;
    size_t size;
    cnn_status status = record ? cnn_json_print(checkpoint->context, record, JSON_COMPACT, &text, &size)
                               : cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "%s: out of memory", checkpoint->path);
    if (!status)
        status = write_arrays(checkpoint, text);
    cnn_release(checkpoint->context, text);
    json_decref(record);
    return status;
}

static cnn_status fail_broken(const cnn_checkpoint *checkpoint, const char *what)
{
    return cnn_fail(CNN_ERROR_FORMAT, "%s: is no whole checkpoint: %s", checkpoint->path, what);
}

static bool read_number(const json_t *value, double *number)
{
    *number = json_is_number(value) ? json_number_value(value) : NAN;
    return json_is_number(value) || json_is_null(value);
}

static bool read_epoch(const json_t *row, uint32_t index, cnn_epoch *epoch)
{
    *epoch = (cnn_epoch){ .struct_size = sizeof *epoch, .epoch = index + 1 };
    const json_t *images = json_array_get(row, 6);
    epoch->images = (uint64_t)json_integer_value(images);
    return json_array_size(row) == 7 && json_is_integer(images) &&
           read_number(json_array_get(row, 0), &epoch->learning_rate) &&
           read_number(json_array_get(row, 1), &epoch->loss) && read_number(json_array_get(row, 2), &epoch->accuracy) &&
           read_number(json_array_get(row, 3), &epoch->validation_loss) &&
           read_number(json_array_get(row, 4), &epoch->validation_accuracy) &&
           read_number(json_array_get(row, 5), &epoch->seconds);
}

static cnn_status read_history(const cnn_checkpoint *checkpoint, const json_t *record, cnn_history *history)
{
    const json_t *list = json_object_get(record, "history");
    json_int_t earlier = json_integer_value(json_object_get(record, "earlier"));
    if (!json_is_array(list) || json_array_size(list) == 0)
        return fail_broken(checkpoint, "it has no history");
    if (earlier < 0 || (size_t)earlier >= json_array_size(list))
        return fail_broken(checkpoint, "its history is broken");
    history->earlier = (uint32_t)earlier;
    for (size_t i = 0; i < json_array_size(list); i++) {
        cnn_epoch epoch;
        if (!read_epoch(json_array_get(list, i), (uint32_t)i, &epoch))
            return fail_broken(checkpoint, "its history is broken");
        cnn_status status = cnn_history_append(history, &epoch);
        if (status)
            return status;
    }
    return CNN_OK;
}

static cnn_status check_arrays(const cnn_checkpoint *checkpoint, const cnn_safetensors *file, const json_t *checksum)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < checkpoint->count; i++) {
        const cnn_tensor *like = checkpoint->arrays[i].like;
        const cnn_safetensors_array *array = cnn_safetensors_find(file, checkpoint->arrays[i].name);
        bool fits = array && array->dtype == CNN_FLOAT32 && array->rank == cnn_tensor_rank(like);
        for (int32_t d = 0; fits && d < array->rank; d++)
            fits = array->dims[d] == cnn_tensor_dim(like, d);
        if (!fits)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: is no whole checkpoint: %s %s", checkpoint->path,
                            checkpoint->arrays[i].name, array ? "has another shape" : "is missing");
        hash = add_to_hash(hash, array->data, array->bytes);
    }
    const char *stored = json_string_value(checksum);
    bool same = stored && !strcmp(stored, print_hash(hash).digits);
    return same ? CNN_OK : fail_broken(checkpoint, "its contents don't have its checksum");
}

static cnn_status read_record(const cnn_checkpoint *checkpoint, const cnn_safetensors *file, cnn_history *history)
{
    const char *text = cnn_safetensors_metadata_text(file, NOTE);
    if (!text)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is not a checkpoint of a training", checkpoint->path);
    json_t *record = NULL;
    cnn_status status = cnn_json_parse(checkpoint->path, text, strlen(text), &record);
    if (status)
        return status;
    json_t *version = json_object_get(record, "version");
    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        status =
            cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: is a checkpoint of another version of this library", checkpoint->path);
    if (!status)
        status = cnn_fingerprint_compare(checkpoint->fingerprint, json_object_get(record, "training"),
                                         json_integer_value(json_object_get(record, "earlier")), checkpoint->path);
    if (!status)
        status = read_history(checkpoint, record, history);
    if (!status)
        status = check_arrays(checkpoint, file, json_object_get(record, "checksum"));
    json_decref(record);
    return status;
}

cnn_status cnn_checkpoint_read(const cnn_checkpoint *checkpoint, cnn_history *history)
{
    cnn_safetensors *file;
    cnn_status status = cnn_safetensors_open(checkpoint->context, checkpoint->path, &file);
    if (status)
        return status;
    status = read_record(checkpoint, file, history);
    for (size_t i = 0; i < checkpoint->count && !status; i++) {
        const cnn_safetensors_array *array = cnn_safetensors_find(file, checkpoint->arrays[i].name);
        memcpy(checkpoint->arrays[i].data, array->data, array->bytes);
    }
    if (status)
        history->count = 0;
    cnn_safetensors_close(file);
    return status;
}
