#include <cnn/quantize.h>

#include "classifier/classifier_internal.h"
#include "core/cancel.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/random.h"
#include "data/dataset_internal.h"
#include "runtime/quantize.h"

enum { DEFAULT_IMAGES = 500, BATCH = 32 };

static void log_bad_file(const char *path, const char *reason, void *user)
{
    cnn_log(user, CNN_LOG_WARNING, "%s: is left out: %s", path, reason);
}

/* Images drawn from all of the dataset, without those that can't be read. */
static cnn_status draw(const cnn_dataset *dataset, const cnn_quantize_options *options, cnn_context *context,
                       cnn_dataset **drawn)
{
    size_t wanted = options->images ? options->images : DEFAULT_IMAGES;
    wanted = wanted < dataset->count ? wanted : dataset->count;
    uint32_t *order = cnn_allocate_zeroed(context, dataset->count, sizeof *order);
    cnn_status status = order ? cnn_dataset_derive(dataset, wanted, drawn) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        for (size_t i = 0; i < dataset->count; i++)
            order[i] = (uint32_t)i;
        cnn_random_shuffle(options->seed, 0, order, dataset->count);
        for (size_t i = 0; i < wanted; i++)
            (*drawn)->items[i] = dataset->items[order[i]];
        (*drawn)->count = wanted;
    }
    cnn_release(context, order);
    if (status || dataset->verified)
        return status;
    cnn_verify_options verify;
    cnn_verify_options_init(&verify);
    verify.bad_file = log_bad_file;
    verify.bad_file_user = context;
    return cnn_dataset_verify(*drawn, &verify, NULL);
}

static cnn_status observe_all(cnn_calibration *calibration, cnn_loader *loader, uint64_t total,
                              const cnn_quantize_options *options)
{
    cnn_status status = cnn_loader_start(loader, 0);
    for (uint64_t done = 0; !status;) {
        cnn_batch batch = { .struct_size = sizeof batch };
        status = cnn_work_check("the quantisation");
        if (!status)
            status = cnn_loader_next(loader, &batch);
        if (status || !batch.count)
            break;
        status = cnn_calibration_observe(calibration, batch.images);
        done += batch.count;
        if (!status && options->progress && options->progress(done, total, options->progress_user))
            status = cnn_fail(CNN_ERROR_STOPPED, "the quantisation was stopped");
    }
    return status;
}

static cnn_status calibrate(const cnn_classifier *classifier, const cnn_dataset *images,
                            const cnn_quantize_options *options, cnn_model **quantized)
{
    cnn_loader_options loader_options;
    cnn_loader_options_init(&loader_options);
    loader_options.batch_size = BATCH;
    loader_options.preprocess = &classifier->preprocess;
    cnn_loader *loader = NULL;
    cnn_calibration *calibration = NULL;
    cnn_status status = cnn_calibration_create(classifier->model, &calibration);
    if (!status)
        status = cnn_loader_create(classifier->context, images, &loader_options, &loader);
    if (!status)
        status = observe_all(calibration, loader, cnn_dataset_count(images), options);
    if (!status)
        status = cnn_calibration_finish(calibration, quantized);
    cnn_loader_destroy(loader);
    cnn_calibration_destroy(calibration);
    return status;
}

/* A classifier of a model that has all of another's metadata. Takes the model over. */
static cnn_status wrap(cnn_context *context, cnn_model *model, cnn_classifier **result)
{
    cnn_classifier *classifier;
    cnn_status status = cnn_classifier_wrap(context, model, &classifier);
    if (status) {
        cnn_model_destroy(model);
        return status;
    }
    status = cnn_classifier_read_metadata(classifier, "cnn_classifier_quantize");
    if (status)
        cnn_classifier_destroy(classifier);
    else
        *result = classifier;
    return status;
}

cnn_status cnn_classifier_quantize(const cnn_classifier *classifier, const cnn_dataset *dataset,
                                   const cnn_quantize_options *given, cnn_classifier **quantized)
{
    if (!quantized)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_quantize: the result has no place: NULL was given");
    *quantized = NULL;
    cnn_status status = cnn_classifier_check_trained(classifier, "cnn_classifier_quantize");
    if (!status && !cnn_dataset_count(dataset))
        status = cnn_fail(CNN_ERROR_ARGUMENT, "cnn_classifier_quantize: no dataset was given, or one without images");
    cnn_quantize_options options;
    cnn_quantize_options_init(&options);
    if (!status)
        status = cnn_options_read(&options, sizeof options, given, "cnn_quantize_options");
    if (!status)
        status = cnn_model_check_floats(classifier->model, "cnn_classifier_quantize");
    cnn_dataset *images = NULL;
    cnn_model *model = NULL;
    cnn_work work;
    cnn_work_begin(&work, classifier ? classifier->context : NULL);
    if (!status)
        status = draw(dataset, &options, classifier->context, &images);
    if (!status)
        status = calibrate(classifier, images, &options, &model);
    cnn_work_end(&work);
    cnn_dataset_destroy(images);
    return status ? status : wrap(classifier->context, model, quantized);
}
