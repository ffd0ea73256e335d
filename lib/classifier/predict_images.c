#include <math.h>
#include <string.h>

#include "classifier/classifier_internal.h"
#include "core/cancel.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/parallel.h"
#include "image/decode.h"
#include "train/flip.h"
#include "train/loss.h"

enum { BATCH = 32 };

/* A photograph much larger than the network's input is decoded at a fraction of its size, as the loader does in
 * training. */
cnn_image_options cnn_classifier_image_options(const cnn_classifier *classifier)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = classifier->preprocess.width;
    options.min_height = classifier->preprocess.height;
    return options;
}

static size_t input_size(const cnn_classifier *classifier)
{
    return (size_t)classifier->preprocess.width * classifier->preprocess.height * 3;
}

static cnn_status compute_logits(const cnn_classifier *classifier, float *inputs, size_t count, float *logits)
{
    const int64_t dims[] = { (int64_t)count, classifier->preprocess.height, classifier->preprocess.width, 3 };
    cnn_tensor *input = NULL, *output = NULL;
    cnn_status status = cnn_tensor_wrap(classifier->context, CNN_FLOAT32, 4, dims, inputs, &input);
    if (!status)
        status = cnn_tensor_wrap(classifier->context, CNN_FLOAT32, 2, (int64_t[]){ dims[0], classifier->outputs },
                                 logits, &output);
    if (!status && classifier->flip)
        status = cnn_predict_both_ways(classifier->model, input, output);
    else if (!status)
        status = cnn_model_predict(classifier->model, input, output);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    return status;
}

uint32_t cnn_top_classes(const float *probabilities, uint32_t class_count, uint32_t *classes, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint32_t k = 0; probabilities && classes && k < class_count; k++) {
        uint32_t place = count < capacity ? count++ : capacity;
        for (; place > 0 && probabilities[classes[place - 1]] < probabilities[k]; place--)
            if (place < capacity)
                classes[place] = classes[place - 1];
        if (place < capacity)
            classes[place] = k;
    }
    return count;
}

static cnn_status decide(const cnn_classifier *classifier, const float *logits, cnn_prediction *prediction)
{
    float scaled[CNN_MAX_METRIC_CLASSES], probabilities[CNN_MAX_METRIC_CLASSES] = { 0 };
    cnn_divide_logits(logits, classifier->outputs, classifier->temperature, scaled);
    cnn_probabilities(scaled, classifier->outputs, probabilities);
    for (uint32_t k = 0; k < classifier->class_count; k++)
        if (!isfinite(probabilities[k]))
            return cnn_fail(CNN_ERROR_NOT_FINITE, "the model's output for this image is not finite");
    for (uint32_t k = 0; k < classifier->class_count && k < prediction->probability_capacity; k++)
        prediction->probabilities[k] = probabilities[k];
    uint32_t likeliest = 0;
    cnn_top_classes(probabilities, classifier->class_count, &likeliest, 1);
    prediction->probability = probabilities[1];
    prediction->class_index =
        classifier->class_count == 2 ? probabilities[1] >= classifier->threshold : (int32_t)likeliest;
    prediction->confidence = probabilities[prediction->class_index];
    prediction->label = classifier->class_names[prediction->class_index];
    return CNN_OK;
}

/* Takes from the caller's struct where lists and text go, and clears the rest. */
static cnn_status begin_prediction(const cnn_classifier *classifier, const void *given, cnn_prediction *prediction)
{
    cnn_prediction asked;
    cnn_prediction_init(&asked);
    cnn_status status = cnn_options_read(&asked, sizeof asked, given, "cnn_prediction");
    *prediction = (cnn_prediction){
        .struct_size = sizeof *prediction,
        .class_count = classifier->class_count,
        .probabilities = asked.probabilities,
        .probability_capacity = asked.probabilities ? asked.probability_capacity : 0,
        .error = asked.error,
        .error_capacity = asked.error ? asked.error_capacity : 0,
    };
    if (!status && prediction->error_capacity)
        prediction->error[0] = 0;
    return status;
}

