/* What augmentation is asked for: the names, their usual values and their ranges. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"
#include "core/options.h"
#include "data/augment.h"

typedef struct setting {
    const char *name;
    size_t offset; /* of a float in cnn_augment, or of a uint32_t if it is a flag */
    bool flag;
    float usual;     /* for a name without a value */
    float low, high; /* zero, which is none, is allowed too */
} setting;

static const setting settings[] = {
    { "flip", offsetof(cnn_augment, flip_horizontal), true, 1, 0, 1 },
    { "vertical_flip", offsetof(cnn_augment, flip_vertical), true, 1, 0, 1 },
    { "rotation", offsetof(cnn_augment, rotation), false, 20, 0, 180 },
    { "zoom", offsetof(cnn_augment, zoom), false, 0.2f, 0, 0.99f },
    { "shift", offsetof(cnn_augment, shift), false, 0.1f, 0, 1 },
    { "shear", offsetof(cnn_augment, shear), false, 10, 0, 80 },
    { "brightness", offsetof(cnn_augment, brightness), false, 0.2f, 0, 1 },
    { "contrast", offsetof(cnn_augment, contrast), false, 0.2f, 0, 1 },
    { "saturation", offsetof(cnn_augment, saturation), false, 0.2f, 0, 1 },
    { "crop", offsetof(cnn_augment, crop_min_area), false, 0.5f, 0.01f, 1 },
    { "aspect", offsetof(cnn_augment, crop_max_aspect), false, 4.0f / 3, 1, 10 },
    { "erase", offsetof(cnn_augment, erase), false, 0.25f, 0, 1 },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static bool allowed(const setting *self, float value)
{
    return value == 0 || (value >= self->low && value <= self->high); /* NaN isn't */
}

cnn_status cnn_augment_read(const cnn_augment *given, cnn_augment *augment)
{
    cnn_augment_init(augment);
    cnn_status status = cnn_options_read(augment, sizeof *augment, given, "cnn_augment");
    if (status)
        return status;
    for (int i = 0; i < SETTINGS; i++) {
        float value = 0;
        if (!settings[i].flag)
            memcpy(&value, (const char *)augment + settings[i].offset, sizeof value);
        if (!allowed(&settings[i], value))
            return cnn_fail(CNN_ERROR_ARGUMENT, "augmentation: %s is %g; it can be %s%g to %g", settings[i].name,
                            (double)value, settings[i].low > 0 ? "0, or " : "", (double)settings[i].low,
                            (double)settings[i].high);
    }
    return CNN_OK;
}

/* Digits with a point among them, whatever the locale, and a minus before them. False if there is anything else. */
static bool parse_number(const char *text, size_t length, float *number)
{
    double value = 0, place = 1;
    bool negative = length && text[0] == '-', fraction = false, digits = false;
    for (size_t i = negative; i < length; i++) {
        if (text[i] == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return false;
        digits = true;
        value = value * 10 + (text[i] - '0');
        place *= fraction ? 10 : 1;
    }
    *number = (float)(negative ? -value / place : value / place);
    return digits;
}

static cnn_status fail_word(const char *word, size_t length, const char *problem)
{
    return cnn_fail(CNN_ERROR_ARGUMENT, "augmentation: '%.*s' %s", length > 64 ? cnn_quoted(word, 64) : (int)length,
                    word, problem);
}

static const setting *find_setting(const char *name, size_t length)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(settings[i].name) == length && !memcmp(settings[i].name, name, length))
            return &settings[i];
    return NULL;
}

static cnn_status parse_word(const char *word, size_t length, cnn_augment *augment)
{
    const char *equals = memchr(word, '=', length);
    size_t name_length = equals ? (size_t)(equals - word) : length;
    const setting *found = find_setting(word, name_length);
    if (!found)
        return fail_word(word, length,
                         "is not understood; there are flip, vertical_flip, rotation, zoom, shift, shear, brightness, "
                         "contrast, saturation, crop, aspect, erase");
    float value = found->usual;
    if (equals && !parse_number(equals + 1, length - name_length - 1, &value))
        return fail_word(word, length, "has no number that is written as 0.25 is");
    if (!allowed(found, value))
        return cnn_fail(CNN_ERROR_ARGUMENT, "augmentation: '%.*s' is out of range: it can be %s%g to %g",
                        length > 64 ? cnn_quoted(word, 64) : (int)length, word, found->low > 0 ? "0, or " : "",
                        (double)found->low, (double)found->high);
    uint32_t flag = value != 0;
    void *field = (char *)augment + found->offset;
    if (found->flag)
        memcpy(field, &flag, sizeof flag);
    else
        memcpy(field, &value, sizeof value);
    return CNN_OK;
}

cnn_status cnn_augment_parse(const char *list, cnn_augment *augment)
{
    if (!list || !augment)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_augment_parse: list and augment must not be NULL");
    cnn_augment parsed;
    cnn_augment_init(&parsed);
    bool none = !strcmp(list, "none") || !*list;
    for (const char *word = list; !none;) {
        word += strspn(word, " ");
        size_t length = strcspn(word, ","), trimmed = length;
        while (trimmed && word[trimmed - 1] == ' ')
            trimmed--;
        cnn_status status = parse_word(word, trimmed, &parsed);
        if (status)
            return status;
        if (!word[length])
            break;
        word += length + 1;
    }
    return cnn_options_write(augment, &parsed, sizeof parsed, "cnn_augment");
}
