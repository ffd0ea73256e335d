/* Prediction. Threads that predict at once with one model share its packed weights; each takes an executor from a list
 * of idle ones. */
#include <pthread.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "graph/execute.h"
#include "graph/session.h"

/* Large batches are predicted in chunks, so that memory stays bounded. */
enum { CHUNK_MAX = 32 };
static const size_t chunk_bytes = (size_t)64 << 20;

struct cnn_predictor {
    pthread_mutex_t mutex; /* held while anything below is read or changed */
    cnn_steps *steps;
    int64_t chunk;
    char *packed;
    size_t *packed_offsets;
    size_t packed_bytes;
    uint64_t version; /* of the model's values that are packed */
    cnn_executor *idle;
};

cnn_status cnn_predictor_create(cnn_context *context, cnn_predictor **result)
{
    cnn_predictor *predictor = cnn_allocate_zeroed(context, 1, sizeof *predictor);
    if (!predictor)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (pthread_mutex_init(&predictor->mutex, NULL)) {
        cnn_release(context, predictor);
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a lock can't be made");
    }
    *result = predictor;
    return CNN_OK;
}

static void release_prepared(const cnn_model *model, cnn_predictor *predictor)
{
    cnn_steps_destroy(predictor->steps);
    cnn_release(model->context, predictor->packed);
    cnn_release(model->context, predictor->packed_offsets);
    predictor->steps = NULL;
    predictor->packed = NULL;
    predictor->packed_offsets = NULL;
}

void cnn_predictor_destroy(cnn_model *model)
{
    cnn_predictor *predictor = model->predictor;
    if (!predictor)
        return;
    while (predictor->idle) {
        cnn_executor *executor = predictor->idle;
        predictor->idle = executor->next;
        cnn_executor_destroy(model, executor);
    }
    release_prepared(model, predictor);
    pthread_mutex_destroy(&predictor->mutex);
    cnn_release(model->context, predictor);
}

