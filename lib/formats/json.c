#include "formats/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* A model file's header is 3 deep, a graph 4. A value takes up to some 150 bytes in memory, whatever it takes as text,
 * so their number must be limited too. */
enum { MAX_DEPTH = 32, MAX_VALUES = 2000000 };

/* Looks at the text's structure alone: jansson finds what is wrong with the rest. */
static cnn_status check_limits(const char *name, const char *text, size_t size)
{
    size_t depth = 0, values = 1;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            depth++, values++;
        else if (!quoted && (c == ']' || c == '}'))
            depth -= depth > 0;
        else if (!quoted && c == ',')
            values++;
        if (depth > MAX_DEPTH)
            return cnn_fail(CNN_ERROR_LIMIT, "%s: the JSON is nested more than %d deep", name, MAX_DEPTH);
        if (values > MAX_VALUES)
            return cnn_fail(CNN_ERROR_LIMIT, "%s: the JSON has more than %d values", name, MAX_VALUES);
    }
    return CNN_OK;
}

/* The code of four hexadecimal digits. */
static unsigned unit_at(const char *digits, size_t left)
{
    unsigned unit = 0;
    for (size_t i = 0; i < 4 && i < left; i++)
        unit = unit << 4 | (unsigned)((digits[i] & 0xf) + (digits[i] > '9' ? 9 : 0));
    return unit;
}

/* How many bytes of UTF-8 an escape stands for. Of a pair of surrogates each is half of four. */
static size_t escaped_bytes(const char *letter, size_t left)
{
    if (*letter != 'u')
        return 1;
    unsigned unit = unit_at(letter + 1, left - 1);
    return unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
}

/* Of all texts and keys, as they stand in sound JSON. */
static size_t count_text_bytes(const char *text, size_t size)
{
    size_t bytes = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        else if (quoted && text[i] == '\\' && i + 1 < size) {
            i++;
            bytes += escaped_bytes(text + i, size - i);
            i += text[i] == 'u' ? 4 : 0;
        } else
            bytes += quoted;
    }
    return bytes;
}

/* And as they were read. */
static size_t sum_text_bytes(const json_t *value)
{
    size_t bytes = json_string_length(value), index;
    const char *key;
    json_t *part;
    json_object_foreach((json_t *)value, key, part) bytes += strlen(key) + sum_text_bytes(part);
    json_array_foreach(value, index, part) bytes += sum_text_bytes(part);
    return bytes;
}

cnn_status cnn_json_parse(const char *name, const char *text, size_t size, json_t **value)
{
    *value = NULL;
    cnn_status status = check_limits(name, text, size);
    if (status)
        return status;
    json_error_t error;
    *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    bool lost = *value && sum_text_bytes(*value) != count_text_bytes(text, size);
    if (lost) { /* where there is no memory for a byte, jansson (2.14) drops it without a word */
        json_decref(*value);
        *value = NULL;
    }
    if (*value)
        return CNN_OK;
    if (lost || json_error_code(&error) == json_error_out_of_memory)
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %s can't be parsed", name);
    return cnn_fail(CNN_ERROR_FORMAT, "%s: is not sound JSON: line %d, column %d: %s", name, error.line, error.column,
                    error.text);
}

cnn_status cnn_json_print(cnn_context *context, const json_t *value, size_t flags, char **text, size_t *size)
{
    size_t length = json_dumpb(value, NULL, 0, flags | JSON_ENCODE_ANY);
    if (!length)
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: JSON can't be written");
    char *result = cnn_allocate(context, length + 1);
    if (!result)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (json_dumpb(value, result, length, flags | JSON_ENCODE_ANY) != length) { /* it takes memory each time */
        cnn_release(context, result);
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: JSON can't be written");
    }
    result[length] = 0;
    *text = result;
    if (size)
        *size = length;
    return CNN_OK;
}

const char *cnn_json_kind(const json_t *value)
{
    if (!value)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a text";
    case JSON_INTEGER: return "a whole number";
    case JSON_REAL: return "a number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "unknown";
}

/* The double whose shortest text is the float's shortest text: 0.1, not 0.10000000149011612. */
static double shortest(float value)
{
    char text[32];
    for (int digits = 1; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return strtod(text, NULL);
}

json_t *cnn_json_number(float value)
{
    if (value == floorf(value) && fabsf(value) < (1 << FLT_MANT_DIG) && !(value == 0 && signbit(value)))
        return json_integer((json_int_t)value); /* 6, not 6.0 */
    return json_real(shortest(value));
}

/* The shortest text of the largest float, 3.4028235e+38, is a little above it. */
bool cnn_json_float(const json_t *value, float *number)
{
    const double too_large = 0x1.ffffffp127; /* what rounds to more than that float */
    double wide = json_number_value(value);
    if (!json_is_number(value) || fabs(wide) >= too_large)
        return false;
    *number = (float)fmin(fmax(wide, -(double)FLT_MAX), (double)FLT_MAX);
    return true;
}
