/* Prediction. Threads that predict at once with one model share its packed weights; each takes an executor from a list
 * of idle ones. */
#include <assert.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"
#include "runtime/quantize.h"
#include "runtime/session.h"

/* Large batches are predicted in chunks, so that memory stays bounded. With enough images each thread takes groups of
 * them through all layers by itself: enough of them to share the weights that are read, few enough for most of their
 * values to stay in its cache. */
enum { CHUNK_MAX = 32, GROUP_MAX = 8, MIN_GROUP = 4 };
static const size_t chunk_bytes = (size_t)64 << 20, group_bytes = (size_t)12 << 20;

struct cnn_predictor {
    cnn_mutex mutex; /* held while anything below is read or changed */
    cnn_fork_guard fork_guard;
    cnn_steps *steps;
    int64_t chunk, group; /* images; 0: no groups */
    char *packed;
    size_t *packed_offsets;
    uint64_t version; /* of the model's values that are packed */
    cnn_executor *idle;
};

cnn_status cnn_predictor_create(cnn_context *context, cnn_predictor **result)
{
    cnn_predictor *predictor = cnn_allocate_zeroed(context, 1, sizeof *predictor);
    if (!predictor)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!cnn_mutex_init(&predictor->mutex)) {
        cnn_release(context, predictor);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    predictor->fork_guard = (cnn_fork_guard){ .mutex = &predictor->mutex };
    cnn_fork_guard_add(&predictor->fork_guard);
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
    cnn_fork_guard_remove(&predictor->fork_guard);
    cnn_mutex_destroy(&predictor->mutex);
    cnn_release(model->context, predictor);
}

/* Builds with assertions have bytes behind each layer's packed weights that packing must leave as they are. */
#ifdef NDEBUG
enum { GUARD_BYTES = 0 };
#else
enum { GUARD_BYTES = 64, GUARD = 0x5a };

static bool is_intact(const char *guard)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        if (guard[i] != GUARD)
            return false;
    return true;
}
#endif

static size_t packed_bytes_of(const cnn_model *model, const cnn_layer *layer)
{
    return layer->type->packed_bytes ? layer->type->packed_bytes(model->context, layer, false) : 0;
}

static void pack(const cnn_model *model, const cnn_layer *layer, float *const *parameters, char *packed)
{
#ifndef NDEBUG
    char *guard = packed + packed_bytes_of(model, layer);
    memset(guard, GUARD, GUARD_BYTES);
#endif
    layer->type->pack(model->context, layer, false, parameters, packed);
    assert(is_intact(guard));
}

static cnn_status allocate_packed(const cnn_model *model, cnn_predictor *predictor)
{
    const cnn_steps *steps = predictor->steps;
    size_t bytes = 0;
    predictor->packed_offsets = cnn_allocate_zeroed(model->context, (size_t)steps->count, sizeof(size_t));
    if (!predictor->packed_offsets)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (int32_t i = 0; i < steps->count; i++) {
        size_t needed = packed_bytes_of(model, &steps->items[i].layer);
        predictor->packed_offsets[i] = bytes;
        if (needed > PTRDIFF_MAX / 2 || !cnn_sum(bytes, cnn_round_up(needed + GUARD_BYTES, 64), &bytes))
            return cnn_fail(CNN_ERROR_LIMIT, "the model's weights are too large for memory");
    }
    predictor->packed = cnn_allocate(model->context, bytes);
    return predictor->packed ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static int64_t images_within(size_t bytes, size_t image_bytes, int64_t most)
{
    size_t images = bytes / (image_bytes ? image_bytes : 1);
    return images > (size_t)most ? most : images ? (int64_t)images : 1;
}

static cnn_status choose_chunk(const cnn_model *model, cnn_predictor *predictor)
{
    cnn_plan *plan;
    cnn_status status = cnn_plan_create(model, predictor->steps, 1, &plan);
    if (status)
        return status;
    predictor->chunk = images_within(chunk_bytes, plan->arena_bytes, CHUNK_MAX);
    if (predictor->chunk > 1) /* else one image is enough for all threads */
        predictor->group = images_within(group_bytes, plan->arena_bytes, GROUP_MAX);
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
            pack(model, &step->layer, parameters, predictor->packed + predictor->packed_offsets[i]);
    }
    predictor->version = model->version;
}

