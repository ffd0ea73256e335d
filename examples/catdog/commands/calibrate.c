#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "commands/commands.h"

typedef struct calibration {
    const char *model;
    data_options data;
    int json, force;
    context_options resources;
    inference_options inference;
    progress_line progress;
    cnn_context *context;
    cnn_classifier *classifier;
    cnn_dataset *dataset;
    double error_before, error_after;
} calibration;

static int show(uint64_t done, uint64_t total, void *user)
{
    progress_work(user, "measuring", done, total);
    return 0;
}

static cnn_status measure(calibration *c, double *error)
{
    cnn_metrics *metrics = NULL;
    cnn_metrics_result result = { .struct_size = sizeof result };
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(c->classifier, &options);
    options.progress = show;
    options.progress_user = &c->progress;
    cnn_status status = cnn_evaluate(cnn_classifier_model(c->classifier), c->dataset, &options, &metrics);
    progress_clear(&c->progress);
    if (!status)
        status = cnn_metrics_compute(metrics, &result);
    *error = result.calibration_error;
    cnn_metrics_destroy(metrics);
    return status;
}

static int print(const calibration *c)
{
    double temperature = (double)cnn_classifier_temperature(c->classifier);
    if (c->json) {
        json_t *object =
            json_pack("{s:o,s:o,s:o}", "temperature", output_json_number(temperature), "calibration_error_before",
                      output_json_number(c->error_before), "calibration_error", output_json_number(c->error_after));
        return output_json(object, JSON_INDENT(2)) ? EXIT_FAILED : output_finish();
    }
    FILE *results = output_results();
    fprintf(results, "temperature        %.3f\ncalibration error  %.2f %%, before %.2f %%\nsaved ", temperature,
            100 * c->error_after, 100 * c->error_before);
    output_text(results, c->model);
    fputs("\n", results);
    return output_finish();
}

static int calibrate(calibration *c)
{
    if (context_create(&c->resources, &c->context) ||
        inference_load(&calibrate_command, c->context, c->model, &c->inference, &c->classifier) ||
        data_open_for_validation(c->context, &c->data, &c->dataset) ||
        data_align_to_classifier(c->dataset, c->classifier) ||
        data_leave_out_bad(c->dataset, "checking", &c->progress, NULL))
        return EXIT_FAILED;
    if (measure(c, &c->error_before) || cnn_classifier_calibrate(c->classifier, c->dataset) ||
        measure(c, &c->error_after) || cnn_classifier_save(c->classifier, c->model))
        return output_library_error();
    return print(c);
}

/* An ONNX file divides by the temperature itself, and would become a file of another kind. */
static int refuse_onnx(const char *path)
{
    if (!paths_ends_in(path, ".onnx"))
        return 0;
    output_error(
        "calibrate: '%s' is an ONNX file; calibrate the model that it was exported from, and export that again", path);
    return -1;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    calibration c = { 0 };
    const option options[] = {
        { "model", "FILE", "trained model; the calibration is stored in it", OPTION_TEXT, &c.model, .needed = 1 },
        DATA_OPTIONS(c.data, "photographs that the model was not trained on"),
        INFERENCE_OPTIONS(c.inference),
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &c.json },
        FORCE_OPTION(c.force),
        THREADS_OPTION(c.resources),
        MEMORY_OPTION(c.resources),
        MAX_PIXELS_OPTION(c.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    const destination files[] = {
        { "--data", c.data.path, DESTINATION_INPUT },
        { "--model", c.model, DESTINATION_MODEL },
        { 0 },
    };
    if (refuse_onnx(c.model))
        return EXIT_FAILED;
    int wrong = destinations_check(command, files, c.force);
    if (wrong)
        return wrong;
    progress_init(&c.progress);
    int result = calibrate(&c);
    cnn_dataset_destroy(c.dataset);
    cnn_classifier_destroy(c.classifier);
    cnn_context_destroy(c.context);
    return result;
}

const catdog_command calibrate_command = {
    "calibrate",
    "fit a model's confidence to its accuracy",
    "--model FILE --data PATH [OPTION]...",
    "Fits a model's confidence to its accuracy on photographs that it was not trained on, and\n"
    "stores the result in the model file. Predicted classes do not change. Training calibrates\n"
    "by itself: calibrate again for other kinds of photographs, or to store --flip or --size in\n"
    "the model. If the data is divided into parts, the validation part is used, or the test part\n"
    "if there is none.\n\n"
    "  catdog calibrate --model pets.safetensors --data test.csv\n"
    "  catdog calibrate --model pets.safetensors --data test.csv --flip --size 160\n",
    run,
};
