#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/destination.h"
#include "cli/inference_options.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "commands/commands.h"

typedef struct quantizing {
    const char *model, *out;
    data_options data;
    uint64_t images, seed;
    uint64_t used; /* images that could be read */
    context_options resources;
    int json, force;
    progress_line progress;
    cnn_context *context;
    cnn_classifier *classifier, *quantized;
    cnn_dataset *dataset;
} quantizing;

static int show(uint64_t done, uint64_t total, void *user)
{
    quantizing *q = user;
    q->used = done;
    progress_work(&q->progress, "quantizing", done, total);
    return interrupt_asked();
}

/* -1: it isn't known, of a pipe or a device. */
static json_int_t file_size(const char *path)
{
    struct stat info;
    if (stat(path, &info)) {
        output_error("the size of %s can't be read: %s", path, strerror(errno));
        return -1;
    }
    return S_ISREG(info.st_mode) ? (json_int_t)info.st_size : -1;
}

static json_t *size_to_json(json_int_t bytes)
{
    return bytes < 0 ? json_null() : json_integer(bytes);
}

static void print_size(const char *title, json_int_t bytes)
{
    if (bytes >= 0)
        fprintf(output_results(), "%-10s  %.2f MB\n", title, (double)bytes / 1e6);
}

static int print(const quantizing *q)
{
    json_int_t before = file_size(q->model), after = file_size(q->out);
    if (q->json)
        return output_json(json_pack("{s:I,s:o,s:o}", "images", (json_int_t)q->used, "bytes_before",
                                     size_to_json(before), "bytes_after", size_to_json(after)),
                           JSON_INDENT(2))
                   ? EXIT_FAILED
                   : output_finish();
    fprintf(output_results(), "%-10s  %llu\n", "images", (unsigned long long)q->used);
    print_size("before", before);
    print_size("after", after);
    return output_finish();
}

/* Of divided data only the training part is opened: the other parts stay unseen. */
static void print_part(const quantizing *q)
{
    cnn_dataset_parts parts = data_parts(q->dataset);
    if (!parts.divided)
        return;
    output_text(stderr, q->data.path);
    fprintf(stderr, " has a training part: its %llu images are used\n", (unsigned long long)parts.training);
}

static int quantize(quantizing *q)
{
    static const inference_options unchanged;
    if (context_create(&q->resources, &q->context) ||
        inference_load(&quantize_command, q->context, q->model, &unchanged, &q->classifier) ||
        data_open_unlabelled(q->context, &q->data, &q->dataset))
        return EXIT_FAILED;
    print_part(q);
    cnn_quantize_options options;
    cnn_quantize_options_init(&options);
    options.images = (uint32_t)q->images;
    options.seed = q->seed;
    options.progress = show;
    options.progress_user = q;
    interrupt_catch();
    cnn_status status = cnn_classifier_quantize(q->classifier, q->dataset, &options, &q->quantized);
    progress_clear(&q->progress);
    if (status == CNN_ERROR_STOPPED) {
        output_error("interrupted; nothing was written");
        return EXIT_FAILED;
    }
    if (status || cnn_classifier_save(q->quantized, q->out))
        return output_library_error();
    return print(q);
}

static int run(const catdog_command *command, int argc, char **argv)
{
    quantizing q = { .images = 500 };
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &q.model, .needed = 1 },
        DATA_OPTIONS(q.data, "photographs like those to be classified"),
        { "out", "FILE", "quantised model to write", OPTION_TEXT, &q.out, .needed = 1 },
        { "images", "N", "number of photographs to use", OPTION_WHOLE, &q.images, 1, 1000000, .initial = "500" },
        { "seed", "N", "seed for drawing these photographs", OPTION_WHOLE, &q.seed, 0, 9007199254740992.0,
          .initial = "0" },
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &q.json },
        FORCE_OPTION(q.force),
        THREADS_OPTION(q.resources),
        MEMORY_OPTION(q.resources),
        MAX_PIXELS_OPTION(q.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    const destination files[] = {
        { "--model", q.model, DESTINATION_INPUT },
        { "--data", q.data.path, DESTINATION_INPUT },
        { "--out", q.out, DESTINATION_MODEL },
        { 0 },
    };
    int wrong = destinations_check(command, files, q.force);
    if (wrong)
        return wrong;
    progress_init(&q.progress);
    int result = quantize(&q);
    cnn_classifier_destroy(q.quantized);
    cnn_dataset_destroy(q.dataset);
    cnn_classifier_destroy(q.classifier);
    cnn_context_destroy(q.context);
    return result;
}

const catdog_command quantize_command = {
    "quantize",
    "make a model smaller and faster",
    "--model FILE --data PATH --out FILE [OPTION]...",
    "Writes a model that computes in int8. Its file is a quarter of the size, and it predicts\n"
    "faster. The command measures the range of values on photographs like those to be classified,\n"
    "such as the training photographs; it doesn't use their labels. Measure the accuracy of the\n"
    "result with 'catdog eval'. A quantised model can't be trained further: keep the original.\n\n"
    "  catdog quantize --model pets.safetensors --data PetImages --out small.safetensors\n",
    run,
};