static cnn_status allocate_packed(const cnn_model *model, cnn_predictor *predictor)
{
    const cnn_steps *steps = predictor->steps;
    size_t bytes = 0;
    predictor->packed_offsets = cnn_allocate_zeroed(model->context, (size_t)steps->count, sizeof(size_t));
    if (!predictor->packed_offsets)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (int32_t i = 0; i < steps->count; i++) {
        const cnn_layer *layer = &steps->items[i].layer;
        size_t needed = layer->type->packed_bytes ? layer->type->packed_bytes(model->context, layer, false) : 0;
        predictor->packed_offsets[i] = bytes;
        if (needed > PTRDIFF_MAX / 2 || !cnn_sum(bytes, cnn_round_up(needed, 64), &bytes))
            return cnn_fail(CNN_ERROR_LIMIT, "the model's weights are too large for memory");
    }
    predictor->packed = cnn_allocate(model->context, bytes);
    return predictor->packed ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status choose_chunk(const cnn_model *model, cnn_predictor *predictor)
{
    cnn_plan *plan;
    cnn_status status = cnn_plan_create(model, predictor->steps, 1, &plan);
    if (status)
        return status;
    size_t chunk = chunk_bytes / (plan->arena_bytes ? plan->arena_bytes : 1);
    predictor->chunk = chunk > CHUNK_MAX ? CHUNK_MAX : chunk ? (int64_t)chunk : 1;
    cnn_plan_destroy(plan);
    return CNN_OK;
}

static void pack_all(const cnn_model *model, cnn_predictor *predictor)
{
    for (int32_t i = 0; i < predictor->steps->count; i++) {
        const cnn_step *step = &predictor->steps->items[i];
        float *parameters[CNN_MAX_PARAMETERS] = { 0 };
        for (int32_t k = 0; k < step->layer.parameter_count; k++)
            parameters[k] = model->weights[step->parameters[k]].value->data;
        if (step->layer.type->pack)
            step->layer.type->pack(model->context, &step->layer, false, parameters,
                                   predictor->packed + predictor->packed_offsets[i]);
    }
    predictor->version = model->version;
}

/* With the mutex held: everything that all predictions share. */
static cnn_status prepare(const cnn_model *model, cnn_predictor *predictor)
{
    if (!predictor->steps) {
        cnn_status status = cnn_steps_create(model, false, &predictor->steps);
        if (!status)
            status = choose_chunk(model, predictor);
        if (!status)
            status = allocate_packed(model, predictor);
        if (status) {
            release_prepared(model, predictor);
            return status;
        }
        pack_all(model, predictor);
    } else if (predictor->version != model->version)
        pack_all(model, predictor);
    return CNN_OK;
}

static cnn_status take_executor(const cnn_model *model, cnn_executor **executor)
{
    cnn_predictor *predictor = model->predictor;
    pthread_mutex_lock(&predictor->mutex);
    cnn_status status = prepare(model, predictor);
    *executor = status ? NULL : predictor->idle;
    if (*executor)
        predictor->idle = (*executor)->next;
    pthread_mutex_unlock(&predictor->mutex);
    if (!status && !*executor) {
        *executor = cnn_executor_create(model);
        status = *executor ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    }
    return status;
}

static void give_back(const cnn_model *model, cnn_executor *executor)
{
    pthread_mutex_lock(&model->predictor->mutex);
    executor->next = model->predictor->idle;
    model->predictor->idle = executor;
    pthread_mutex_unlock(&model->predictor->mutex);
}

static cnn_status predict_chunk(const cnn_model *model, cnn_executor *executor, const float *input, int64_t batch,
                                float *output, size_t output_bytes)
{
    const cnn_predictor *predictor = model->predictor;
    cnn_run run = {
        .model = model,
        .steps = predictor->steps,
        .packed = predictor->packed,
        .packed_offsets = predictor->packed_offsets,
        .input = input,
    };
    cnn_status status = cnn_executor_prepare(executor, model, run.steps, batch, &run.plan);
    if (status)
        return status;
    run.arena = executor->arena;
    cnn_run_forward(&run);
    memcpy(output, cnn_run_output(&run), output_bytes);
    return CNN_OK;
}

static cnn_status predict_all(const cnn_model *model, cnn_executor *executor, const cnn_tensor *input,
                              cnn_tensor *output)
{
    int64_t count = input->dims[0], chunk = model->predictor->chunk;
    int64_t in_size = input->count / count, out_size = output->count / count;
    for (int64_t first = 0; first < count; first += chunk) {
        int64_t batch = count - first < chunk ? count - first : chunk;
        cnn_status status =
            predict_chunk(model, executor, (const float *)input->data + first * in_size, batch,
                          (float *)output->data + first * out_size, (size_t)(batch * out_size) * sizeof(float));
        if (status)
            return status;
    }
    return CNN_OK;
}

cnn_status cnn_check_batch(const cnn_tensor *tensor, const cnn_shape *shape, const char *what)
{
    if (!tensor)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s is NULL", what);
    char given[128], wanted[128];
    bool fits = tensor->dtype == CNN_FLOAT32 && tensor->rank == shape->rank + 1 && tensor->dims[0] > 0;
    for (int32_t i = 0; fits && i < shape->rank; i++)
        fits = tensor->dims[i + 1] == shape->dims[i];
    if (fits)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_SHAPE,
                    "%s has the shape %s%s; the model has float32 N\xC3\x97%s there, with at least one image", what,
                    cnn_dims_text(tensor->rank, tensor->dims, given, sizeof given),
                    tensor->dtype == CNN_FLOAT32 ? "" : " and isn't float32",
                    cnn_dims_text(shape->rank, shape->dims, wanted, sizeof wanted));
}

cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output)
{
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict: the model is NULL");
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_status status = cnn_check_batch(input, &in, "cnn_model_predict: the input");
    if (!status)
        status = cnn_check_batch(output, &out, "cnn_model_predict: the output");
    if (!status && input->dims[0] != output->dims[0])
        status = cnn_fail(CNN_ERROR_SHAPE, "cnn_model_predict: the input has %lld images, the output has %lld",
                          (long long)input->dims[0], (long long)output->dims[0]);
    cnn_executor *executor = NULL;
    if (!status)
        status = take_executor(model, &executor);
    if (status)
        return status;
    status = predict_all(model, executor, input, output);
    give_back(model, executor);
    return status;
}
