#include "shrink.h"

#include <string.h>
#include <time.h>

typedef struct shrinking {
    const runner_options *options;
    random_case *smallest;
    char *why;
    time_t end;
} shrinking;

/* A failure of another kind would lead away from the one that was found. */
static bool same_kind(const char *a, const char *b)
{
    size_t length = strcspn(a, ":0123456789");
    return !strncmp(a, b, length);
}

/* Keeps `smaller` if it fails, too. */
static bool keep(shrinking *it, const random_case *smaller)
{
    char why[WHY_SIZE];
    if (!memcmp(smaller, it->smallest, sizeof *smaller) || time(NULL) > it->end ||
        runner_run_case(it->options, smaller, true, why) != CASE_FAILED || !same_kind(it->why, why))
        return false;
    *it->smallest = *smaller;
    memcpy(it->why, why, sizeof why);
    return true;
}

/* Tries to bring the number at `offset` in a case down to `least`, or on the way there. */
static bool lower(shrinking *it, size_t offset, int32_t least)
{
    int32_t number;
    memcpy(&number, (const char *)it->smallest + offset, sizeof number);
    const int32_t tries[] = { least, least + (number - least) / 2, number - 1 };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0] && number > least; i++) {
        random_case smaller = *it->smallest;
        memcpy((char *)&smaller + offset, &tries[i], sizeof number);
        if (keep(it, &smaller))
            return true;
    }
    return false;
}

static void remove_operation(random_case *it, int32_t place)
{
    it->operation_count--;
    memmove(&it->operations[place], &it->operations[place + 1],
            (size_t)(it->operation_count - place) * sizeof it->operations[0]);
    memset(&it->operations[it->operation_count], 0, sizeof it->operations[0]);
}

/* Who used the layer uses its first input instead. */
static void remove_layer(random_case *it, int32_t place)
{
    int32_t node = place + 1, instead = it->layers[place].inputs[0];
    it->layer_count--;
    memmove(&it->layers[place], &it->layers[place + 1], (size_t)(it->layer_count - place) * sizeof it->layers[0]);
    memset(&it->layers[it->layer_count], 0, sizeof it->layers[0]);
    for (int32_t i = place; i < it->layer_count; i++)
        for (int32_t k = 0; k < it->layers[i].input_count; k++) {
            int32_t *input = &it->layers[i].inputs[k];
            *input = *input == node ? instead : *input > node ? *input - 1 : *input;
        }
}

static bool remove_operations(shrinking *it)
{
    for (int32_t i = it->smallest->operation_count - 1; i >= 0 && it->smallest->operation_count > 1; i--) {
        random_case smaller = *it->smallest;
        remove_operation(&smaller, i);
        if (keep(it, &smaller))
            return true;
    }
    return false;
}

/* Many at the end at once, then single ones. */
static bool remove_layers(shrinking *it)
{
    for (int32_t left = 1; left < it->smallest->layer_count - 1; left *= 2) {
        random_case smaller = *it->smallest;
        while (smaller.layer_count > left)
            remove_layer(&smaller, smaller.layer_count - 1);
        if (keep(it, &smaller))
            return true;
    }
    for (int32_t i = it->smallest->layer_count - 1; i >= 0 && it->smallest->layer_count > 1; i--) {
        random_case smaller = *it->smallest;
        remove_layer(&smaller, i);
        if (keep(it, &smaller))
            return true;
    }
    return false;
}

static bool shrink_run(shrinking *it)
{
    random_case plain = *it->smallest;
    plain.tier = CNN_TIER_GENERIC;
    return lower(it, offsetof(random_case, images), 1) || lower(it, offsetof(random_case, threads), 1) ||
           keep(it, &plain);
}

static bool shrink_input(shrinking *it)
{
    for (int i = 0; i < 3; i++)
        if (lower(it, offsetof(random_case, input) + (size_t)i * sizeof(int32_t), 1))
            return true;
    for (int i = 1; i < 4 && it->smallest->named[0]; i++)
        if (lower(it, offsetof(random_case, named) + (size_t)i * sizeof(int32_t), 1))
            return true;
    return false;
}

/* What a number of a layer is at its plainest. */
static int32_t least_number(const case_layer *layer, int32_t number)
{
    if (layer->kind == CASE_CONV)
        return number < CONV_PADDING;
    if (layer->kind == CASE_MAX_POOL || layer->kind == CASE_AVG_POOL)
        return number < POOL_PADDING;
    return number == 0;
}

static bool shrink_layer(shrinking *it, int32_t place)
{
    const case_layer *layer = &it->smallest->layers[place];
    size_t offset = offsetof(random_case, layers) + (size_t)place * sizeof *layer;
    for (int32_t i = 0; i < case_layer_forms[layer->kind].numbers; i++)
        if (lower(it, offset + offsetof(case_layer, numbers) + (size_t)i * sizeof(int32_t), least_number(layer, i)))
            return true;
    for (int32_t i = 0; i < layer->input_count; i++)
        if (lower(it, offset + offsetof(case_layer, inputs) + (size_t)i * sizeof(int32_t), 0))
            return true;
    random_case smaller = *it->smallest;
    if (layer->kind != CASE_CONCAT || layer->input_count < 3)
        return false;
    smaller.layers[place].inputs[--smaller.layers[place].input_count] = 0;
    return keep(it, &smaller);
}

static bool shrink_layers(shrinking *it)
{
    for (int32_t i = 0; i < it->smallest->layer_count; i++)
        if (shrink_layer(it, i))
            return true;
    return false;
}

static bool shrink_arguments(shrinking *it)
{
    for (int32_t i = 0; i < it->smallest->operation_count; i++)
        if (lower(it,
                  offsetof(random_case, operations) + (size_t)i * sizeof(case_operation) +
                      offsetof(case_operation, argument),
                  0))
            return true;
    return false;
}

void shrink(const runner_options *options, random_case *failing, int32_t seconds, char *why)
{
    static bool (*const ways[])(shrinking *) = { remove_operations, remove_layers, shrink_run,
                                                 shrink_input,      shrink_layers, shrink_arguments };
    shrinking it = { options, failing, why, time(NULL) + seconds };
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
            while (ways[i](&it))
                smaller = true;
    }
}
