/* Cases as text: seed=7 images=3 threads=5 isa=avx2 input=8x9x3 net=conv@0:16,3,3,…;relu@1;add@1+2 do=predict,train/3
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "operations.h"

static const char *tier_name(int32_t tier)
{
    return tier == CNN_TIER_COUNT ? "best" : cnn_tier_name((cnn_tier)tier);
}

typedef struct writer {
    char *place;
    size_t left;
} writer;

__attribute__((format(printf, 2, 3))) static void put(writer *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to->place, to->left, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length < to->left ? (size_t)length : to->left - 1;
    to->place += used;
    to->left -= used;
}

static void print_layer(writer *to, const case_layer *layer)
{
    const case_layer_form *form = &case_layer_forms[layer->kind];
    put(to, "%s", form->name);
    for (int32_t i = 0; i < layer->input_count; i++)
        put(to, "%c%" PRId32, i ? '+' : '@', layer->inputs[i]);
    for (int32_t i = 0; i < form->numbers; i++)
        put(to, "%c%" PRId32, i ? ',' : ':', layer->numbers[i]);
}

void case_print(const random_case *printed, char *text)
{
    writer to = { text, CASE_TEXT_SIZE };
    put(&to, "seed=%" PRIu64 " images=%" PRId32 " threads=%" PRId32 " isa=%s input=%" PRId32 "x%" PRId32 "x%" PRId32,
        printed->seed, printed->images, printed->threads, tier_name((int32_t)printed->tier), printed->input[0],
        printed->input[1], printed->input[2]);
    for (int32_t i = 0; i < 4 && printed->named[0]; i++)
        put(&to, "%s%" PRId32, i ? "," : " named=", printed->named[i]);
    for (int32_t i = 0; i < printed->layer_count; i++) {
        put(&to, "%s", i ? ";" : " net=");
        print_layer(&to, &printed->layers[i]);
    }
    for (int32_t i = 0; i < printed->operation_count; i++) {
        const case_operation *operation = &printed->operations[i];
        put(&to, "%s%s/%" PRId32, i ? "," : " do=", operation_forms[operation->kind].name, operation->argument);
    }
}

/* Reads what is expected next, or nothing. */
static bool take(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

static bool take_number(const char **text, int32_t *number)
{
    char *end;
    long value = strtol(*text, &end, 10);
    bool found = end != *text && value >= INT32_MIN && value <= INT32_MAX;
    *number = (int32_t)value;
    *text = end;
    return found;
}

/* A name, which ends where no letter, digit or underscore follows. */
static int32_t take_name(const char **text, const char *(*name_of)(int32_t), int32_t count)
{
    size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    for (int32_t i = 0; i < count; i++) {
        const char *name = name_of(i);
        if (name && strlen(name) == length && !strncmp(*text, name, length)) {
            *text += length;
            return i;
        }
    }
    return -1;
}

static const char *layer_name(int32_t kind)
{
    return case_layer_forms[kind].name;
}

static const char *operation_name(int32_t kind)
{
    return operation_forms[kind].name;
}

static bool take_layer(const char **text, case_layer *layer, int32_t node)
{
    int32_t kind = take_name(text, layer_name, CASE_LAYER_KINDS);
    if (kind < 0)
        return false;
    layer->kind = (case_layer_kind)kind;
    while (layer->input_count < CASE_MAX_INPUTS && take(text, layer->input_count ? "+" : "@")) {
        int32_t *input = &layer->inputs[layer->input_count++];
        if (!take_number(text, input) || *input < 0 || *input >= node)
            return false;
    }
    const case_layer_form *form = &case_layer_forms[kind];
    for (int32_t i = 0; i < form->numbers; i++)
        if (!take(text, i ? "," : ":") || !take_number(text, &layer->numbers[i]))
            return false;
    return form->inputs ? layer->input_count == form->inputs : layer->input_count > 0;
}

static bool take_named(const char **text, random_case *parsed)
{
    for (int i = 0; i < 4; i++)
        if ((i && !take(text, ",")) || !take_number(text, &parsed->named[i]))
            return false;
    return true;
}

static bool take_layers(const char **text, random_case *parsed)
{
    do {
        if (parsed->layer_count == CASE_MAX_LAYERS ||
            !take_layer(text, &parsed->layers[parsed->layer_count], parsed->layer_count + 1))
            return false;
        parsed->layer_count++;
    } while (take(text, ";"));
    return true;
}

static bool take_operations(const char **text, random_case *parsed)
{
    do {
        case_operation *operation = &parsed->operations[parsed->operation_count];
        if (parsed->operation_count == CASE_MAX_OPERATIONS)
            return false;
        operation->kind = take_name(text, operation_name, operation_count);
        if (operation->kind < 0 || !take(text, "/") || !take_number(text, &operation->argument))
            return false;
        parsed->operation_count++;
    } while (take(text, ","));
    return true;
}

static bool take_all(const char **text, random_case *parsed)
{
    char *end;
    if (!take(text, "seed="))
        return false;
    parsed->seed = strtoull(*text, &end, 10);
    *text = end;
    if (!take(text, " images=") || !take_number(text, &parsed->images) || !take(text, " threads=") ||
        !take_number(text, &parsed->threads) || !take(text, " isa="))
        return false;
    int32_t tier = take_name(text, tier_name, CNN_TIER_COUNT + 1);
    parsed->tier = (cnn_tier)tier;
    for (int i = 0; i < 3; i++)
        if (tier < 0 || !take(text, i ? "x" : " input=") || !take_number(text, &parsed->input[i]))
            return false;
    if (take(text, " named=") ? !take_named(text, parsed) : !take(text, " net=") || !take_layers(text, parsed))
        return false;
    return take(text, " do=") && take_operations(text, parsed);
}

bool case_parse(const char *text, random_case *parsed, const char **wrong)
{
    memset(parsed, 0, sizeof *parsed);
    *wrong = text;
    return take_all(wrong, parsed) && (!**wrong || **wrong == '\n');
}
