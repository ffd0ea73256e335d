/* The trials of `catdog tune`: command lines of `catdog train`. */
#ifndef CATDOG_TRAINING_TUNE_TRIAL_H
#define CATDOG_TRAINING_TUNE_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include "training/train_options.h"
#include "training/tune_search.h"

enum { TUNE_MOST_ARGUMENTS = 128, TUNE_LONGEST_VALUE = 160, TUNE_VARIED = 4 };

/* What all trials have in common, and which options they vary. */
typedef struct tune_space {
    const catdog_command *train;
    data_options data;
    const char *validation;
    const context_options *resources;
    char **fixed; /* options of train that apply to every trial */
    int fixed_count;
    double base_rate; /* the learning rate around which others are drawn */
    int varies_rate, varies_decay, varies_augment, varies_width;
} tune_space;

typedef struct tune_trial {
    char values[TUNE_VARIED][TUNE_LONGEST_VALUE];
    char epochs[16], memory[24], pixels[24];
    char *arguments[TUNE_MOST_ARGUMENTS];
    int count;
    int options; /* the first of the varied options among the arguments, */
    int drawn;   /* and how many arguments those are */
} tune_trial;

/* Whether an option ("--lr") is among the fixed ones. */
int tune_space_fixes(const tune_space *space, const char *name);

/* Writes the command line of a trial; `epochs` 0: train's default. */
void tune_trial_write(const tune_space *space, const tune_search *search, uint32_t trial, uint32_t epochs,
                      const char *model, tune_trial *line);

/* As train_options_parse. */
int tune_trial_parse(const tune_space *space, tune_trial *line, train_arguments *arguments, train_settings *settings);

/* The varied options as text, empty if there are none; and the whole command line, as a shell reads it. */
void tune_trial_describe(const tune_trial *line, char *text, size_t size);
void tune_trial_command(const tune_trial *line, char *text, size_t size);

#endif
