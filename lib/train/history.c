/* The history of a training, and its CSV file. */
#include "train/history.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/options.h"

cnn_status cnn_history_create(cnn_context *context, cnn_history **history)
{
    *history = cnn_allocate_zeroed(context, 1, sizeof **history);
    if (!*history)
        return CNN_ERROR_OUT_OF_MEMORY;
    (*history)->context = context;
    return CNN_OK;
}

void cnn_history_destroy(cnn_history *history)
{
    if (!history)
        return;
    cnn_release(history->context, history->epochs);
    cnn_release(history->context, history);
}

cnn_status cnn_history_append(cnn_history *history, const cnn_epoch *epoch)
{
    if (!cnn_grow(history->context, (void **)&history->epochs, &history->capacity, (size_t)history->count + 1,
                  sizeof *epoch))
        return CNN_ERROR_OUT_OF_MEMORY;
    history->epochs[history->count++] = *epoch;
    return CNN_OK;
}

cnn_status cnn_history_begin(cnn_history *history, const cnn_history *earlier)
{
    cnn_status status = CNN_OK;
    for (uint32_t i = 0; i < cnn_history_count(earlier) && !status; i++)
        status = cnn_history_append(history, &earlier->epochs[i]);
    history->earlier = history->count;
    history->best = cnn_history_best(earlier);
    return status;
}

uint32_t cnn_history_count(const cnn_history *history)
{
    return history ? history->count : 0;
}

uint32_t cnn_history_best(const cnn_history *history)
{
    return history && history->best < history->count ? history->best : 0; /* memory for that epoch may have lacked */
}

cnn_status cnn_history_get(const cnn_history *history, uint32_t index, cnn_epoch *epoch)
{
    if (index >= cnn_history_count(history))
        return cnn_fail(CNN_ERROR_ARGUMENT, "the history has %u epochs; there is no entry %u",
                        cnn_history_count(history), index);
    return cnn_options_write(epoch, &history->epochs[index], sizeof history->epochs[index], "cnn_epoch");
}

enum { FIELDS = 8, FIELD_BYTES = 32, ROW_BYTES = FIELDS * (FIELD_BYTES + 1) };

static const char HEADER[] = "epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds,images\n";

/* By way of jansson, as printf writes commas in some locales. */
static bool print_number(double value, char text[FIELD_BYTES], size_t *length)
{
    *length = 0;
    if (!isfinite(value))
        return true;
    json_t *number = value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value) : json_real(value);
    *length = json_dumpb(number, text, FIELD_BYTES, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    json_decref(number);
    return *length > 0 && *length <= FIELD_BYTES;
}

/* Adds to `*length`. */
static bool print_row(const cnn_epoch *epoch, char *text, size_t *length)
{
    const double fields[FIELDS] = { epoch->epoch,    epoch->learning_rate,   epoch->loss,
                                    epoch->accuracy, epoch->validation_loss, epoch->validation_accuracy,
                                    epoch->seconds,  (double)epoch->images };
    for (int i = 0; i < FIELDS; i++) {
        size_t digits;
        if (!print_number(fields[i], text + *length, &digits))
            return false;
        *length += digits;
        text[(*length)++] = i + 1 < FIELDS ? ',' : '\n';
    }
    return true;
}

cnn_status cnn_history_write(const cnn_history *history, const char *path)
{
    size_t size = sizeof HEADER - 1;
    char *text = cnn_allocate(history->context, size + (size_t)history->count * ROW_BYTES);
    if (!text)
        return CNN_ERROR_OUT_OF_MEMORY;
    memcpy(text, HEADER, size);
    bool sound = true;
    for (uint32_t i = 0; i < history->count && sound; i++)
        sound = print_row(&history->epochs[i], text, &size);
    cnn_status status = sound ? cnn_file_save(path, text, size)
                              : cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %s can't be written", path);
    cnn_release(history->context, text);
    return status;
}
