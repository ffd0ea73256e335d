/* catdog: from a folder of photographs to a classifier, and its predictions. libcnn's example program. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "cli/external_command.h"
#include "cli/json_memory.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "cli/spelling.h"
#include "commands/commands.h"

static const catdog_command *const commands[] = {
    &train_command,
    &tune_command,
    &eval_command,
    &predict_command,
    &check_command,
    &calibrate_command,
    &summary_command,
    &quantize_command,
    &bench_command,
    &export_command,
#ifdef CATDOG_HAS_SERVE
    &serve_command,
#endif
#ifdef CATDOG_HAS_REPORT
    &report_command,
    &samples_command,
    &augment_preview_command,
#endif
    NULL,
};

#ifdef CATDOG_BECOMES_FULL
#define NEEDED(library) "catdog-full"
#else
#define NEEDED(library) library
#endif

/* Commands that this program was built without, and what each needs. */
static const char *const absent[][2] = {
#ifndef CATDOG_HAS_SERVE
    { "serve", NEEDED("libmicrohttpd") },
#endif
#ifndef CATDOG_HAS_REPORT
    { "report", NEEDED("cairo and Pango") },
    { "samples", NEEDED("cairo and Pango") },
    { "augment-preview", NEEDED("cairo and Pango") },
#endif
    { NULL, "" },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] - 1 };

static void print_overview(FILE *file)
{
    int widest = 0;
    for (size_t i = 0; i < COMMANDS; i++)
        if ((int)strlen(commands[i]->name) > widest)
            widest = (int)strlen(commands[i]->name);
    fputs("Usage: catdog COMMAND [OPTION]...\n\n"
          "Trains image classifiers on photographs, and classifies photographs with them.\n\n"
          "Commands:\n",
          file);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-*s  %s\n", widest, commands[i]->name, commands[i]->summary);
    fputs("\nExample:\n"
          "  catdog check   --data PetImages                           find broken photographs\n"
          "  catdog train   --data PetImages --model pets.safetensors  train on the others\n"
          "  catdog predict --model pets.safetensors photo.jpg         classify a new one\n\n"
          "'catdog COMMAND --help' describes a command; 'catdog --version' prints the version.\n"
          "The exit status is 0 for success, 1 for a failure, and 2 for an invalid command line.\n",
          file);
}

static int unknown_command(const char *word)
{
    const char *names[COMMANDS + 3] = { 0 };
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    names[COMMANDS] = "--version";
    names[COMMANDS + 1] = "--help";
    if (!access(word, F_OK))
        return arguments_wrong(NULL, "'%s' is not a command; did you mean 'catdog predict %s'?", word, word);
    for (size_t i = 0; absent[i][0]; i++)
        if (!strcmp(word, absent[i][0]))
            return arguments_wrong(NULL, "this catdog was built without %s, which '%s' needs", absent[i][1], word);
    const char *nearest = spelling_nearest(word, names);
    if (nearest)
        return arguments_wrong(NULL, "unknown command '%s'; did you mean '%s'?", word, nearest);
    return arguments_wrong(NULL, "unknown command '%s'", word);
}

/* `catdog --help` in one of its forms, or --version. */
static int print_about(const char *word)
{
    if (!strcmp(word, "--version"))
        printf("catdog %d.%d.%d, with libcnn %s\n", CNN_VERSION_MAJOR, CNN_VERSION_MINOR, CNN_VERSION_PATCH,
               cnn_version());
    else if (!strcmp(word, "--help=man"))
        manual_of_program(commands);
    else if (!strcmp(word, "--help=bash"))
        return completion_of_program(commands);
    else if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        print_overview(stdout);
    else
        return unknown_command(word);
    return output_finish();
}

int main(int argc, char **argv)
{
    json_memory_watch();
    /* A closed pipe and a limit on the size of files become errors of write(), which are reported. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
#ifdef CATDOG_BECOMES_FULL
        external_command_run(argv);
#endif
        print_overview(stderr);
        return EXIT_USAGE;
    }
    char help[] = "--help";
    char *explain[] = { NULL, help, NULL };
    int asks = argc == 3 && !strcmp(argv[1], "help"); /* catdog help COMMAND */
    const char *name = argv[asks ? 2 : 1];
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(name, commands[i]->name))
            return commands[i]->run(commands[i], asks ? 2 : argc - 1, asks ? explain : argv + 1);
#ifdef CATDOG_BECOMES_FULL
    external_command_run(argv);
#endif
    return print_about(name);
}
