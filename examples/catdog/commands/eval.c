#include <math.h>
#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "commands/commands.h"

typedef struct eval_arguments {
    const char *model;
    data_options data;
    int json;
    inference_options inference;
    context_options resources;
} eval_arguments;

typedef struct evaluation {
    eval_arguments arguments;
    progress_line progress;
    cnn_context *context;
    cnn_classifier *classifier;
    cnn_dataset *dataset;
    cnn_metrics *metrics;
    cnn_metrics_result result;
    uint64_t skipped;
} evaluation;

static int show(uint64_t done, uint64_t total, void *user)
{
    progress_work(user, "evaluating", done, total);
    return 0;
}

static int measure(evaluation *e)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(e->classifier, &options);
    options.progress = show;
    options.progress_user = &e->progress;
    e->result.struct_size = sizeof e->result;
    cnn_status status = cnn_evaluate(cnn_classifier_model(e->classifier), e->dataset, &options, &e->metrics);
    if (!status)
        status = cnn_metrics_compute(e->metrics, &e->result);
    progress_clear(&e->progress);
    return status ? output_library_error() : EXIT_DONE;
}

static void print_percent(const char *name, double value)
{
    if (isnan(value))
        printf("%-17s  -\n", name);
    else
        printf("%-17s  %.2f %%\n", name, 100 * value);
}

static const char *name_of(const evaluation *e, uint32_t class_index)
{
    return cnn_classifier_class_name(e->classifier, class_index);
}

static int widest_name(const evaluation *e)
{
    int widest = 0;
    for (uint32_t k = 0; k < e->result.classes; k++)
        if (output_width(name_of(e, k)) > widest)
            widest = output_width(name_of(e, k));
    return widest;
}

static cnn_class_result measure_class(const evaluation *e, uint32_t class_index)
{
    cnn_class_result result = { .struct_size = sizeof result };
    cnn_metrics_compute_class(e->metrics, class_index, &result);
    return result;
}

static void print_name(const char *name, int width)
{
    output_text(stdout, name);
    printf("%*s", width - output_width(name), "");
}

/* Of two classes the figures above say all. */
static void print_classes(const evaluation *e)
{
    if (e->result.classes == 2) {
        printf("\nPrecision, recall and f1 are given for the class ");
        output_text(stdout, name_of(e, 1));
        puts(".");
        return;
    }
    int width = widest_name(e);
    printf("\nPrecision, recall and f1 are means over the classes. For each class:\n\n%*s  %8s  %9s  %9s  %9s\n", width,
           "", "images", "precision", "recall", "f1");
    for (uint32_t k = 0; k < e->result.classes; k++) {
        cnn_class_result result = measure_class(e, k);
        print_name(name_of(e, k), width);
        printf("  %8llu  %7.2f %%  %7.2f %%  %7.2f %%\n", (unsigned long long)result.images, 100 * result.precision,
               100 * result.recall, 100 * result.f1);
    }
}

static void print_confusion(const evaluation *e)
{
    int width = widest_name(e);
    puts("\nConfusion matrix (rows: true class, columns: predicted class):\n");
    printf("%*s", width, "");
    for (uint32_t column = 0; column < e->result.classes; column++) {
        int name = output_width(name_of(e, column));
        printf("  %*s", name < 8 ? 8 - name : 0, "");
        output_text(stdout, name_of(e, column));
    }
    puts("");
    for (uint32_t row = 0; row < e->result.classes; row++) {
        print_name(name_of(e, row), width);
        for (uint32_t column = 0; column < e->result.classes; column++) {
            int name = output_width(name_of(e, column));
            printf("  %*llu", name < 8 ? 8 : name, (unsigned long long)cnn_metrics_confusion(e->metrics, row, column));
        }
        puts("");
    }
}

static void print_table(const evaluation *e)
{
    const cnn_metrics_result *result = &e->result;
    printf("%-17s  %llu", "images", (unsigned long long)result->images);
    if (e->skipped)
        printf(" (and %llu left out)", (unsigned long long)e->skipped);
    printf("\n%-17s  %.4f\n", "loss", result->loss);
    print_percent("accuracy", result->accuracy);
    print_percent("precision", result->precision);
    print_percent("recall", result->recall);
    print_percent("f1", result->f1);
    if (isnan(result->auc))
        printf("%-17s  -\n", "auc");
    else
        printf("%-17s  %.4f\n", "auc", result->auc);
    print_percent("calibration error", result->calibration_error);
    print_classes(e);
    print_confusion(e);
}

