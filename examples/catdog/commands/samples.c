#include "cli/destination.h"
#include "commands/commands.h"
#include "report/sample_grids.h"
#include "report/sample_picture.h"

enum { MOST_PHOTOGRAPHS = 400 };

typedef struct sample_options {
    uint64_t count, seed;
} sample_options;

static int fill(const photo_source *source, const void *user, grid *g)
{
    const sample_options *o = user;
    return sample_grid_create(source, (size_t)o->count, o->seed, g);
}

static int run(const catdog_command *command, int argc, char **argv)
{
    sample_options o = { .count = 24 };
    sample_picture picture = { .title = "Samples", .fill = fill, .user = &o };
    const option options[] = {
        DATA_OPTIONS(picture.data, "photographs to draw"),
        PICTURE_OPTION(picture),
        { "count", "N", "number of photographs", OPTION_WHOLE, &o.count, 1, MOST_PHOTOGRAPHS, .initial = "24" },
        { "seed", "N", "seed for choosing them", OPTION_WHOLE, &o.seed, 0, 9007199254740992.0, .initial = "0" },
        FORCE_OPTION(picture.force),
        THREADS_OPTION(picture.resources),
        MEMORY_OPTION(picture.resources),
        MAX_PIXELS_OPTION(picture.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    return parsed == PARSED ? sample_picture_write(command, &picture) : parsed;
}

const catdog_command samples_command = {
    "samples",
    "draw photographs with their labels",
    "--data PATH --out FILE.png [OPTION]...",
    "Draws photographs of each class, with their labels, into one picture.\n\n"
    "  catdog samples --data PetImages --out samples.png\n",
    run,
    NULL,
};
