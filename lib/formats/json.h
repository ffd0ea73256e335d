/* JSON from strangers, by way of jansson: parsed within limits, read with sentences that say what is wrong. */
#ifndef CNN_FORMATS_JSON_H
#define CNN_FORMATS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <cnn/context.h>
#include <cnn/status.h>

/* Parses `size` bytes (UTF-8, one value, no duplicate keys). Nesting and the number of values are limited before
 * anything is built. `name` says in errors what the text is. The caller owns `*value` (json_decref). */
cnn_status cnn_json_parse(const char *name, const char *text, size_t size, json_t **value);

/* The value as text with a zero byte, freed with cnn_release of the same context. `flags` are jansson's. */
cnn_status cnn_json_print(cnn_context *context, const json_t *value, size_t flags, char **text, size_t *size);

/* A float's number, which CNN_JSON_FLOATS among cnn_json_print's flags writes with no more digits than it needs. NULL
 * if it isn't finite. And back: false if the value is no number, or too large. */
#define CNN_JSON_FLOATS JSON_REAL_PRECISION(9) /* nine digits tell any two floats apart */
json_t *cnn_json_number(float value);
bool cnn_json_float(const json_t *value, float *number);

/* "a text", "a whole number", ... for sentences. */
const char *cnn_json_kind(const json_t *value);

#endif
