#include "cli/destination.h"
#include "commands/commands.h"
#include "report/sample_grids.h"
#include "report/sample_picture.h"

enum { MOST_PHOTOGRAPHS = 40, MOST_VARIANTS = 30 };

typedef struct preview_options {
    const char *list;
    uint64_t count, variants, size, seed;
    cnn_augment augment;
} preview_options;

static int fill(const photo_source *source, const void *user, grid *g)
{
    const preview_options *o = user;
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = (uint32_t)o->size;
    const augmented_samples samples = { &o->augment, &preprocess, (size_t)o->count, (size_t)o->variants, o->seed };
    return augmented_grid_create(source, &samples, g);
}

static int run(const catdog_command *command, int argc, char **argv)
{
    preview_options o = { .list = "flip,rotation=15,zoom=0.15", .count = 6, .variants = 7, .size = 160 };
    sample_picture picture = { .title = "Augmented samples", .fill = fill, .user = &o };
    const option options[] = {
        DATA_OPTIONS(picture.data, "photographs to augment"),
        { "augment", "LIST", "random changes to show, as for 'catdog train'", OPTION_TEXT, &o.list, .initial = o.list },
        PICTURE_OPTION(picture),
        { "count", "N", "number of photographs, one in each row", OPTION_WHOLE, &o.count, 1, MOST_PHOTOGRAPHS,
          .initial = "6" },
        { "changes", "N", "number of variants of each", OPTION_WHOLE, &o.variants, 1, MOST_VARIANTS, .initial = "7" },
        { "size", "N", "height and width of the net's input in pixels", OPTION_WHOLE, &o.size, 8, 1024,
          .initial = "160" },
        { "seed", "N", "seed for choosing and augmenting them", OPTION_WHOLE, &o.seed, 0, 9007199254740992.0,
          .initial = "0" },
        FORCE_OPTION(picture.force),
        THREADS_OPTION(picture.resources),
        MEMORY_OPTION(picture.resources),
        MAX_PIXELS_OPTION(picture.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    cnn_augment_init(&o.augment);
    if (cnn_augment_parse(o.list, &o.augment))
        return arguments_wrong(command, "augment-preview: --augment: %s", cnn_last_error());
    return sample_picture_write(command, &picture);
}

const catdog_command augment_preview_command = {
    "augment-preview",
    "draw photographs as training augments them",
    "--data PATH --out FILE.png [OPTION]...",
    "Draws a photograph in each row: the original first, then variants as training with --augment\n"
    "sees them. The net can't learn from what you can't recognise.\n\n"
    "  catdog augment-preview --data PetImages --augment flip,rotation=30,crop --out changed.png\n",
    run,
    NULL,
};
