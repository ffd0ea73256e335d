/* From a model and images as it will meet them to a quantised model. */
#include <float.h>
#include <math.h>

#include "compile/fold.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"
#include "runtime/quantize.h"

typedef struct range {
    float low, high;
    bool seen, finite;
} range;

struct cnn_calibration {
    cnn_context *context;
    cnn_model *folded;
    range *ranges; /* of each node's value; those that no operation gives stay empty */
    int64_t images;
};

static cnn_status copy_metadata(const cnn_model *model, cnn_model *folded)
{
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < model->metadata_count && !status; i++)
        status = cnn_model_set_metadata(folded, model->metadata[i].key, model->metadata[i].text);
    return status;
}

cnn_status cnn_model_fold(const cnn_model *model, cnn_model **folded)
{
    *folded = NULL;
    cnn_program_source source = cnn_model_source(model);
    cnn_folding *folding;
    cnn_status status = cnn_folding_create(&source, &folding);
    if (status)
        return status;
    status = cnn_model_create_blank(model->context, cnn_folding_graph(folding), folded);
    if (!status) {
        cnn_folding_fill(folding, (*folded)->weights, (*folded)->weights_count);
        status = copy_metadata(model, *folded);
    }
    cnn_folding_destroy(folding);
    if (status) {
        cnn_model_destroy(*folded);
        *folded = NULL;
    }
    return status;
}

cnn_status cnn_calibration_create(const cnn_model *model, cnn_calibration **result)
{
    *result = NULL;
    cnn_status status = cnn_model_check_floats(model, "cnn_model_quantize");
    if (status)
        return status;
    cnn_calibration *calibration = cnn_allocate_zeroed(model->context, 1, sizeof *calibration);
    if (!calibration)
        return CNN_ERROR_OUT_OF_MEMORY;
    calibration->context = model->context;
    status = cnn_model_fold(model, &calibration->folded);
    if (!status) {
        size_t nodes = (size_t)calibration->folded->graph->count;
        calibration->ranges = cnn_allocate_zeroed(model->context, nodes, sizeof *calibration->ranges);
        status = calibration->ranges ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    }
    if (status)
        cnn_calibration_destroy(calibration);
    else
        *result = calibration;
    return status;
}

void cnn_calibration_destroy(cnn_calibration *calibration)
{
    if (!calibration)
        return;
    cnn_model_destroy(calibration->folded);
    cnn_release(calibration->context, calibration->ranges);
    cnn_release(calibration->context, calibration);
}

/* The range of all values, plainly: on trained nets the least loss of accuracy (docs/performance.md). 0 is in it, as
 * padding must be exact. */
static void see(void *user, const cnn_operation *operation, const float *values, int64_t count)
{
    cnn_calibration *calibration = user;
    range *seen = &calibration->ranges[operation->node];
    float low = 0, high = 0;
    bool finite = true;
    for (int64_t i = 0; i < count; i++) {
        finite = finite && isfinite(values[i]);
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    seen->finite = finite && (seen->finite || !seen->seen);
    seen->seen = true;
    seen->low = low < seen->low ? low : seen->low;
    seen->high = high > seen->high ? high : seen->high;
}

cnn_status cnn_calibration_observe(cnn_calibration *calibration, const cnn_tensor *images)
{
    cnn_shape in = cnn_model_input_shape(calibration->folded);
    cnn_status status = cnn_check_batch(images, &in, 1, "cnn_model_quantize: images");
    if (status)
        return status;
    calibration->images += images->dims[0];
    return cnn_model_observe(calibration->folded, images, &(cnn_observer){ see, calibration });
}

cnn_status cnn_model_quantize(const cnn_model *model, const cnn_tensor *images, cnn_model **quantized)
{
    if (quantized)
        *quantized = NULL;
    if (!model || !quantized)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_quantize: NULL was given");
    cnn_calibration *calibration;
    cnn_status status = cnn_calibration_create(model, &calibration);
    if (status)
        return status;
    status = cnn_calibration_observe(calibration, images);
    if (!status)
        status = cnn_calibration_finish(calibration, quantized);
    cnn_calibration_destroy(calibration);
    return status;
}

static cnn_status quantization_of(const cnn_calibration *calibration, cnn_node node, cnn_quantization *quantization)
{
    const range *seen = &calibration->ranges[node];
    float width = seen->high - seen->low;
    if (!seen->finite || !isfinite(width))
        return cnn_fail(CNN_ERROR_NOT_FINITE, "cnn_model_quantize: %s gives a value that is not finite",
                        calibration->folded->graph->nodes[node].name);
    float scale = width / 255 > FLT_MIN ? width / 255 : 1; /* zeros have any */
    *quantization = (cnn_quantization){ scale, (int32_t)lrintf(-seen->low / scale) };
    return CNN_OK;
}

static cnn_status set_quantizations(const cnn_calibration *calibration, cnn_model *quantized)
{
    for (cnn_node i = 0; i < quantized->graph->count; i++) {
        if (!calibration->ranges[i].seen)
            continue;
        cnn_status status = quantization_of(calibration, i, &quantized->nodes[i].quantization);
        if (status)
            return status;
    }
    return CNN_OK;
}

cnn_status cnn_calibration_finish(const cnn_calibration *calibration, cnn_model **result)
{
    *result = NULL;
    if (!calibration->images)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_quantize: there are no images to find the ranges of values by");
    const cnn_model *folded = calibration->folded;
    float *scales = cnn_allocate_zeroed(calibration->context, (size_t)folded->graph->count, sizeof *scales);
    cnn_status status = scales ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    for (cnn_node i = 0; i < folded->graph->count && !status; i++) {
        cnn_quantization quantization = { 0 };
        if (calibration->ranges[i].seen)
            status = quantization_of(calibration, i, &quantization);
        scales[i] = quantization.scale;
    }
    cnn_model *quantized = NULL;
    if (!status)
        status = cnn_model_quantize_weights(folded, scales, &quantized);
    if (!status)
        status = set_quantizations(calibration, quantized);
    if (!status) {
        cnn_program_source source = cnn_model_source(quantized);
        status = cnn_program_check(&source);
    }
    cnn_release(calibration->context, scales);
    if (status)
        cnn_model_destroy(quantized);
    else
        *result = quantized;
    return status;
}