/* With the mutex held: everything that all predictions share. */
static cnn_status prepare(const cnn_model *model, cnn_predictor *predictor)
{
    if (!predictor->steps) {
        cnn_status status = cnn_steps_create(model, false, &predictor->steps);
        if (!status && model->quantized)
            status = cnn_steps_quantize(model, &predictor->steps);
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

/* What one call of predict works with. */
typedef struct prediction {
    const cnn_model *model;
    cnn_executor *executors[CNN_MAX_THREADS]; /* of each worker */
    cnn_status statuses[CNN_MAX_THREADS];
    uint32_t workers;
    const float *input;
    float *output;
    int64_t in_size, out_size, count; /* numbers of one image, and images */
    int64_t groups;
    const cnn_observer *observer;
} prediction;

static void give_back(prediction *p)
{
    cnn_predictor *predictor = p->model->predictor;
    cnn_mutex_lock(&predictor->mutex);
    for (uint32_t i = 0; i < p->workers; i++) {
        p->executors[i]->next = predictor->idle;
        predictor->idle = p->executors[i];
    }
    cnn_mutex_unlock(&predictor->mutex);
    p->workers = 0;
}

/* As many groups as every thread gets the same number of, none of them empty; 0: too few images. */
static int64_t count_groups(int64_t images, int64_t group, int64_t threads)
{
    int64_t least = threads * (group < MIN_GROUP ? group : MIN_GROUP), most = threads * group;
    if (!group || images < least)
        return 0;
    int64_t groups = (images + most - 1) / most * threads;
    return groups < images ? groups : images;
}

static cnn_status take_executors(prediction *p)
{
    cnn_predictor *predictor = p->model->predictor;
    uint32_t threads = cnn_context_threads(p->model->context);
    cnn_mutex_lock(&predictor->mutex);
    cnn_status status = prepare(p->model, predictor);
    p->groups = p->observer ? 0 : count_groups(p->count, predictor->group, threads);
    uint32_t workers = p->groups ? threads : 1;
    for (; !status && p->workers < workers && predictor->idle; p->workers++) {
        p->executors[p->workers] = predictor->idle;
        predictor->idle = predictor->idle->next;
    }
    cnn_mutex_unlock(&predictor->mutex);
    for (; !status && p->workers < workers; p->workers++) {
        p->executors[p->workers] = cnn_executor_create(p->model);
        if (!p->executors[p->workers])
            return CNN_ERROR_OUT_OF_MEMORY;
    }
    return status;
}

/* Images `first` to `last` - 1, on one worker's executor. */
static cnn_status predict_images(const prediction *p, uint32_t worker, int64_t first, int64_t last)
{
    const cnn_predictor *predictor = p->model->predictor;
    cnn_executor *executor = p->executors[worker];
    cnn_run run = {
        .model = p->model,
        .steps = predictor->steps,
        .packed = predictor->packed,
        .packed_offsets = predictor->packed_offsets,
        .input = p->input + first * p->in_size,
        .observer = p->observer,
    };
    cnn_status status = cnn_executor_prepare(executor, p->model, run.steps, last - first, &run.plan);
    if (status)
        return status;
    run.arena = executor->arena;
    cnn_run_forward(&run);
    if (p->output)
        memcpy(p->output + first * p->out_size, cnn_run_output(&run),
               (size_t)((last - first) * p->out_size) * sizeof(float));
    return CNN_OK;
}

static cnn_status predict_in_chunks(const prediction *p)
{
    int64_t chunk = p->model->predictor->chunk, last;
    cnn_status status = CNN_OK;
    for (int64_t first = 0; first < p->count && !status; first = last) {
        last = p->count - first < chunk ? p->count : first + chunk;
        status = predict_images(p, 0, first, last);
    }
    return status;
}

static void predict_group(void *argument, size_t task, uint32_t worker)
{
    prediction *p = argument;
    int64_t group = (int64_t)task;
    if (!p->statuses[worker])
        p->statuses[worker] =
            predict_images(p, worker, p->count * group / p->groups, p->count * (group + 1) / p->groups);
}

/* Plans and memory for both sizes of groups come first, so that what is allocated doesn't depend on who does what. */
static cnn_status predict_in_groups(prediction *p)
{
    for (uint32_t i = 0; i < p->workers; i++)
        for (int64_t k = 0; k < 2; k++) {
            const cnn_plan *plan;
            cnn_status status = cnn_executor_prepare(p->executors[i], p->model, p->model->predictor->steps,
                                                     (p->count + k * (p->groups - 1)) / p->groups, &plan);
            if (status)
                return status;
        }
    cnn_parallel(p->model->context, (size_t)p->groups, predict_group, p);
    for (uint32_t i = 0; i < p->workers; i++)
        if (p->statuses[i])
            return p->statuses[i];
    return CNN_OK;
}

static cnn_status predict_all(prediction *p)
{
    cnn_status status = take_executors(p);
    if (!status)
        status = p->groups ? predict_in_groups(p) : predict_in_chunks(p);
    give_back(p);
    return status;
}

cnn_status cnn_model_observe(const cnn_model *model, const cnn_tensor *images, const cnn_observer *observer)
{
    int64_t count = images->dims[0];
    prediction p = {
        .model = model, .input = images->data, .in_size = images->count / count, .count = count, .observer = observer
    };
    return predict_all(&p);
}

static cnn_status check_batch(const cnn_tensor *tensor, const cnn_shape *shape, int64_t least, const char *what)
{
    if (!tensor)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s is NULL", what);
    char given[128], wanted[128];
    bool fits = tensor->dtype == CNN_FLOAT32 && tensor->rank == shape->rank + 1 && tensor->dims[0] >= least;
    for (int32_t i = 0; fits && i < shape->rank; i++)
        fits = tensor->dims[i + 1] == shape->dims[i];
    if (fits)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_SHAPE, "%s has the shape %s%s; the model has float32 N\xC3\x97%s there%s", what,
                    cnn_dims_text(tensor->rank, tensor->dims, given, sizeof given),
                    tensor->dtype == CNN_FLOAT32 ? "" : " and isn't float32",
                    cnn_dims_text(shape->rank, shape->dims, wanted, sizeof wanted),
                    least ? ", with at least one image" : "");
}

cnn_status cnn_check_batch(const cnn_tensor *tensor, const cnn_shape *shape, const char *what)
{
    return check_batch(tensor, shape, 1, what);
}

cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output)
{
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict: the model is NULL");
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_status status = check_batch(input, &in, 0, "cnn_model_predict: the input");
    if (!status)
        status = check_batch(output, &out, 0, "cnn_model_predict: the output");
    if (!status && input->dims[0] != output->dims[0])
        status = cnn_fail(CNN_ERROR_SHAPE, "cnn_model_predict: the input has %lld images, the output has %lld",
                          (long long)input->dims[0], (long long)output->dims[0]);
    if (status || input->dims[0] == 0)
        return status;
    int64_t count = input->dims[0];
    prediction p = { .model = model,
                     .input = input->data,
                     .output = output->data,
                     .in_size = input->count / count,
                     .out_size = output->count / count,
                     .count = count };
    return predict_all(&p);
}
