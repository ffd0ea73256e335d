#include "formats/attribute.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "formats/json.h"

static size_t element_size(const cnn_attribute *attribute)
{
    switch (attribute->kind) {
    case CNN_ATTRIBUTE_INT64: return sizeof(int64_t);
    case CNN_ATTRIBUTE_FLOAT: return sizeof(float);
    case CNN_ATTRIBUTE_INT32:
    case CNN_ATTRIBUTE_BOOL:
    case CNN_ATTRIBUTE_ENUM: break;
    }
    return sizeof(int32_t);
}

static size_t size_of(const cnn_attribute *attribute)
{
    return element_size(attribute) * (size_t)attribute->count;
}

void cnn_attribute_clear(const cnn_attribute *attribute, void *attributes)
{
    memset((char *)attributes + attribute->offset, 0, size_of(attribute));
}

bool cnn_attribute_equal(const cnn_attribute *attribute, const void *a, const void *b)
{
    return !memcmp((const char *)a + attribute->offset, (const char *)b + attribute->offset, size_of(attribute));
}

static json_t *element_to_json(const cnn_attribute *attribute, const char *place)
{
    int32_t word = 0;
    int64_t wide = 0;
    float number = 0;
    switch (attribute->kind) {
    case CNN_ATTRIBUTE_INT64: memcpy(&wide, place, sizeof wide); return json_integer(wide);
    case CNN_ATTRIBUTE_FLOAT: memcpy(&number, place, sizeof number); return cnn_json_number(number);
    case CNN_ATTRIBUTE_INT32: memcpy(&word, place, sizeof word); return json_integer(word);
    case CNN_ATTRIBUTE_BOOL: memcpy(&word, place, sizeof word); return json_boolean(word);
    case CNN_ATTRIBUTE_ENUM: memcpy(&word, place, sizeof word); return json_string(attribute->names[word]);
    }
    return NULL;
}

/* How many elements of a list are written: the zeros at the end of a list of floats are left out. */
static int32_t written_count(const cnn_attribute *attribute, const void *attributes)
{
    int32_t count = attribute->count;
    const float *numbers = (const float *)((const char *)attributes + attribute->offset);
    if (attribute->kind == CNN_ATTRIBUTE_FLOAT)
        while (count > 1 && numbers[count - 1] == 0)
            count--;
    return count;
}

json_t *cnn_attribute_to_json(const cnn_attribute *attribute, const void *attributes)
{
    const char *place = (const char *)attributes + attribute->offset;
    json_t *result = NULL;
    if (attribute->count == 1)
        result = element_to_json(attribute, place);
    else if ((result = json_array())) {
        int32_t count = written_count(attribute, attributes);
        for (int32_t i = 0; i < count && result; i++)
            if (json_array_append_new(result, element_to_json(attribute, place + i * element_size(attribute)))) {
                json_decref(result);
                result = NULL;
            }
    }
    if (!result)
        cnn_fail(CNN_ERROR_ARGUMENT, "%s: the value can't be written", attribute->name);
    return result;
}

typedef struct source {
    const cnn_attribute *attribute;
    const char *layer;
} source;

static cnn_status fail_kind(const source *from, const json_t *value, const char *wanted)
{
    return cnn_fail(CNN_ERROR_FORMAT, "%s: \"%s\" is %s, not %s", from->layer, from->attribute->name,
                    cnn_json_kind(value), wanted);
}

static cnn_status read_integer(const source *from, const json_t *value, char *place)
{
    int64_t wide = json_integer_value(value);
    int32_t word = (int32_t)wide;
    if (!json_is_integer(value))
        return fail_kind(from, value, "a whole number");
    if (from->attribute->kind == CNN_ATTRIBUTE_INT64)
        memcpy(place, &wide, sizeof wide);
    else if (wide == word)
        memcpy(place, &word, sizeof word);
    else
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"%s\" is %lld, which is too large", from->layer, from->attribute->name,
                        (long long)wide);
    return CNN_OK;
}

static cnn_status read_number(const source *from, const json_t *value, char *place)
{
    float number;
    if (!json_is_number(value))
        return fail_kind(from, value, "a number");
    if (!cnn_json_float(value, &number))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"%s\" is %g, which is too large", from->layer, from->attribute->name,
                        json_number_value(value));
    memcpy(place, &number, sizeof number);
    return CNN_OK;
}

/* "valid", "same", "explicit" */
static void list_names(const char *const *names, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; names[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ", \"%s\"" : "\"%s\"", names[i]);
}

static cnn_status read_name(const source *from, const json_t *value, char *place)
{
    if (!json_is_string(value))
        return fail_kind(from, value, "a text");
    const char *const *names = from->attribute->names;
    for (int32_t i = 0; names[i]; i++)
        if (!strcmp(names[i], json_string_value(value))) {
            memcpy(place, &i, sizeof i);
            return CNN_OK;
        }
    char known[256];
    list_names(names, known, sizeof known);
    return cnn_fail(CNN_ERROR_FORMAT, "%s: \"%s\" is \"%.*s\"; it can be %s", from->layer, from->attribute->name,
                    cnn_quoted(json_string_value(value), 60), json_string_value(value), known);
}

static cnn_status read_element(const source *from, const json_t *value, char *place)
{
    int32_t truth = json_is_true(value);
    switch (from->attribute->kind) {
    case CNN_ATTRIBUTE_INT32:
    case CNN_ATTRIBUTE_INT64: return read_integer(from, value, place);
    case CNN_ATTRIBUTE_FLOAT: return read_number(from, value, place);
    case CNN_ATTRIBUTE_ENUM: return read_name(from, value, place);
    case CNN_ATTRIBUTE_BOOL: break;
    }
    if (!json_is_boolean(value))
        return fail_kind(from, value, "true or false");
    memcpy(place, &truth, sizeof truth);
    return CNN_OK;
}

cnn_status cnn_attribute_from_json(const cnn_attribute *attribute, const json_t *value, const char *layer,
                                   void *attributes)
{
    const source from = { attribute, layer };
    bool list = attribute->count > 1 && json_is_array(value);
    size_t count = (size_t)attribute->count, given = list ? json_array_size(value) : count;
    if (given > count || (given < count && (attribute->kind != CNN_ATTRIBUTE_FLOAT || !given)))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"%s\" has %zu values; it takes %zu", layer, attribute->name, given,
                        count);
    char *place = (char *)attributes + attribute->offset;
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < given && !status; i++)
        status = read_element(&from, list ? json_array_get(value, i) : value, place + i * element_size(attribute));
    return status;
}