static json_t *class_to_json(const evaluation *e, uint32_t class_index)
{
    cnn_class_result result = measure_class(e, class_index);
    return json_pack("{s:o,s:I,s:o,s:o,s:o}", "class", output_json_text(name_of(e, class_index)), "images",
                     (json_int_t)result.images, "precision", output_json_number(result.precision), "recall",
                     output_json_number(result.recall), "f1", output_json_number(result.f1));
}

static int print_json(const evaluation *e)
{
    const cnn_metrics_result *r = &e->result;
    json_t *confusion = json_array();
    json_t *classes = json_array();
    json_t *per_class = json_array();
    for (uint32_t row = 0; row < r->classes; row++) {
        json_t *counts = json_array();
        for (uint32_t column = 0; column < r->classes; column++)
            json_array_append_new(counts, json_integer((json_int_t)cnn_metrics_confusion(e->metrics, row, column)));
        json_array_append_new(confusion, counts);
        json_array_append_new(classes, output_json_text(name_of(e, row)));
        json_array_append_new(per_class, class_to_json(e, row));
    }
    json_t *object = json_pack(
        "{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "images", (json_int_t)r->images, "skipped",
        (json_int_t)e->skipped, "loss", output_json_number(r->loss), "accuracy", output_json_number(r->accuracy),
        "precision", output_json_number(r->precision), "recall", output_json_number(r->recall), "f1",
        output_json_number(r->f1), "auc", output_json_number(r->auc), "calibration_error",
        output_json_number(r->calibration_error), "per_class", per_class, "confusion", confusion, "classes", classes);
    return output_json(object, JSON_INDENT(2));
}

static int evaluate(evaluation *e)
{
    const eval_arguments *a = &e->arguments;
    if (context_create(&a->resources, &e->context))
        return EXIT_FAILED;
    int wrong = inference_load(&eval_command, e->context, a->model, &a->inference, &e->classifier);
    if (wrong)
        return wrong;
    if (data_open_for_testing(e->context, &a->data, &e->dataset) || data_align_to_classifier(e->dataset, e->classifier))
        return EXIT_FAILED;
    if (data_leave_out_bad(e->dataset, "checking", &e->progress, &e->skipped))
        return EXIT_FAILED;
    if (measure(e))
        return EXIT_FAILED;
    if (!a->json)
        print_table(e);
    else if (print_json(e))
        return EXIT_FAILED;
    return output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    evaluation e = { 0 };
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &e.arguments.model, .needed = 1 },
        DATA_OPTIONS(e.arguments.data, "photographs whose classes are known"),
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &e.arguments.json },
        THRESHOLD_OPTION(e.arguments.inference),
        INFERENCE_OPTIONS(e.arguments.inference),
        THREADS_OPTION(e.arguments.resources),
        MEMORY_OPTION(e.arguments.resources),
        MAX_PIXELS_OPTION(e.arguments.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    progress_init(&e.progress);
    int result = evaluate(&e);
    cnn_metrics_destroy(e.metrics);
    cnn_dataset_destroy(e.dataset);
    cnn_classifier_destroy(e.classifier);
    cnn_context_destroy(e.context);
    return result;
}

const catdog_command eval_command = {
    "eval",
    "measure a model's accuracy",
    "--model FILE --data PATH [OPTION]...",
    "Measures how well a model classifies photographs whose classes are known: accuracy, loss,\n"
    "precision, recall, F1, AUC, calibration error and confusion matrix.\n\n"
    "  catdog eval --model pets.safetensors --data PetImages\n"
    "  catdog eval --model pets.safetensors --data photos.zip --json\n\n"
    "The data may be a folder of class folders, such a folder in a zip, or a CSV file with the\n"
    "columns path and label. If it is divided into parts, the test part is used, or the\n"
    "validation part if there is none. Files that can't be decoded are reported on standard\n"
    "error and left out.\n",
    run,
};