/* Leaves the thread's last sentence in the prediction, cut between characters of UTF-8. */
static void set_error(cnn_prediction *prediction, cnn_status status)
{
    prediction->status = status;
    prediction->class_index = -1;
    prediction->confidence = prediction->probability = 0;
    prediction->label = NULL;
    if (!prediction->error_capacity)
        return;
    const char *sentence = cnn_last_error();
    size_t length = strlen(sentence);
    if (length >= prediction->error_capacity) {
        length = prediction->error_capacity - 1;
        while (length && (sentence[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(prediction->error, sentence, length);
    prediction->error[length] = 0;
}

cnn_status cnn_classifier_prepare(const cnn_classifier *classifier, const cnn_tensor *pixels, float *input)
{
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    cnn_tensor *reduced;
    cnn_status status =
        cnn_image_reduce(classifier->context, pixels, &options, (int)classifier->preprocess.fit, &reduced);
    if (!status)
        status = cnn_image_preprocess(classifier->context, reduced ? reduced : pixels, &classifier->preprocess, input);
    cnn_tensor_destroy(reduced);
    return status;
}

static cnn_status predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels, cnn_prediction *prediction)
{
    float *input = cnn_allocate(classifier->context, input_size(classifier) * sizeof *input);
    float logits[CNN_MAX_METRIC_CLASSES];
    if (!input)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = cnn_classifier_prepare(classifier, pixels, input);
    if (!status)
        status = compute_logits(classifier, input, 1, logits);
    if (!status)
        status = decide(classifier, logits, prediction);
    cnn_release(classifier->context, input);
    return status;
}

static cnn_status check(const cnn_classifier *classifier, const void *image, const cnn_prediction *prediction,
                        const char *function)
{
    cnn_status status = cnn_classifier_check_trained(classifier, function);
    if (!status && (!image || !prediction))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: NULL was given", function);
    return status;
}

cnn_status cnn_classifier_finish_prediction(const cnn_classifier *classifier, cnn_status status, cnn_tensor *pixels,
                                            cnn_prediction *given)
{
    cnn_prediction prediction;
    cnn_status begun = begin_prediction(classifier, given, &prediction);
    if (!status && !begun)
        status = predict_pixels(classifier, pixels, &prediction);
    cnn_tensor_destroy(pixels);
    if (begun)
        return begun;
    if (status)
        set_error(&prediction, status);
    cnn_status written = cnn_options_write(given, &prediction, sizeof prediction, "cnn_prediction");
    return status ? status : written;
}

cnn_status cnn_classifier_predict_file(const cnn_classifier *classifier, const char *path, cnn_prediction *prediction)
{
    cnn_status status = check(classifier, path, prediction, "cnn_classifier_predict_file");
    if (status)
        return status;
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    cnn_tensor *pixels = NULL;
    status = cnn_image_load_to_fit(classifier->context, path, &options, classifier->preprocess.fit, &pixels);
    return cnn_classifier_finish_prediction(classifier, status, pixels, prediction);
}

cnn_status cnn_classifier_predict_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                         cnn_prediction *prediction)
{
    cnn_status status = check(classifier, bytes, prediction, "cnn_classifier_predict_memory");
    if (status)
        return status;
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    cnn_tensor *pixels = NULL;
    status = cnn_image_decode_to_fit(classifier->context, &(cnn_image_file){ bytes, size, NULL }, &options,
                                     classifier->preprocess.fit, &pixels);
    return cnn_classifier_finish_prediction(classifier, status, pixels, prediction);
}

cnn_status cnn_classifier_predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                         cnn_prediction *given)
{
    cnn_status status = check(classifier, pixels, given, "cnn_classifier_predict_pixels");
    if (status)
        return status;
    cnn_prediction prediction;
    status = begin_prediction(classifier, given, &prediction);
    if (status)
        return status;
    status = predict_pixels(classifier, pixels, &prediction);
    if (status)
        set_error(&prediction, status);
    cnn_status written = cnn_options_write(given, &prediction, sizeof prediction, "cnn_prediction");
    return status ? status : written;
}

/* Encoded images: files by their paths, or in memory. */
typedef struct encoded_images {
    const char *function;     /* that was given them */
    const char *const *paths; /* NULL: in memory */
    const void *const *bytes;
    const size_t *sizes;
} encoded_images;

/* One batch of images on its way. */
typedef struct batch {
    const cnn_classifier *classifier;
    encoded_images images;
    float *inputs, *logits;
    cnn_prediction predictions[BATCH];
} batch;

static cnn_status decode(const cnn_classifier *classifier, const encoded_images *images, size_t index,
                         cnn_tensor **pixels)
{
    const cnn_image_options options = cnn_classifier_image_options(classifier);
    const int fit = (int)classifier->preprocess.fit;
    if (images->paths ? !images->paths[index] : !images->bytes[index])
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: image %zu is NULL", images->function, index);
    if (images->paths)
        return cnn_image_load_to_fit(classifier->context, images->paths[index], &options, fit, pixels);
    const cnn_image_file file = { images->bytes[index], images->sizes[index], NULL };
    return cnn_image_decode_to_fit(classifier->context, &file, &options, fit, pixels);
}

static void decode_one(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    batch *files = argument;
    const cnn_classifier *classifier = files->classifier;
    cnn_prediction *prediction = &files->predictions[task];
    cnn_tensor *pixels = NULL;
    cnn_status status = decode(classifier, &files->images, task, &pixels);
    if (!status)
        status = cnn_classifier_prepare(classifier, pixels, files->inputs + task * input_size(classifier));
    cnn_tensor_destroy(pixels);
    if (status)
        set_error(prediction, status);
}

/* Decodes, moves the sound images together, computes, and decides. */
static cnn_status predict_batch(batch *files, size_t count)
{
    const cnn_classifier *classifier = files->classifier;
    size_t places[BATCH], sound = 0, size = input_size(classifier);
    cnn_parallel(classifier->context, count, decode_one, files);
    for (size_t i = 0; i < count; i++) {
        if (files->predictions[i].status)
            continue;
        if (i != sound)
            memcpy(files->inputs + sound * size, files->inputs + i * size, size * sizeof *files->inputs);
        places[sound++] = i;
    }
    cnn_status status = sound ? compute_logits(classifier, files->inputs, sound, files->logits) : CNN_OK;
    for (size_t i = 0; i < sound && !status; i++) {
        cnn_prediction *prediction = &files->predictions[places[i]];
        cnn_status decided = decide(classifier, files->logits + i * classifier->outputs, prediction);
        if (decided)
            set_error(prediction, decided);
    }
    return status;
}

/* The caller's structs may be of another version's size. */
static void *place_of(cnn_prediction *first, uint32_t size, size_t index)
{
    char *place = (char *)first + index * size;
    memcpy(place, &size, sizeof size);
    return place;
}

static encoded_images rest_of(const encoded_images *images, size_t done)
{
    encoded_images rest = *images;
    if (rest.paths) {
        rest.paths += done;
    } else {
        rest.bytes += done;
        rest.sizes += done;
    }
    return rest;
}

static cnn_status predict_many(const cnn_classifier *classifier, const encoded_images *images, size_t count,
                               cnn_prediction *predictions)
{
    const uint32_t size = predictions->struct_size;
    size_t bytes;
    if (!cnn_multiply(input_size(classifier), sizeof(float) * (count < BATCH ? count : BATCH), &bytes))
        return cnn_fail(CNN_ERROR_LIMIT, "%s: the images are too large for memory", images->function);
    cnn_status status = CNN_OK;
    batch files = { .classifier = classifier, .inputs = cnn_allocate(classifier->context, bytes) };
    files.logits = cnn_allocate_zeroed(classifier->context, (size_t)BATCH * classifier->outputs, sizeof(float));
    if (!files.inputs || !files.logits)
        status = CNN_ERROR_OUT_OF_MEMORY;
    cnn_work work;
    cnn_work_begin(&work, classifier->context);
    for (size_t done = 0; done < count && !status; done += BATCH) {
        size_t part = count - done < BATCH ? count - done : BATCH;
        files.images = rest_of(images, done);
        for (size_t i = 0; i < part && !status; i++)
            status = begin_prediction(classifier, place_of(predictions, size, done + i), &files.predictions[i]);
        if (!status)
            status = cnn_work_check(images->function);
        if (!status)
            status = predict_batch(&files, part);
        for (size_t i = 0; i < part && !status; i++)
            status = cnn_options_write(place_of(predictions, size, done + i), &files.predictions[i],
                                       sizeof files.predictions[i], "cnn_prediction");
    }
    cnn_work_end(&work);
    cnn_release(classifier->context, files.inputs);
    cnn_release(classifier->context, files.logits);
    return status;
}

cnn_status cnn_classifier_predict_files(const cnn_classifier *classifier, const char *const *paths, size_t count,
                                        cnn_prediction *predictions)
{
    const encoded_images images = { .function = "cnn_classifier_predict_files", .paths = paths };
    cnn_status status = count ? check(classifier, paths, predictions, images.function)
                              : cnn_classifier_check_trained(classifier, images.function);
    return status || !count ? status : predict_many(classifier, &images, count, predictions);
}

cnn_status cnn_classifier_predict_memories(const cnn_classifier *classifier, const void *const *bytes,
                                           const size_t *sizes, size_t count, cnn_prediction *predictions)
{
    const encoded_images images = { .function = "cnn_classifier_predict_memories", .bytes = bytes, .sizes = sizes };
    cnn_status status = count ? check(classifier, bytes && sizes ? bytes : NULL, predictions, images.function)
                              : cnn_classifier_check_trained(classifier, images.function);
    return status || !count ? status : predict_many(classifier, &images, count, predictions);
}
