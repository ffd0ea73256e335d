#include "cli/manual.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <cnn/version.h>

#include "cli/help.h"

/* A line of text as groff takes it: '-' stays a minus sign that can be copied to a shell, and no word is a macro. */
static void print_escaped(const char *text, size_t length)
{
    if (length && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
    }
}

static void print_text(const char *text)
{
    print_escaped(text, strlen(text));
}

static void print_title(const char *name, const char *summary)
{
    printf(".TH ");
    for (const char *letter = name; *letter; letter++)
        printf(*letter == '-' ? "\\-" : "%c", toupper((unsigned char)*letter));
    printf(" 1 \"\" \"catdog %d.%d.%d\" \"User Commands\"\n.SH NAME\n", CNN_VERSION_MAJOR, CNN_VERSION_MINOR,
           CNN_VERSION_PATCH);
    print_text(name);
    printf(" \\- %s\n.SH SYNOPSIS\n", summary);
}

/* Paragraphs, between empty lines; lines that are indented are examples. */
static void print_guide(const char *guide)
{
    int example = 0, between = 0;
    for (const char *line = guide; *line;) {
        size_t length = strcspn(line, "\n");
        int indented = !strncmp(line, "  ", 2);
        if (indented && !example)
            fputs(between ? ".PP\n.nf\n.RS 4\n" : ".nf\n.RS 4\n", stdout);
        if (!indented && example)
            fputs(".RE\n.fi\n", stdout);
        if (!indented && between && length)
            fputs(".PP\n", stdout);
        example = indented;
        between = !length;
        if (length) {
            print_escaped(line + (indented ? 2 : 0), length - (indented ? 2 : 0));
            putchar('\n');
        }
        line += length + (line[length] == '\n');
    }
    if (example)
        fputs(".RE\n.fi\n", stdout);
}

static void print_option(const char *name, const char *value_name, const char *help)
{
    fputs(".TP\n\\fB\\-\\-", stdout);
    print_text(name);
    fputs("\\fR", stdout);
    if (value_name)
        printf(" \\fI%s\\fR", value_name);
    putchar('\n');
    print_text(help);
    putchar('\n');
}

static void print_exit_status(void)
{
    fputs(".SH EXIT STATUS\n0 for success, 1 for a failure, and 2 for an invalid command line.\n", stdout);
}

void manual_of_command(const catdog_command *command, const option *options)
{
    char name[64];
    snprintf(name, sizeof name, "catdog-%s", command->name);
    print_title(name, command->summary);
    printf(".B catdog %s\n", command->name);
    print_text(command->synopsis);
    fputs("\n.SH DESCRIPTION\n", stdout);
    print_guide(command->guide);
    fputs(".SH OPTIONS\n", stdout);
    char text[HELP_TEXT];
    for (const option *o = options; o->name; o++)
        print_option(o->name, o->value_name, help_describe(o, text, sizeof text));
    print_option("help", NULL, "print this help");
    print_exit_status();
    fputs(".SH SEE ALSO\n.BR catdog (1)\n", stdout);
}

static void print_command(const catdog_command *command)
{
    fputs(".TP\n.BR catdog\\-", stdout);
    print_text(command->name);
    printf(" (1)\n%s\n", command->summary);
}

void manual_of_program(const catdog_command *const *commands)
{
    print_title("catdog", "train image classifiers, and classify photographs");
    fputs(".B catdog\n.I COMMAND\n[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n", stdout);
    print_guide("Trains image classifiers on labelled photographs of two or more classes, and classifies photographs\n"
                "with them. catdog is the example program of the library libcnn.\n\n"
                "  catdog check --data PetImages\n"
                "  catdog train --data PetImages --model pets.safetensors\n"
                "  catdog predict --model pets.safetensors photo.jpg\n\n"
                "Results go to standard output, progress and errors to standard error.\n");
    fputs(".SH COMMANDS\n", stdout);
    for (; *commands; commands++)
        print_command(*commands);
    fputs(".SH OPTIONS\n", stdout);
    print_option("help", NULL, "print the commands, or after a command its options");
    print_option("version", NULL, "print the version of the program and of the library");
    fputs(".SH ENVIRONMENT\n"
          ".TP\n.B CNN_THREADS\nthe number of threads, without \\-\\-threads\n"
          ".TP\n.B CNN_MAX_PIXELS\nthe limit on the pixels of a photograph, without \\-\\-max\\-pixels\n"
          ".TP\n.B CNN_IMAGE_MEMORY\nthe limit on the memory that a model's activations may take for one image, in MiB "
          "(default: 1024)\n"
          ".TP\n.B CNN_IMAGE_OPERATIONS\nthe limit on the operations that a model may take for one image (default: "
          "1e12)\n"
          ".TP\n.B CNN_CPU\nthe instruction set to use, such as avx2 or generic (default: the best of the processor)\n"
          ".TP\n.B CNN_LOG\nif it is 2, the library logs which kernels it uses\n"
          ".TP\n.B NO_COLOR\nif set to anything, progress is printed without colour\n",
          stdout);
    print_exit_status();
}
