/* The command line. A command's table of options both parses its arguments and documents them. */
#ifndef CATDOG_CLI_ARGUMENTS_H
#define CATDOG_CLI_ARGUMENTS_H

#include <stddef.h>

/* Exit statuses. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct catdog_command {
    const char *name;
    const char *summary;                                                     /* one line, for `catdog --help` */
    const char *synopsis;                                                    /* what follows `catdog NAME` */
    const char *guide;                                                       /* what it does, with examples */
    int (*run)(const struct catdog_command *command, int argc, char **argv); /* argv[0] is the command's name */
    const char *hint; /* what to add to the sentence on an unknown option; NULL: nothing */
} catdog_command;

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
    const char *help;       /* what it is, and its unit; the range, the choices and the default are added to that */
    option_kind kind;
    void *target; /* stays as it is where the option is absent */
    double minimum, maximum;
    const char *const *choices; /* ends in NULL; of a text, what completion suggests beside files */
    const char *initial;        /* the default, as help shows it; NULL: there is none */
    int needed;                 /* of a text: the option is required */
} option;

enum { PARSED = -1 };

/* Reads argv[1] and on. Operands are moved to the front of argv + 1 and counted in `*operands`; where `operands` is
 * NULL they are an error. Returns PARSED, or the exit status after printing help or a sentence on what is wrong. */
int arguments_parse(const catdog_command *command, const option *options, int argc, char **argv, int *operands);

/* Whether that option was on the command line that was parsed last. */
int arguments_has(const char *name);

/* An option that would do nothing, and why: what follows "--NAME does nothing ". */
typedef struct unused_option {
    const char *name; /* NULL ends a table */
    int is_unused;
    const char *why;
} unused_option;

/* EXIT_USAGE with a sentence printed if the command line has an option that would do nothing; else EXIT_DONE. */
int arguments_refuse_unused(const catdog_command *command, const unused_option *options);

/* Prints a sentence on a wrong command line, and where to find help; `command` may be NULL. Returns EXIT_USAGE. */
int arguments_wrong(const catdog_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a whole text as a finite number. Returns 0 if it is none. */
int arguments_number(const char *text, double *number);

#endif
