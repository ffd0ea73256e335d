#include "cli/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "cli/spelling.h"

enum { LONGEST_WORD = 32, MAX_OPTIONS = 48 };

/* The names of the options on the command line that was parsed last. */
static const char *present[MAX_OPTIONS];

int arguments_number(const char *text, double *number)
{
    char *end;
    if (!strchr("+-.0123456789", text[0]))
        return 0; /* strtod takes leading blanks, "inf" and "nan" */
    *number = strtod(text, &end);
    return end != text && !*end && isfinite(*number);
}

static int whole_number(const char *text, uint64_t *number)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return !*end && !errno;
}

int arguments_wrong(const catdog_command *command, const char *format, ...)
{
    char sentence[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof sentence, format, values);
    va_end(values);
    output_error("%s", sentence);
    fprintf(stderr, "Try 'catdog%s%s --help'.\n", command ? " " : "", command ? command->name : "");
    return EXIT_USAGE;
}

static const option *find_option(const option *options, const char *name, size_t length)
{
    for (const option *o = options; o->name; o++)
        if (strlen(o->name) == length && !strncmp(o->name, name, length))
            return o;
    return NULL;
}

static int unknown_option(const catdog_command *command, const option *options, const char *argument)
{
    const char *names[MAX_OPTIONS + 1] = { 0 };
    for (size_t i = 0; i < MAX_OPTIONS && options[i].name; i++)
        names[i] = options[i].name;
    char word[LONGEST_WORD];
    const char *start = argument + strspn(argument, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(start, "="), start);
    const char *nearest = spelling_nearest(word, names);
    if (nearest)
        return arguments_wrong(command, "%s: unknown option '%s'; did you mean '--%s'?", command->name, argument,
                               nearest);
    return arguments_wrong(command, "%s: unknown option '%s'%s%s", command->name, argument, command->hint ? "; " : "",
                           command->hint ? command->hint : "");
}

static int set_whole(const catdog_command *command, const option *o, const char *value)
{
    uint64_t number;
    if (!whole_number(value, &number) || number < (uint64_t)o->minimum || number > (uint64_t)o->maximum)
        return arguments_wrong(command, "%s: --%s takes a whole number from %.0f to %.0f, not '%s'", command->name,
                               o->name, o->minimum, o->maximum, value);
    *(uint64_t *)o->target = number;
    return PARSED;
}

static int set_number(const catdog_command *command, const option *o, const char *value)
{
    double number;
    if (!arguments_number(value, &number) || number < o->minimum || number > o->maximum)
        return arguments_wrong(command, "%s: --%s takes a number from %g to %g, not '%s'", command->name, o->name,
                               o->minimum, o->maximum, value);
    *(double *)o->target = number;
    return PARSED;
}

static int set_choice(const catdog_command *command, const option *o, const char *value)
{
    for (int i = 0; o->choices[i]; i++) {
        if (!strcmp(o->choices[i], value)) {
            *(int *)o->target = i;
            return PARSED;
        }
    }
    const char *nearest = spelling_nearest(value, o->choices);
    char list[256] = "";
    for (int i = 0; o->choices[i]; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", o->choices[i]);
    return arguments_wrong(command, "%s: --%s takes one of %s, not '%s'%s%s%s", command->name, o->name, list, value,
                           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int set_option(const catdog_command *command, const option *o, const char *value)
{
    switch (o->kind) {
    case OPTION_FLAG: *(int *)o->target = 1; return PARSED;
    case OPTION_WHOLE: return set_whole(command, o, value);
    case OPTION_NUMBER: return set_number(command, o, value);
    case OPTION_CHOICE: return set_choice(command, o, value);
    case OPTION_TEXT: break;
    }
    if (!*value)
        return arguments_wrong(command, "%s: --%s is empty", command->name, o->name);
    *(const char **)o->target = value;
    return PARSED;
}

/* Prints help if the argument asks for it. The build uses the forms =man and =bash. */
static int asks_for_help(const catdog_command *command, const option *options, const char *argument)
{
    if (!strcmp(argument, "--help") || !strcmp(argument, "-h"))
        help_print(command, options);
    else if (!strcmp(argument, "--help=man"))
        manual_of_command(command, options);
    else if (!strcmp(argument, "--help=bash"))
        completion_of_command(command, options);
    else
        return 0;
    return 1;
}

static void note_present(const char *name)
{
    for (int i = 0; i < MAX_OPTIONS; i++) {
        if (!present[i] || !strcmp(present[i], name)) {
            present[i] = name;
            return;
        }
    }
}

int arguments_has(const char *name)
{
    for (int i = 0; i < MAX_OPTIONS && present[i]; i++)
        if (!strcmp(present[i], name))
            return 1;
    return 0;
}

int arguments_refuse_unused(const catdog_command *command, const unused_option *options)
{
    for (const unused_option *o = options; o->name; o++)
        if (o->is_unused && arguments_has(o->name))
            return arguments_wrong(command, "%s: --%s does nothing %s", command->name, o->name, o->why);
    return EXIT_DONE;
}

/* Reads argv[*index], an option, and its value, which may be the next argument. */
static int parse_option(const catdog_command *command, const option *options, char **argv, int *index)
{
    const char *argument = argv[*index];
    size_t length = strcspn(argument, "=");
    if (asks_for_help(command, options, argument))
        return output_finish();
    const option *o = argument[1] == '-' ? find_option(options, argument + 2, length - 2) : NULL;
    if (!o)
        return unknown_option(command, options, argument);
    const char *value = argument[length] ? argument + length + 1 : NULL;
    if (o->kind == OPTION_FLAG && value)
        return arguments_wrong(command, "%s: --%s takes no value; remove '=%s'", command->name, o->name, value);
    if (o->kind != OPTION_FLAG && !value) {
        const char *next = argv[*index + 1];
        if (!next || !strncmp(next, "--", 2))
            return arguments_wrong(command, "%s: --%s needs a value (%s)", command->name, o->name, o->value_name);
        value = next;
        ++*index;
    }
    note_present(o->name);
    return set_option(command, o, value);
}

static int stray_value(const catdog_command *command, const option *options, const char *value)
{
    int is_data = find_option(options, "data", strlen("data")) && !access(value, F_OK);
    if (is_data)
        return arguments_wrong(command, "%s: unexpected argument '%s'; did you mean '--data %s'?", command->name, value,
                               value);
    return arguments_wrong(command, "%s: unexpected argument '%s'; a value follows the name of its option",
                           command->name, value);
}

static int find_missing(const catdog_command *command, const option *options)
{
    for (const option *o = options; o->name; o++)
        if (o->needed && !*(const char **)o->target)
            return arguments_wrong(command, "%s: --%s is missing", command->name, o->name);
    return PARSED;
}

int arguments_parse(const catdog_command *command, const option *options, int argc, char **argv, int *operands)
{
    int kept = 0;
    int only_operands = 0;
    memset(present, 0, sizeof present);
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (only_operands || argument[0] != '-' || !argument[1]) {
            if (!operands)
                return stray_value(command, options, argument);
            argv[1 + kept++] = argv[i];
        } else if (!strcmp(argument, "--")) {
            only_operands = 1;
        } else {
            int result = parse_option(command, options, argv, &i);
            if (result != PARSED)
                return result;
        }
    }
    if (operands)
        *operands = kept;
    return find_missing(command, options);
}
