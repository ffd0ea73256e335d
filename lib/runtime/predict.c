/* Prediction: a batch in parts that a session has room for. */
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"
#include "core/parallel.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

/* Large batches are predicted in chunks, so that memory stays bounded. With enough images each thread takes groups of
 * them through all layers by itself: enough of them to share the weights that are read, few enough for most of their
 * values to stay in its cache. In int8, where values take a quarter of the bytes, groups of more bytes than this were
 * slower, or as fast. */
enum { CHUNK_MAX = 32, GROUP_MAX = 8, MIN_GROUP = 4 };
static const size_t chunk_bytes = (size_t)64 << 20, group_bytes = (size_t)12 << 20, int8_group_bytes = (size_t)3 << 20;

/* What one call of predict works with. */
typedef struct prediction {
    const cnn_model *model;
    cnn_session_pool *pool;
    const cnn_program *program;
    cnn_session *sessions[CNN_MAX_THREADS]; /* of each worker */
    uint32_t workers;
    const float *input;
    float *const *outputs;  /* an array for each output; NULL: they aren't wanted */
    int64_t in_size, count; /* numbers of one image, and images */
    int64_t chunk;          /* images that all threads compute together; */
    int64_t group, groups;  /* or groups of at most so many, of one thread each; 0: none */
    const cnn_observer *observer;
} prediction;

