#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/prediction_output.h"
#include "cli/shipped.h"
#include "commands/commands.h"

enum { CHUNK = 64, SENTENCE = 1024, FEW_THREADS = 4 };

static const size_t most_input_bytes = (size_t)64 << 20; /* as cnn_image_options allows for a file */

typedef struct predicting {
    const char *model;
    prediction_output output;
    data_options data; /* without a path */
    context_options resources;
    inference_options inference;
    cnn_context *context;
    cnn_classifier *classifier;
    const char *paths[CHUNK]; /* files waiting to be classified together */
    size_t waiting;
    uint32_t classes;
    float *probabilities;        /* of each class, for each of CHUNK files */
    char (*sentences)[SENTENCE]; /* of CHUNK files; like all that is large, not on the stack, which may be small */
    uint64_t done, failed;
} predicting;

/* Not 0 if there is no use in continuing. */
static int print_prediction(predicting *p, const char *path, const cnn_prediction *prediction, const char *sentence)
{
    p->done++;
    p->failed += prediction->status != CNN_OK;
    return prediction_output_print(&p->output, path, prediction, sentence);
}

/* A prediction that is written to the chunk's place of that number. */
static cnn_prediction begin_prediction(predicting *p, size_t place)
{
    cnn_prediction prediction;
    cnn_prediction_init(&prediction);
    prediction.probabilities = p->probabilities + place * p->classes;
    prediction.probability_capacity = p->classes;
    prediction.error = p->sentences[place];
    prediction.error_capacity = SENTENCE;
    return prediction;
}

/* Classifies the waiting files. */
static int flush_waiting(predicting *p)
{
    cnn_prediction predictions[CHUNK];
    for (size_t i = 0; i < p->waiting; i++) {
        predictions[i] = begin_prediction(p, i);
        prediction_output_widen(&p->output, p->paths[i]);
    }
    size_t count = p->waiting;
    p->waiting = 0;
    if (count && cnn_classifier_predict_files(p->classifier, p->paths, count, predictions))
        return output_library_error();
    for (size_t i = 0; i < count; i++)
        if (print_prediction(p, p->paths[i], &predictions[i], predictions[i].error))
            return -1;
    return output_flush();
}

static int add_file(predicting *p, const char *path)
{
    p->paths[p->waiting++] = path;
    return p->waiting == CHUNK ? flush_waiting(p) : 0;
}

/* Classifies an image in a zip, which can't be opened by a path. */
static int predict_entry(predicting *p, const cnn_dataset *dataset, uint64_t index)
{
    cnn_prediction prediction = begin_prediction(p, 0);
    const char *path = cnn_dataset_path(dataset, index);
    void *bytes = NULL;
    size_t size;
    cnn_status status = cnn_dataset_read(dataset, index, &bytes, &size);
    if (!status)
        status = cnn_classifier_predict_memory(p->classifier, bytes, size, &prediction);
    cnn_bytes_free(bytes);
    prediction.status = status;
    prediction_output_widen(&p->output, path);
    return print_prediction(p, path, &prediction, cnn_last_error());
}

/* Classifies all photographs in a folder or zip, in order of path. */
static int predict_dataset(predicting *p, const char *path, int zip)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = 1;
    options.max_unpacked_bytes = p->data.trusted ? UINT64_MAX : 0;
    cnn_dataset *dataset;
    if (flush_waiting(p))
        return -1;
    if (cnn_dataset_open(p->context, path, &options, &dataset)) {
        cnn_prediction prediction = { .status = CNN_ERROR_DATA };
        return print_prediction(p, path, &prediction, cnn_last_error());
    }
    int stop = 0;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset) && !stop; i++)
        stop = zip ? predict_entry(p, dataset, i) : add_file(p, cnn_dataset_path(dataset, i));
    if (!stop)
        stop = flush_waiting(p); /* before the paths go with the dataset */
    cnn_dataset_destroy(dataset);
    return stop;
}

