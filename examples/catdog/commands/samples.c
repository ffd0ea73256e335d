#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/output.h"
#include "report/figure.h"
#include "report/sample_grids.h"

enum { MOST_PHOTOGRAPHS = 400, MOST_ROWS = 40, MOST_CHANGES = 30 };

/* What both commands take. */
typedef struct samples_arguments {
    const char *data, *out, *augment;
    uint64_t count, changes, size, seed;
    int force;
} samples_arguments;

typedef struct sampling {
    samples_arguments arguments;
    cnn_augment augment;
    cnn_context *context;
    cnn_dataset *dataset;
    progress_line progress;
    grid grid;
} sampling;

/* The commands' own part: fills the grid. Not 0 with a sentence printed. */
typedef int (*fill_grid)(sampling *s);

static int fill_samples(sampling *s)
{
    const photo_source source = { s->context, s->dataset };
    return sample_grid_create(&source, s->arguments.count, s->arguments.seed, &s->grid);
}

static int fill_augmented(sampling *s)
{
    cnn_preprocess size;
    cnn_preprocess_init(&size);
    size.width = size.height = (uint32_t)s->arguments.size;
    const photo_source source = { s->context, s->dataset };
    const augmented_samples samples = { &s->augment, &size, s->arguments.count, s->arguments.changes,
                                        s->arguments.seed };
    return augmented_grid_create(&source, &samples, &s->grid);
}

static int make(const catdog_command *command, sampling *s, const char *title, fill_grid fill)
{
    const samples_arguments *a = &s->arguments;
    const destination files[] = {
        { "--data", a->data, DESTINATION_INPUT },
        { "--out", a->out, DESTINATION_PICTURE },
        { 0 },
    };
    int refused = destinations_check(command, files, a->force);
    if (refused)
        return refused;
    progress_init(&s->progress);
    int wrong = context_create(0, &s->context) || data_open(s->context, a->data, CNN_PART_AUTO, &s->dataset) ||
                data_leave_out_bad(s->dataset, "checking", &s->progress, NULL) || fill(s);
    if (!wrong) {
        figure f = grid_figure(&s->grid, "samples", title);
        wrong = figure_save(&f, a->out, a->force);
    }
    grid_release(&s->grid);
    cnn_dataset_destroy(s->dataset);
    cnn_context_destroy(s->context);
    return wrong ? EXIT_FAILED : output_finish();
}

static int run_samples(const catdog_command *command, int argc, char **argv)
{
    sampling s = { .arguments.count = 24 };
    samples_arguments *a = &s.arguments;
    const option options[] = {
        { "data", "PATH", "photographs: folder, zip or CSV list", OPTION_TEXT, &a->data, .needed = 1 },
        { "out", "FILE.png", "the image to write; an SVG if its name ends in .svg", OPTION_TEXT, &a->out, .needed = 1 },
        { "count", "N", "photographs to show (24)", OPTION_WHOLE, &a->count, 1, MOST_PHOTOGRAPHS },
        { "seed", "N", "which ones are drawn (0)", OPTION_WHOLE, &a->seed, 0, 9007199254740992.0 },
        FORCE_OPTION(a->force),
        DATA_OPTION,
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    return make(command, &s, "Samples", fill_samples);
}

static int run_preview(const catdog_command *command, int argc, char **argv)
{
    sampling s = { .arguments = { .count = 6, .changes = 7, .size = 160, .augment = "flip,rotation=15,zoom=0.15" } };
    samples_arguments *a = &s.arguments;
    const option options[] = {
        { "data", "PATH", "photographs: folder, zip or CSV list", OPTION_TEXT, &a->data, .needed = 1 },
        { "augment", "LIST", "random changes (flip,rotation=15,zoom=0.15), as for 'catdog train'", OPTION_TEXT,
          &a->augment },
        { "out", "FILE.png", "the image to write; an SVG if its name ends in .svg", OPTION_TEXT, &a->out, .needed = 1 },
        { "count", "N", "photographs to show, one in a row (6)", OPTION_WHOLE, &a->count, 1, MOST_ROWS },
        { "changes", "N", "how often each is changed (7)", OPTION_WHOLE, &a->changes, 1, MOST_CHANGES },
        { "size", "N", "height and width of the network's input (160)", OPTION_WHOLE, &a->size, 8, 1024 },
        { "seed", "N", "which photographs are drawn, and how they are changed (0)", OPTION_WHOLE, &a->seed, 0,
          9007199254740992.0 },
        FORCE_OPTION(a->force),
        DATA_OPTION,
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    cnn_augment_init(&s.augment);
    if (cnn_augment_parse(a->augment, &s.augment))
        return arguments_wrong(command, "augment-preview: --augment: %s", cnn_last_error());
    return make(command, &s, "Augmented samples", fill_augmented);
}

const catdog_command samples_command = {
    "samples",
    "draw a grid of photographs from a dataset",
    "--data PATH --out FILE.png [OPTION]...",
    "Draws photographs of each class, with their labels, into one image.\n\n"
    "  catdog samples --data PetImages --out samples.png\n",
    run_samples,
    NULL,
};

const catdog_command augment_preview_command = {
    "augment-preview",
    "draw photographs as training would change them",
    "--data PATH --out FILE.png [OPTION]...",
    "Draws photographs as they are, and beside each how training changes it with --augment. What\n"
    "can't be recognised here can't be learned from.\n\n"
    "  catdog augment-preview --data PetImages --augment flip,rotation=30,crop --out changed.png\n",
    run_preview,
    NULL,
};
