#include "training/tune_trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int tune_space_fixes(const tune_space *space, const char *name)
{
    size_t length = strlen(name);
    for (int i = 0; i < space->fixed_count; i++)
        if (!strncmp(space->fixed[i], name, length) && (!space->fixed[i][length] || space->fixed[i][length] == '='))
            return 1;
    return 0;
}

static void add(tune_trial *line, const char *argument)
{
    line->arguments[line->count++] = (char *)argument;
}

static void add_pair(tune_trial *line, const char *name, const char *value)
{
    add(line, name);
    add(line, value);
}

/* Trial 0 has the defaults, so that the search never ends with anything worse. */
static void draw(const tune_space *space, const tune_search *s, uint32_t trial, tune_trial *line)
{
    if (space->varies_rate) {
        snprintf(line->values[0], TUNE_LONGEST_VALUE, "%.2g",
                 space->base_rate * pow(10, 1.5 * tune_draw(s, trial, 0) - 0.75));
        add_pair(line, "--lr", line->values[0]);
    }
    if (space->varies_decay) {
        snprintf(line->values[1], TUNE_LONGEST_VALUE, "%.2g", pow(10, 3 * tune_draw(s, trial, 1) - 5));
        add_pair(line, "--weight-decay", line->values[1]);
    }
    if (space->varies_augment) {
        double x = tune_draw(s, trial, 2);
        snprintf(line->values[2], TUNE_LONGEST_VALUE,
                 "flip,crop=%.2f,rotation=%.0f,brightness=%.2f,contrast=%.2f,saturation=%.2f,erase=%.2f", 1 - 0.75 * x,
                 1 + 19 * x, 0.4 * x, 0.4 * x, 0.4 * x, 0.3 * x);
        add_pair(line, "--augment", line->values[2]);
    }
    if (space->varies_width) {
        snprintf(line->values[3], TUNE_LONGEST_VALUE, "%.2f", 0.5 * pow(3, tune_draw(s, trial, 3)));
        add_pair(line, "--width", line->values[3]);
    }
}

/* What decides which photographs can be opened. */
static void add_limits(const context_options *resources, tune_trial *line)
{
    snprintf(line->memory, sizeof line->memory, "%llu", (unsigned long long)resources->memory_mb);
    snprintf(line->pixels, sizeof line->pixels, "%llu", (unsigned long long)resources->max_pixels);
    if (resources->memory_mb)
        add_pair(line, "--memory", line->memory);
    if (resources->max_pixels)
        add_pair(line, "--max-pixels", line->pixels);
}

void tune_trial_write(const tune_space *space, const tune_search *search, uint32_t trial, uint32_t epochs,
                      const char *model, tune_trial *line)
{
    *line = (tune_trial){ 0 };
    add(line, "train");
    if (space->data.trusted)
        add(line, "--trust-data");
    add_pair(line, "--data", space->data.path);
    if (space->validation)
        add_pair(line, "--val", space->validation);
    add_limits(space->resources, line);
    add_pair(line, "--model", model);
    line->options = line->count;
    if (trial)
        draw(space, search, trial, line);
    line->drawn = line->count - line->options;
    for (int i = 0; i < space->fixed_count; i++)
        add(line, space->fixed[i]);
    if (epochs) {
        snprintf(line->epochs, sizeof line->epochs, "%u", epochs);
        add_pair(line, "--epochs", line->epochs);
    }
}

int tune_trial_parse(const tune_space *space, tune_trial *line, train_arguments *arguments, train_settings *settings)
{
    return train_options_parse(space->train, line->count, line->arguments, arguments, settings);
}

/* Appends a word as a shell reads it, quoted only if necessary. */
static void append_word(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    int plain = *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,=:+@%") ==
                             strlen(word);
    if (used)
        used += (size_t)snprintf(text + used, size - used, " ");
    if (plain) {
        snprintf(text + used, size - used, "%s", word);
        return;
    }
    used += (size_t)snprintf(text + used, size - used, "'");
    for (; *word && used + 6 < size; word++)
        used += (size_t)snprintf(text + used, size - used, *word == '\'' ? "'\\''" : "%c", *word);
    snprintf(text + used, size - used, "'");
}

static void join(char *const *words, int count, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < count && strlen(text) + 2 < size; i++)
        append_word(text, size, words[i]);
}

void tune_trial_describe(const tune_trial *line, char *text, size_t size)
{
    join(line->arguments + line->options, line->drawn, text, size);
}

void tune_trial_command(const tune_trial *line, char *text, size_t size)
{
    const size_t used = (size_t)snprintf(text, size, "catdog ");
    join(line->arguments, line->count, text + used, size - used);
}
