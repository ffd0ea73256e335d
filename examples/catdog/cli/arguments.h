/* The command line: commands, and their options as tables, which both parse and explain themselves. */
#ifndef CATDOG_CLI_ARGUMENTS_H
#define CATDOG_CLI_ARGUMENTS_H

#include <stddef.h>

/* What a command's process ends with. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct catdog_command {
    const char *name;
    const char *summary;                                                     /* one line, for `catdog --help` */
    const char *synopsis;                                                    /* what follows `catdog NAME` */
    const char *guide;                                                       /* what it does, by example */
    int (*run)(const struct catdog_command *command, int argc, char **argv); /* argv[0] is the command's name */
    const char *hint; /* what to say of an option that it doesn't know; NULL: nothing */
} catdog_command;

extern const catdog_command train_command, tune_command, eval_command, predict_command, check_command,
    calibrate_command, summary_command, quantize_command, bench_command, export_command, serve_command, report_command,
    samples_command, augment_preview_command;

typedef enum option_kind {
    OPTION_FLAG,   /* target: int, set to 1 */
    OPTION_TEXT,   /* const char * */
    OPTION_WHOLE,  /* uint64_t, minimum to maximum */
    OPTION_NUMBER, /* double, minimum to maximum */
    OPTION_CHOICE  /* int: the index in `choices` */
} option_kind;

typedef struct option {
    const char *name;       /* without its dashes; NULL ends a table */
    const char *value_name; /* NULL for a flag */
    const char *help;
    option_kind kind;
    void *target; /* left as it is if the option isn't given */
    double minimum, maximum;
    const char *const *choices; /* ends in NULL; of a text, what is suggested beside files */
    int needed;                 /* of a text: it must be given */
} option;

enum { PARSED = -1 };

/* Reads argv[1] and on. What isn't an option is moved to the front of argv + 1, and counted in `*operands`; with
 * `operands` NULL it is an error. Gives PARSED; or what the process is to end with: help was asked for and printed, or
 * something is wrong and a sentence was printed. */
int arguments_parse(const catdog_command *command, const option *options, int argc, char **argv, int *operands);

/* Whether that option was on the command line that was parsed last. */
int arguments_given(const char *name);

/* An option that does nothing where `idle` is not 0, and why: what follows "--NAME does nothing ". */
typedef struct idle_option {
    const char *name; /* NULL ends a table */
    int idle;
    const char *why;
} idle_option;

/* EXIT_USAGE, with a sentence printed, if one that was given does nothing; else EXIT_DONE. */
int arguments_refuse_idle(const catdog_command *command, const idle_option *options);

/* Prints one sentence on a wrong command line, and where to find help; `command` may be NULL. Gives EXIT_USAGE. */
int arguments_wrong(const catdog_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The one of `names` (ends in NULL) that `word` may have meant; NULL if none is near. */
const char *arguments_nearest(const char *word, const char *const *names);

/* Reads a whole text as a number; 0 if it is none, or isn't finite. */
int arguments_number(const char *text, double *number);

#endif
