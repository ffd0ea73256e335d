#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/inference_options.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/shipped.h"
#include "commands/commands.h"
#include "report/drawing_crash.h"
#include "report/page.h"
#include "report/prediction_grids.h"
#include "report/sample_grids.h"

enum { SAMPLES = 18, AUGMENTED = 4, VARIANTS = 5, PREDICTIONS = 24, MISTAKES = 12, HEAT_MAPS = 12, SIDE_CLASSES = 20 };

typedef struct report_arguments {
    const char *model, *history, *out, *augment;
    data_options data;
    inference_options inference;
    context_options resources;
    uint64_t seed;
    int force;
} report_arguments;

typedef struct reporting {
    report_arguments arguments;
    progress_line progress;
    cnn_augment augment;
    cnn_context *context;
    cnn_dataset *dataset;
    report report;
} reporting;

static int make_folder(const char *path)
{
    struct stat info;
    if (!stat(path, &info) && !S_ISDIR(info.st_mode)) {
        output_error("'%s' is not a folder", path);
        return -1;
    }
    if (mkdir(path, 0777) && errno != EEXIST) {
        output_error("the folder '%s' can't be created: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

static int open_all(reporting *g)
{
    report *r = &g->report;
    const report_arguments *a = &g->arguments;
    r->model_path = shipped_model_unless(a->model);
    if (!r->model_path || context_create(&a->resources, &g->context))
        return EXIT_FAILED;
    int wrong = inference_load(&report_command, g->context, r->model_path, &a->inference, &r->classifier);
    if (wrong)
        return wrong;
    if ((a->history && history_read(a->history, &r->history)) || make_folder(a->out))
        return EXIT_FAILED;
    if (data_open_for_testing(g->context, &a->data, &g->dataset) ||
        data_align_to_classifier(g->dataset, r->classifier) ||
        data_leave_out_bad(g->dataset, "checking", &g->progress, &r->skipped))
        return EXIT_FAILED;
    r->dataset = g->dataset;
    r->data_path = a->data.path;
    r->augmentation = a->augment;
    return EXIT_DONE;
}

static int compare_bars(const void *a, const void *b)
{
    double x = ((const bar *)a)->value, y = ((const bar *)b)->value;
    return (x < y) - (x > y);
}

/* Of very many classes the largest and the smallest are shown. */
static int count_classes(report *r)
{
    uint32_t classes = r->predictions.classes;
    r->balance_list = calloc(classes, sizeof *r->balance_list);
    if (!r->balance_list) {
        output_error("out of memory: the classes can't be counted");
        return -1;
    }
    for (uint64_t i = 0; i < cnn_dataset_count(r->dataset); i++)
        r->balance_list[cnn_dataset_label(r->dataset, i)].value++;
    for (uint32_t k = 0; k < classes; k++) {
        r->balance_list[k].name = r->predictions.names[k];
        snprintf(r->balance_list[k].text, sizeof r->balance_list[k].text, "%.0f", r->balance_list[k].value);
    }
    if (classes > 2 * SIDE_CLASSES) {
        qsort(r->balance_list, classes, sizeof *r->balance_list, compare_bars);
        memmove(r->balance_list + SIDE_CLASSES, r->balance_list + classes - SIDE_CLASSES,
                SIDE_CLASSES * sizeof *r->balance_list);
        classes = 2 * SIDE_CLASSES;
    }
    r->balance = (bars){ r->balance_list, classes };
    return 0;
}

static int measure(reporting *g)
{
    report *r = &g->report;
    if (predictions_collect(r->classifier, g->dataset, &g->progress, &r->predictions))
        return -1;
    r->has_filters = filters_find(cnn_classifier_model(r->classifier), &r->filters);
    return curve_set_roc(&r->predictions, &r->roc) ||
           curve_set_precision_recall(&r->predictions, &r->precision_recall) || count_classes(r) ||
           layers_measure(g->context, cnn_classifier_model(r->classifier), &r->layers);
}

static int create_grids(reporting *g)
{
    report *r = &g->report;
    const photo_source source = { g->context, g->dataset };
    const uint64_t seed = g->arguments.seed;
    const augmented_samples augmented = { .augment = &g->augment,
                                          .preprocess = cnn_classifier_preprocess(r->classifier),
                                          .photographs = AUGMENTED,
                                          .variants = VARIANTS,
                                          .seed = seed + 1 };
    const heat_map_samples heat_maps = { r->classifier, &r->predictions, HEAT_MAPS, seed + 3 };
    int wrong = sample_grid_create(&source, SAMPLES, seed, &r->sample_grid) ||
                augmented_grid_create(&source, &augmented, &r->augmented_grid) ||
                prediction_grid_create(&source, &r->predictions, PREDICTIONS, seed + 2, &r->prediction_grid) ||
                mistake_grid_create(&source, &r->predictions, MISTAKES, &r->mistake_grid) ||
                heat_map_grid_create(&source, &heat_maps, &r->heat_map_grid);
    if (!wrong && !r->heat_map_grid.count)
        snprintf(r->no_heat_maps, sizeof r->no_heat_maps, "%.250s",
                 output_reason("cnn_model_heat_map", cnn_last_error()));
    return wrong;
}

static int make(reporting *g)
{
    int wrong = open_all(g);
    if (wrong)
        return wrong;
    if (measure(g) || create_grids(g))
        return EXIT_FAILED;
    drawing_crash_catch();
    if (page_write(&g->report, g->arguments.out, g->arguments.force))
        return EXIT_FAILED;
    output_text(stdout, g->arguments.out);
    puts("/index.html");
    return output_finish();
}

static void release(reporting *g)
{
    report *r = &g->report;
    grid *grids[] = { &r->sample_grid, &r->augmented_grid, &r->prediction_grid, &r->mistake_grid, &r->heat_map_grid };
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++)
        grid_release(grids[i]);
    free(r->balance_list);
    layers_release(&r->layers);
    curve_set_release(&r->roc);
    curve_set_release(&r->precision_recall);
    history_release(&r->history);
    predictions_release(&r->predictions);
    cnn_dataset_destroy(g->dataset);
    cnn_classifier_destroy(r->classifier);
    cnn_context_destroy(g->context);
}

static int check_files(const catdog_command *command, const report_arguments *a)
{
    char page[PATH_MAX];
    const destination files[] = {
        { "--model", a->model, DESTINATION_INPUT },
        { "--data", a->data.path, DESTINATION_INPUT },
        { "--history", a->history, DESTINATION_INPUT },
        { "--out", a->out, DESTINATION_FOLDER },
        { 0 },
    };
    int wrong = destinations_check(command, files, a->force);
    snprintf(page, sizeof page, "%s/index.html", a->out);
    return !wrong && destination_check_content(page, DESTINATION_PAGE, a->force) ? EXIT_FAILED : wrong;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    reporting g = { .arguments = { .augment = "flip,rotation=15,zoom=0.15" } };
    report_arguments *a = &g.arguments;
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &a->model, .initial = SHIPPED_MODEL },
        DATA_OPTIONS(a->data, "photographs whose classes are known"),
        { "history", "FILE.csv", "history that 'catdog train --history' wrote", OPTION_TEXT, &a->history },
        { "out", "FOLDER", "folder for the page and its figures, created if necessary", OPTION_TEXT, &a->out,
          .needed = 1 },
        { "augment", "LIST", "random changes to show, as for 'catdog train'", OPTION_TEXT, &a->augment,
          .initial = "flip,rotation=15,zoom=0.15" },
        THRESHOLD_OPTION(a->inference),
        INFERENCE_OPTIONS(a->inference),
        { "seed", "N", "seed for drawing the photographs shown", OPTION_WHOLE, &a->seed, 0, 9007199254740992.0,
          .initial = "0" },
        FORCE_OPTION(a->force),
        THREADS_OPTION(a->resources),
        MEMORY_OPTION(a->resources),
        MAX_PIXELS_OPTION(a->resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    cnn_augment_init(&g.augment);
    if (cnn_augment_parse(a->augment, &g.augment))
        return arguments_wrong(command, "report: --augment: %s", cnn_last_error());
    int wrong = check_files(command, a);
    if (wrong)
        return wrong;
    interrupt_catch();
    progress_init(&g.progress);
    int result = make(&g);
    release(&g);
    return result;
}

const catdog_command report_command = {
    "report",
    "show how good a model is, and why, on a web page",
    "--data PATH --out FOLDER [OPTION]...",
    "Measures a model on photographs whose classes are known, as 'catdog eval' does, and writes a\n"
    "page that shows its accuracy, its mistakes, its heat maps and its training.\n\n"
    "  catdog report --model pets.safetensors --data PetImages --out report\n"
    "  catdog report --model pets.safetensors --data photos.zip --history curves.csv --out report\n\n"
    "Open FOLDER/index.html in a browser. The page contains everything it shows, so you can mail\n"
    "it; the folder also has each figure as PNG and SVG.\n",
    run,
};
