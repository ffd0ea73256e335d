#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 28, WIDTH = 100 };

/* "a, b or c" */
static void list_choices(const char *const *choices, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; choices[i] && length < size; i++) {
        snprintf(text + length, size - length, "%s%s", !i ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
        length = strlen(text);
    }
}

/* The values that an option takes; empty where its description has to say it. */
static void describe_values(const option *o, char *text, size_t size)
{
    text[0] = '\0';
    if (o->kind == OPTION_WHOLE)
        snprintf(text, size, "%.0f to %.0f", o->minimum, o->maximum);
    else if (o->kind == OPTION_NUMBER)
        snprintf(text, size, "%g to %g", o->minimum, o->maximum);
    else if (o->kind == OPTION_CHOICE)
        list_choices(o->choices, text, size);
}

const char *help_describe(const option *o, char *text, size_t size)
{
    char values[HELP_TEXT / 2];
    describe_values(o, values, sizeof values);
    if (o->needed)
        snprintf(text, size, "%s (required)", o->help);
    else if (o->initial)
        snprintf(text, size, "%s (%s%sdefault: %s)", o->help, values, *values ? "; " : "", o->initial);
    else if (*values)
        snprintf(text, size, "%s (%s)", o->help, values);
    else
        snprintf(text, size, "%s", o->help);
    return text;
}

/* Text from COLUMN on, in as many lines as it takes. */
static void print_wrapped(const char *text)
{
    size_t room = WIDTH - COLUMN - 2;
    while (strlen(text) > room) {
        size_t length = room;
        while (length && text[length] != ' ')
            length--;
        if (!length)
            break;
        printf("%.*s\n%*s", (int)length, text, COLUMN + 2, "");
        text += length + 1;
    }
    puts(text);
}

static void print_option(const char *name, const char *value_name, const char *description)
{
    char left[128];
    snprintf(left, sizeof left, "--%s%s%s", name, value_name ? " " : "", value_name ? value_name : "");
    printf("  %-*s", COLUMN, left);
    if (strlen(left) >= COLUMN)
        printf("\n%*s", COLUMN + 2, "");
    print_wrapped(description);
}

void help_print(const catdog_command *command, const option *options)
{
    char text[HELP_TEXT];
    printf("Usage: catdog %s %s\n\n%s\nOptions:\n", command->name, command->synopsis, command->guide);
    for (const option *o = options; o->name; o++)
        print_option(o->name, o->value_name, help_describe(o, text, sizeof text));
    print_option("help", NULL, "print this help");
}
