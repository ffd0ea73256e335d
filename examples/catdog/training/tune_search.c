#include "training/tune_search.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "cli/output.h"

enum { FACTOR = 3 };

void tune_init(tune_search *search, uint64_t seed, uint32_t epochs)
{
    *search = (tune_search){ .seed = seed, .epochs = epochs, .rungs = 1 };
    for (uint32_t fewer = epochs; fewer >= FACTOR; fewer /= FACTOR)
        search->rungs++;
}

void tune_release(tune_search *search)
{
    free(search->results);
    search->results = NULL;
}

uint32_t tune_epochs(const tune_search *search, uint32_t rung)
{
    uint32_t epochs = search->epochs;
    for (uint32_t above = search->rungs - 1; above > rung; above--)
        epochs /= FACTOR;
    return epochs;
}

static bool better(const tune_result *a, const tune_result *b)
{
    if (a->accuracy != b->accuracy)
        return a->accuracy > b->accuracy;
    return a->loss != b->loss ? a->loss < b->loss : a->trial < b->trial;
}

static bool has_reached(const tune_search *search, uint32_t trial, uint32_t rung)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->results[i].trial == trial && search->results[i].rung == rung)
            return true;
    return false;
}

/* How many at the same rung are better, and how many there are. */
static void place(const tune_search *search, const tune_result *result, size_t *ahead, size_t *all)
{
    *ahead = *all = 0;
    for (size_t i = 0; i < search->count; i++) {
        *all += search->results[i].rung == result->rung;
        *ahead += search->results[i].rung == result->rung && better(&search->results[i], result);
    }
}

static bool find_promotion(const tune_search *search, uint32_t *trial, uint32_t *rung)
{
    const tune_result *found = NULL;
    for (size_t i = 0; i < search->count; i++) {
        const tune_result *result = &search->results[i];
        size_t ahead, all;
        place(search, result, &ahead, &all);
        if (result->rung + 1 >= search->rungs || ahead >= all / FACTOR ||
            has_reached(search, result->trial, result->rung + 1))
            continue;
        if (!found || result->rung > found->rung || (result->rung == found->rung && better(result, found)))
            found = result;
    }
    if (!found)
        return false;
    *trial = found->trial;
    *rung = found->rung + 1;
    return true;
}

void tune_next(const tune_search *search, int new_only, uint32_t *trial, uint32_t *rung)
{
    if (!new_only && find_promotion(search, trial, rung))
        return;
    *trial = *rung = 0;
    for (size_t i = 0; i < search->count; i++)
        if (search->results[i].trial >= *trial)
            *trial = search->results[i].trial + 1;
}

const tune_result *tune_best(const tune_search *search)
{
    const tune_result *best = NULL;
    for (size_t i = 0; i < search->count; i++) {
        const tune_result *result = &search->results[i];
        if (!best || result->rung > best->rung || (result->rung == best->rung && better(result, best)))
            best = result;
    }
    return best;
}

int tune_add(tune_search *search, const tune_result *result)
{
    tune_result *larger = realloc(search->results, (search->count + 1) * sizeof *larger);
    if (!larger) {
        output_error("out of memory: a trial's result can't be kept");
        return -1;
    }
    search->results = larger;
    search->results[search->count++] = *result;
    return 0;
}

double tune_draw(const tune_search *search, uint32_t trial, uint32_t choice)
{
    /* SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" */
    uint64_t z = search->seed + 0x9E3779B97F4A7C15u * (((uint64_t)trial << 8 | choice) + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static json_t *results_to_json(const tune_search *search)
{
    json_t *list = json_array();
    for (size_t i = 0; i < search->count; i++) {
        const tune_result *r = &search->results[i];
        json_array_append_new(list, json_pack("[I,I,o,o,o]", (json_int_t)r->trial, (json_int_t)r->rung,
                                              output_json_number(r->accuracy), output_json_number(r->loss),
                                              output_json_number(r->seconds)));
    }
    return list;
}

static bool read_result(const json_t *row, tune_result *result)
{
    const json_t *trial = json_array_get(row, 0), *rung = json_array_get(row, 1), *loss = json_array_get(row, 3);
    if (json_array_size(row) != 5 || !json_is_integer(trial) || !json_is_integer(rung) ||
        json_integer_value(trial) < 0 || json_integer_value(trial) > INT32_MAX || json_integer_value(rung) < 0 ||
        json_integer_value(rung) > 31 || !json_is_number(json_array_get(row, 2)) ||
        !json_is_number(json_array_get(row, 4)))
        return false;
    *result = (tune_result){
        .trial = (uint32_t)json_integer_value(trial),
        .rung = (uint32_t)json_integer_value(rung),
        .accuracy = json_number_value(json_array_get(row, 2)),
        .loss = json_is_number(loss) ? json_number_value(loss) : INFINITY,
        .seconds = json_number_value(json_array_get(row, 4)),
    };
    return true;
}

static int read_results(tune_search *search, const json_t *state, const char *path)
{
    const json_t *results = json_object_get(state, "results"), *seconds = json_object_get(state, "seconds");
    bool sound = json_is_array(results) && json_is_number(seconds);
    search->seconds = json_number_value(seconds);
    for (size_t i = 0; sound && i < json_array_size(results); i++) {
        tune_result result;
        sound = read_result(json_array_get(results, i), &result);
        if (sound && tune_add(search, &result))
            return -1;
    }
    if (!sound)
        output_error("'%s' is not a valid search state", path);
    return sound ? 0 : -1;
}

int tune_read(tune_search *search, const json_t *settings, const char *path)
{
    json_error_t error;
    if (access(path, F_OK) && errno == ENOENT)
        return 0;
    json_t *state = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    int result = -1;
    if (!state)
        output_error("the state '%s' can't be read: %s", path, error.text);
    else if (!json_equal(settings, json_object_get(state, "search")))
        output_error("'%s' is the state of another search: name another file, or repeat that search's options", path);
    else
        result = read_results(search, state, path);
    json_decref(state);
    return result;
}

int tune_write(const tune_search *search, json_t *settings, const char *path)
{
    json_t *state = json_pack("{s:O,s:o,s:o}", "search", settings, "seconds", output_json_number(search->seconds),
                              "results", results_to_json(search));
    char *text = output_json_dump(state, JSON_INDENT(1));
    int failed = 1;
    if (!text)
        output_error("out of memory: the state can't be written to '%s'", path);
    else
        failed = cnn_file_save(path, text, strlen(text)) ? output_library_error() : 0;
    free(text);
    return failed ? -1 : 0;
}
