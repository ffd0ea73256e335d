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
#include "cli/shipped.h"
#include "commands/commands.h"

enum { CHUNK = 64, SENTENCE = 1024, CANDIDATES = 5 };

static const size_t most_input_bytes = (size_t)64 << 20; /* as cnn_image_options allows for a file */

typedef struct predicting {
    const char *model;
    int json, csv;
    data_options data; /* without a path */
    context_options resources;
    inference_options inference;
    cnn_context *context;
    cnn_classifier *classifier;
    const char *paths[CHUNK]; /* files that wait to be classified together */
    size_t waiting;
    uint32_t classes;
    float *probabilities; /* of each class, for each of CHUNK files */
    char sentences[CHUNK][SENTENCE];
    int width; /* of the table's first column so far */
    uint64_t done, failed;
} predicting;

static void print_csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_as_csv(const char *path, const cnn_prediction *prediction, const char *reason)
{
    print_csv_text(path);
    putchar(',');
    if (prediction->status) {
        fputs(",,", stdout);
        print_csv_text(reason);
    } else {
        print_csv_text(prediction->label);
        printf(",%.6f,", prediction->confidence);
    }
    putchar('\n');
}

/* One that is written to the chunk's place of that number. */
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

/* The likeliest classes with their probabilities. */
static json_t *candidates_to_json(const predicting *p, const cnn_prediction *prediction)
{
    uint32_t classes[CANDIDATES], count = cnn_top_classes(prediction->probabilities, p->classes, classes, CANDIDATES);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "label",
                                              output_json_text(cnn_classifier_class_name(p->classifier, classes[i])),
                                              "confidence", output_json_number(prediction->probabilities[classes[i]])));
    return list;
}

static int print_as_json(const predicting *p, const char *path, const cnn_prediction *prediction, const char *reason)
{
    json_t *object = json_object();
    json_object_set_new(object, "path", output_json_text(path));
    if (prediction->status) {
        json_object_set_new(object, "error", output_json_text(reason));
    } else {
        json_object_set_new(object, "label", output_json_text(prediction->label));
        json_object_set_new(object, "confidence", output_json_number(prediction->confidence));
        if (p->classes > 2)
            json_object_set_new(object, "candidates", candidates_to_json(p, prediction));
    }
    return output_json(object, JSON_COMPACT);
}

/* The two classes that come next, if they are at all likely. */
static void print_others(const predicting *p, const cnn_prediction *prediction)
{
    const float least = 0.01f;
    uint32_t classes[3], count = cnn_top_classes(prediction->probabilities, p->classes, classes, 3);
    for (uint32_t i = 1; i < count && prediction->probabilities[classes[i]] >= least; i++) {
        fputs(i == 1 ? "  or " : ", ", stdout);
        output_text(stdout, cnn_classifier_class_name(p->classifier, classes[i]));
        printf(" %.1f %%", 100 * prediction->probabilities[classes[i]]);
    }
}

static void print_as_row(const predicting *p, const char *path, const cnn_prediction *prediction, const char *reason)
{
    if (prediction->status) {
        output_flush(); /* where both go to one place, they stay in order */
        output_error("%s: %s", path, reason);
        return;
    }
    output_text(stdout, path);
    printf("%*s  ", p->width - output_width(path), "");
    output_text(stdout, prediction->label);
    int widest = 0;
    for (uint32_t i = 0; cnn_classifier_class_name(p->classifier, i); i++) {
        int width = output_width(cnn_classifier_class_name(p->classifier, i));
        widest = width > widest ? width : widest;
    }
    printf("%*s  %5.1f %%", widest - output_width(prediction->label), "", 100 * prediction->confidence);
    if (p->classes > 2)
        print_others(p, prediction);
    putchar('\n');
}

/* Prints one result; `sentence` says what is wrong, if something is. Not 0 if there is no use in going on: standard
 * output takes no more. */
static int print_prediction(predicting *p, const char *path, const cnn_prediction *prediction, const char *sentence)
{
    const char *reason = output_reason(path, sentence);
    p->done++;
    p->failed += prediction->status != CNN_OK;
    if (p->json) {
        if (print_as_json(p, path, prediction, reason))
            return -1;
    } else if (p->csv) {
        print_as_csv(path, prediction, reason);
    } else {
        print_as_row(p, path, prediction, reason);
    }
    return ferror(stdout);
}

static void widen(predicting *p, const char *path)
{
    int width = output_width(path);
    p->width = width > p->width ? width : p->width;
}

/* Classifies the files that wait. */
static int flush_waiting(predicting *p)
{
    cnn_prediction predictions[CHUNK];
    for (size_t i = 0; i < p->waiting; i++) {
        predictions[i] = begin_prediction(p, i);
        widen(p, p->paths[i]);
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

/* An image in a zip has no path by which it could be opened. */
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
    widen(p, path);
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
    widen(p, "-");
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

/* Classifies what one operand names. Not 0 if there is no use in going on. */
static int predict_operand(predicting *p, const char *path)
{
    struct stat info;
    if (!strcmp(path, "-"))
        return predict_standard_input(p);
    if (stat(path, &info))
        return add_file(p, path); /* where its error is told */
    if (S_ISDIR(info.st_mode))
        return predict_dataset(p, path, 0);
    if (S_ISREG(info.st_mode) && is_zip(path))
        return predict_dataset(p, path, 1);
    return add_file(p, path);
}

/* More than one thread pays where there is more than one photograph. */
static uint64_t choose_threads(const predicting *p, int operands, char **paths)
{
    struct stat info;
    if (p->resources.threads || operands > 1)
        return p->resources.threads;
    if (!strcmp(paths[0], "-") || stat(paths[0], &info))
        return 1;
    return S_ISDIR(info.st_mode) || is_zip(paths[0]) ? 0 : 1;
}

static int predict(predicting *p, int operands, char **paths)
{
    p->resources.threads = choose_threads(p, operands, paths);
    if (context_create(&p->resources, &p->context))
        return EXIT_FAILED;
    int wrong = inference_load(&predict_command, p->context, p->model, &p->inference, &p->classifier);
    if (wrong)
        return wrong;
    p->classes = cnn_classifier_class_count(p->classifier);
    p->probabilities = calloc((size_t)CHUNK * p->classes, sizeof *p->probabilities);
    if (!p->probabilities) {
        output_error("out of memory: the predictions of %u classes can't be kept", p->classes);
        return EXIT_FAILED;
    }
    if (p->csv)
        puts("path,label,confidence,error");
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
        { "json", NULL, "print one JSON object per line", OPTION_FLAG, &p.json },
        { "csv", NULL, "print CSV with the columns path, label, confidence and error", OPTION_FLAG, &p.csv },
        THRESHOLD_OPTION(p.inference),
        INFERENCE_OPTIONS(p.inference),
        TRUST_OPTION(p.data),
        { "threads", "N", "threads to use", OPTION_WHOLE, &p.resources.threads, 1, 256,
          .initial = "one for each processor, 1 for a single photograph" },
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
    if (p.json && p.csv)
        return arguments_wrong(command, "predict: --json and --csv can't be combined");
    p.model = shipped_model_unless(p.model);
    if (!p.model)
        return EXIT_FAILED;
    int result = predict(&p, operands, argv + 1);
    free(p.probabilities);
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
