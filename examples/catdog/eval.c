#include <math.h>
#include <stdio.h>

#include <cnn/cnn.h>

#include "arguments.h"
#include "context.h"
#include "data.h"
#include "net.h"
#include "output.h"
#include "progress.h"

typedef struct eval_arguments {
    const char *model, *data;
    int json;
    double threshold; /* negative: the model's own */
    uint64_t threads;
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

static cnn_status align_classes(const cnn_classifier *classifier, cnn_dataset *dataset)
{
    const char *names[2] = { cnn_classifier_class_name(classifier, 0), cnn_classifier_class_name(classifier, 1) };
    return cnn_dataset_align_classes(dataset, names, 2);
}

static int measure(evaluation *e)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    options.preprocess = cnn_classifier_preprocess(e->classifier);
    options.threshold =
        e->arguments.threshold > 0 ? (float)e->arguments.threshold : cnn_classifier_threshold(e->classifier);
    options.progress = show;
    options.user = &e->progress;
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
        printf("%-10s  -\n", name);
    else
        printf("%-10s  %.2f %%\n", name, 100 * value);
}

static void print_table(const evaluation *e)
{
    const cnn_metrics_result *result = &e->result;
    const char *names[2] = { cnn_classifier_class_name(e->classifier, 0), cnn_classifier_class_name(e->classifier, 1) };
    printf("%-10s  %llu", "images", (unsigned long long)result->images);
    if (e->skipped)
        printf(" (and %llu left out)", (unsigned long long)e->skipped);
    printf("\n%-10s  %.4f\n", "loss", result->loss);
    print_percent("accuracy", result->accuracy);
    print_percent("precision", result->precision);
    print_percent("recall", result->recall);
    print_percent("f1", result->f1);
    if (isnan(result->auc))
        printf("%-10s  -\n", "auc");
    else
        printf("%-10s  %.4f\n", "auc", result->auc);
    int width = output_width(names[0]) > output_width(names[1]) ? output_width(names[0]) : output_width(names[1]);
    printf("\nPrecision, recall and f1 are those of ");
    output_text(stdout, names[1]);
    puts(". How the photographs of each class (rows) were classified (columns):\n");
    printf("%*s", width, "");
    for (int column = 0; column < 2; column++) {
        printf("  %*s", output_width(names[column]) < 8 ? 8 - output_width(names[column]) : 0, "");
        output_text(stdout, names[column]);
    }
    puts("");
    for (uint32_t row = 0; row < 2; row++) {
        output_text(stdout, names[row]);
        printf("%*s", width - output_width(names[row]), "");
        for (uint32_t column = 0; column < 2; column++) {
            int cell = output_width(names[column]) < 8 ? 8 : output_width(names[column]);
            printf("  %*llu", cell, (unsigned long long)cnn_metrics_confusion(e->metrics, row, column));
        }
        puts("");
    }
}

static int print_json(const evaluation *e)
{
    const cnn_metrics_result *r = &e->result;
    json_t *confusion = json_array();
    json_t *classes = json_array();
    for (uint32_t row = 0; row < 2; row++) {
        json_array_append_new(confusion, json_pack("[I,I]", (json_int_t)cnn_metrics_confusion(e->metrics, row, 0),
                                                   (json_int_t)cnn_metrics_confusion(e->metrics, row, 1)));
        json_array_append_new(classes, output_json_text(cnn_classifier_class_name(e->classifier, row)));
    }
    json_t *object = json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "images", (json_int_t)r->images, "skipped",
                               (json_int_t)e->skipped, "loss", output_json_number(r->loss), "accuracy",
                               output_json_number(r->accuracy), "precision", output_json_number(r->precision), "recall",
                               output_json_number(r->recall), "f1", output_json_number(r->f1), "auc",
                               output_json_number(r->auc), "confusion", confusion, "classes", classes);
    return output_json(object, JSON_INDENT(2));
}

static int evaluate(evaluation *e)
{
    if (context_create(e->arguments.threads, &e->context))
        return EXIT_FAILED;
    if (cnn_classifier_load(e->context, e->arguments.model, &e->classifier))
        return output_library_error();
    if (data_open_for_testing(e->context, e->arguments.data, &e->dataset))
        return EXIT_FAILED;
    if (align_classes(e->classifier, e->dataset))
        return output_library_error();
    if (data_leave_out_bad(e->dataset, "checking", &e->progress, &e->skipped))
        return EXIT_FAILED;
    if (measure(e))
        return EXIT_FAILED;
    if (!e->arguments.json)
        print_table(e);
    else if (print_json(e))
        return EXIT_FAILED;
    return output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    evaluation e = { .arguments = { .threshold = -1 } };
    const option options[] = {
        { "model", "FILE", "the trained model", OPTION_TEXT, &e.arguments.model },
        { "data", "PATH", "photographs: folder, zip or CSV list", OPTION_TEXT, &e.arguments.data },
        { "json", NULL, "print the figures as JSON", OPTION_FLAG, &e.arguments.json },
        { "threshold", "X", "call it the second class from this probability on (0.5)", OPTION_NUMBER,
          &e.arguments.threshold, 1e-6, 0.999999 },
        { "threads", "N", "threads to use (all processors)", OPTION_WHOLE, &e.arguments.threads, 1, 256 },
        { 0 },
    };
    arguments_result parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed == PARSED_HELP)
        return output_finish();
    if (parsed == PARSED_WRONG)
        return EXIT_USAGE;
    if (!e.arguments.model || !e.arguments.data)
        return arguments_wrong(command, "eval: --%s is missing", e.arguments.model ? "data" : "model");
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
    "measure a model on photographs whose classes are known",
    "--model FILE --data PATH [OPTION]...",
    "Measures how well a model classifies photographs whose classes are known.\n\n"
    "  catdog eval --model pets.safetensors --data PetImages\n"
    "  catdog eval --model pets.safetensors --data photos.zip --json\n\n"
    "The data may be a folder of class folders, a zip of that, or a CSV file with the\n"
    "columns path and label. If it holds a training and a test part, the test part is\n"
    "used. Files that can't be decoded are named on standard error and left out.\n",
    run,
};