/* Reads at most most_input_bytes + 1 of standard input. NULL if memory is short or reading fails: see errno. */
static void *read_standard_input(size_t *size)
{
    size_t capacity = (size_t)1 << 20;
    char *bytes = malloc(capacity);
    *size = 0;
    while (bytes && *size <= most_input_bytes) {
        if (*size == capacity) {
            char *larger = realloc(bytes, capacity *= 2);
            if (!larger)
                free(bytes);
            bytes = larger;
            continue;
        }
        size_t got = fread(bytes + *size, 1, capacity - *size, stdin);
        *size += got;
        if (!got)
            break;
    }
    if (bytes && ferror(stdin)) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static int predict_standard_input(predicting *p)
{
    if (flush_waiting(p))
        return -1;
    cnn_prediction prediction = begin_prediction(p, 0);
    size_t size;
    errno = 0;
    void *bytes = read_standard_input(&size);
    const char *sentence = bytes ? "" : strerror(errno);
    cnn_status status = bytes ? cnn_classifier_predict_memory(p->classifier, bytes, size, &prediction) : CNN_ERROR_IO;
    if (bytes && status)
        sentence = cnn_last_error();
    free(bytes);
    prediction.status = status;
    prediction_output_widen(&p->output, "-");
    return print_prediction(p, "-", &prediction, sentence);
}

static int is_zip(const char *path)
{
    unsigned char start[4] = { 0 };
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t got = fread(start, 1, sizeof start, file);
    fclose(file);
    return got == sizeof start && (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
}

/* Classifies the photographs of one operand. Not 0 if there is no use in continuing. */
static int predict_operand(predicting *p, const char *path)
{
    struct stat info;
    if (!strcmp(path, "-"))
        return predict_standard_input(p);
    if (stat(path, &info))
        return add_file(p, path); /* which reports the error */
    if (S_ISDIR(info.st_mode))
        return predict_dataset(p, path, 0);
    if (S_ISREG(info.st_mode) && is_zip(path))
        return predict_dataset(p, path, 1);
    return add_file(p, path);
}

/* Starting many threads takes longer than one photograph does. */
static uint64_t choose_threads(const predicting *p, int operands, char **paths)
{
    struct stat info;
    if (p->resources.threads || operands > 1)
        return p->resources.threads;
    if (!stat(paths[0], &info) && (S_ISDIR(info.st_mode) || is_zip(paths[0])))
        return 0;
    const uint32_t all = cnn_context_threads(NULL);
    return all < FEW_THREADS ? all : FEW_THREADS;
}

static int predict(predicting *p, int operands, char **paths)
{
    p->resources.threads = choose_threads(p, operands, paths);
    if (context_create(&p->resources, &p->context))
        return EXIT_FAILED;
    int wrong = inference_load(&predict_command, p->context, p->model, &p->inference, &p->classifier);
    if (wrong)
        return wrong;
    p->output.classifier = p->classifier;
    p->classes = cnn_classifier_class_count(p->classifier);
    p->probabilities = calloc((size_t)CHUNK * p->classes, sizeof *p->probabilities);
    p->sentences = calloc(CHUNK, sizeof *p->sentences);
    if (!p->probabilities || !p->sentences) {
        output_error("out of memory: the predictions of %u classes can't be kept", p->classes);
        return EXIT_FAILED;
    }
    prediction_output_begin(&p->output);
    int stop = 0;
    for (int i = 0; i < operands && !stop; i++)
        stop = predict_operand(p, paths[i]);
    if (!stop)
        stop = flush_waiting(p);
    if (output_finish() || stop)
        return EXIT_FAILED;
    if (p->failed && p->done > 1)
        output_error("%llu of %llu photographs could not be classified", (unsigned long long)p->failed,
                     (unsigned long long)p->done);
    return p->failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    predicting p = { 0 };
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &p.model, .initial = SHIPPED_MODEL },
        { "json", NULL, "print one JSON object per line", OPTION_FLAG, &p.output.json },
        { "csv", NULL, "print CSV with the columns path, label, confidence and error", OPTION_FLAG, &p.output.csv },
        THRESHOLD_OPTION(p.inference),
        INFERENCE_OPTIONS(p.inference),
        TRUST_OPTION(p.data),
        { "threads", "N", "threads to use", OPTION_WHOLE, &p.resources.threads, 1, 256,
          .initial = "one for each processor, at most 4 for a single photograph" },
        MEMORY_OPTION(p.resources),
        MAX_PIXELS_OPTION(p.resources),
        { 0 },
    };
    int operands;
    int parsed = arguments_parse(command, options, argc, argv, &operands);
    if (parsed != PARSED)
        return parsed;
    if (!operands)
        return arguments_wrong(command,
                               "predict: name at least one photograph, folder or zip, or - for standard input");
    if (p.output.json && p.output.csv)
        return arguments_wrong(command, "predict: --json and --csv can't be combined");
    p.model = shipped_model_unless(p.model);
    if (!p.model)
        return EXIT_FAILED;
    int result = predict(&p, operands, argv + 1);
    free(p.probabilities);
    free(p.sentences);
    cnn_classifier_destroy(p.classifier);
    cnn_context_destroy(p.context);
    return result;
}

const catdog_command predict_command = {
    "predict",
    "classify photographs",
    "[OPTION]... FILE|FOLDER|ZIP|-...",
    "Prints the path, the predicted class and the confidence of each photograph. A hyphen stands\n"
    "for a photograph on standard input.\n\n"
    "  catdog predict photo.jpg\n"
    "  catdog predict --model pets.safetensors photo.jpg\n"
    "  catdog predict --model pets.safetensors --csv holidays/ more.zip > labels.csv\n"
    "  curl -s https://example.org/cat.jpg | catdog predict --model pets.safetensors -\n\n"
    "If a photograph can't be classified, the others still are, and the exit status is 1.\n",
    run,
};