static int64_t images_within(size_t bytes, size_t image_bytes, int64_t most)
{
    size_t images = bytes / (image_bytes ? image_bytes : 1);
    return images > (size_t)most ? most : images ? (int64_t)images : 1;
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

static void choose_parts(prediction *p)
{
    size_t image_bytes = p->program->image_bytes;
    p->chunk = images_within(chunk_bytes, image_bytes, CHUNK_MAX);
    if (p->chunk > 1 && !p->observer) /* else one image is enough for all threads */
        p->group = images_within(p->model->quantized ? int8_group_bytes : group_bytes, image_bytes, GROUP_MAX);
    p->groups = count_groups(p->count, p->group, cnn_context_threads(p->model->context));
    p->workers = p->groups ? cnn_context_threads(p->model->context) : 1;
}

/* In one session. */
static int64_t images_at_once(const prediction *p)
{
    return p->groups ? p->group : p->count < p->chunk ? p->count : p->chunk;
}

/* All memory comes first, so that what is allocated doesn't depend on who does what; and for whole groups, so that
 * other numbers of images need no more. */
static cnn_status take_sessions(prediction *p)
{
    int64_t most = images_at_once(p);
    for (uint32_t i = 0; i < p->workers; i++) {
        p->sessions[i] = cnn_session_pool_take(p->pool);
        cnn_status status =
            p->sessions[i] ? cnn_session_reserve(p->sessions[i], p->program, most) : CNN_ERROR_OUT_OF_MEMORY;
        if (status)
            return status;
    }
    return CNN_OK;
}

static void put_sessions(const prediction *p)
{
    for (uint32_t i = 0; i < p->workers && p->sessions[i]; i++)
        cnn_session_pool_put(p->pool, p->sessions[i]);
}

static void copy_outputs(const prediction *p, const cnn_run *run, int64_t first)
{
    for (int32_t i = 0; i < p->program->output_count; i++) {
        int64_t count = cnn_run_value_count(run, p->program->outputs[i]);
        memcpy(p->outputs[i] + first * (count / run->images), cnn_run_output(run, i), (size_t)count * sizeof(float));
    }
}

/* Images `first` to `last` - 1, in one worker's session. */
static void predict_images(const prediction *p, uint32_t worker, int64_t first, int64_t last)
{
    const cnn_run run = {
        .program = p->program,
        .session = p->sessions[worker],
        .images = last - first,
        .input = p->input + first * p->in_size,
        .observer = p->observer,
    };
    cnn_run_forward(&run);
    if (p->outputs)
        copy_outputs(p, &run, first);
}

static void predict_in_chunks(const prediction *p)
{
    for (int64_t first = 0; first < p->count; first += p->chunk)
        predict_images(p, 0, first, p->count - first < p->chunk ? p->count : first + p->chunk);
}

static void predict_group(void *argument, size_t task, uint32_t worker)
{
    const prediction *p = argument;
    int64_t group = (int64_t)task;
    predict_images(p, worker, p->count * group / p->groups, p->count * (group + 1) / p->groups);
}

static cnn_status predict_all(prediction *p)
{
    cnn_status status = cnn_session_pool_program(p->pool, p->model, &p->program);
    if (status)
        return status;
    choose_parts(p);
    status = take_sessions(p);
    if (!status && p->groups)
        cnn_parallel(p->model->context, (size_t)p->groups, predict_group, p);
    else if (!status)
        predict_in_chunks(p);
    put_sessions(p);
    return status;
}

/* Fewer images than there is room for may need more scratch, too: see cnn_session_reserve. */
static size_t scratch_bytes(const cnn_program *program, int64_t images)
{
    size_t most = 0;
    for (int64_t i = 1; i <= images; i++) {
        size_t bytes = cnn_program_scratch_bytes(program, i);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static size_t packed_bytes(const cnn_program *program)
{
    size_t end = 0;
    for (int32_t i = 0; i < program->count; i++) {
        const cnn_operation *operation = &program->operations[i];
        size_t behind = operation->packed_offset + operation->packed_bytes;
        end = behind > end ? behind : end;
    }
    return end;
}

cnn_status cnn_model_prediction_memory(const cnn_model *model, uint64_t images, uint64_t *bytes)
{
    if (!model || !bytes || images > INT32_MAX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_prediction_memory: NULL, or too many images were given");
    prediction p = { .model = model, .count = (int64_t)images };
    cnn_status status = cnn_session_pool_program(model->sessions, model, &p.program);
    if (status)
        return status;
    choose_parts(&p);
    int64_t most = images_at_once(&p);
    *bytes = packed_bytes(p.program);
    if (images)
        *bytes += (uint64_t)p.workers * (p.program->image_bytes * (size_t)most + scratch_bytes(p.program, most));
    return CNN_OK;
}

/* Of at least one image. */
static prediction prediction_of(const cnn_model *model, cnn_session_pool *pool, const cnn_tensor *images)
{
    int64_t count = images->dims[0];
    return (prediction){
        .model = model, .pool = pool, .input = images->data, .in_size = images->count / count, .count = count
    };
}

cnn_status cnn_model_observe(const cnn_model *model, const cnn_tensor *images, const cnn_observer *observer)
{
    prediction p = prediction_of(model, model->sessions, images);
    p.observer = observer;
    return predict_all(&p);
}

cnn_status cnn_model_predict_outputs(const cnn_model *model, cnn_session_pool *pool, const cnn_tensor *images,
                                     float *const *outputs)
{
    prediction p = prediction_of(model, pool, images);
    p.outputs = outputs;
    return predict_all(&p);
}

typedef struct stopwatch {
    const cnn_program *program;
    double *seconds; /* of each operation */
    double last;     /* when the operation before ended */
} stopwatch;

static void note(void *user, const cnn_operation *operation, const float *values, int64_t count)
{
    stopwatch *watch = user;
    double time = cnn_os_seconds();
    int64_t number = operation - watch->program->operations;
    (void)values;
    (void)count;
    if (number > 0) /* the first is the input, which isn't computed */
        watch->seconds[number] += time - watch->last;
    watch->last = time;
}

cnn_status cnn_time_operations(const cnn_model *model, const cnn_program *program, const cnn_tensor *input,
                               double *seconds)
{
    memset(seconds, 0, (size_t)program->count * sizeof *seconds);
    stopwatch watch = { program, seconds, 0 };
    return cnn_model_observe(model, input, &(const cnn_observer){ note, &watch });
}

/* Once, at a model's second prediction, as the first finds nothing in the caches. */
static void log_times(const cnn_model *model, const cnn_tensor *input)
{
    const cnn_program *program;
    if (!cnn_session_pool_is_second(model->sessions) || cnn_session_pool_program(model->sessions, model, &program))
        return;
    double *seconds = cnn_allocate(model->context, (size_t)program->count * sizeof *seconds);
    if (seconds && !cnn_time_operations(model, program, input, seconds))
        cnn_log_times(program, input->dims[0], seconds);
    cnn_release(model->context, seconds);
}

cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output)
{
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_predict: the model is NULL");
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_status status = cnn_check_batch(input, &in, 0, "cnn_model_predict: the input");
    if (!status)
        status = cnn_check_batch(output, &out, 0, "cnn_model_predict: the output");
    if (!status && input->dims[0] != output->dims[0])
        status = cnn_fail(CNN_ERROR_SHAPE, "cnn_model_predict: the input has %lld images, the output has %lld",
                          (long long)input->dims[0], (long long)output->dims[0]);
    if (status || input->dims[0] == 0)
        return status;
    float *values = output->data;
    status = cnn_model_predict_outputs(model, model->sessions, input, &values);
    if (!status && cnn_logs(model->context, CNN_LOG_DEBUG))
        log_times(model, input);
    return status;
}
