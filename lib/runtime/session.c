#include "runtime/session.h"

#include "compile/budget.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"

cnn_session *cnn_session_create(cnn_context *context)
{
    cnn_session *session = cnn_allocate_zeroed(context, 1, sizeof *session);
    if (session)
        session->context = context;
    return session;
}

void cnn_session_destroy(cnn_session *session)
{
    if (!session)
        return;
    cnn_release(session->context, session->values);
    cnn_release(session->context, session->scratch);
    cnn_release(session->context, session);
}

/* Exchanges a block for a larger one. What it holds is lost. */
static cnn_status reallocate(cnn_session *session, char **block, size_t bytes)
{
    cnn_release(session->context, *block);
    *block = cnn_allocate(session->context, bytes);
    return *block ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status fail_too_large(int64_t images)
{
    return cnn_fail(CNN_ERROR_LIMIT, "the model's values for %lld images are too large for memory", (long long)images);
}

/* What fewer images need counts, too: layers choose by their number how to compute. */
static cnn_status reserve_scratch(cnn_session *session, const cnn_program *program, int64_t images)
{
    size_t most = session->scratch_bytes;
    for (int64_t i = session->images + 1; i <= images; i++) {
        size_t bytes = cnn_program_scratch_bytes(program, i);
        most = bytes > most ? bytes : most;
    }
    if (most > PTRDIFF_MAX / 2)
        return fail_too_large(images);
    if (session->scratch && most == session->scratch_bytes)
        return CNN_OK;
    session->scratch_bytes = 0;
    cnn_status status = reallocate(session, &session->scratch, most);
    session->scratch_bytes = status ? 0 : most;
    return status;
}

static cnn_status check_budget(const cnn_program *program, int64_t images)
{
    size_t scratch = cnn_program_scratch_bytes(program, images) / (size_t)images;
    return cnn_check_image_memory(program->source.context, program->image_bytes + scratch, program->purpose.training);
}

cnn_status cnn_session_reserve(cnn_session *session, const cnn_program *program, int64_t images)
{
    size_t bytes;
    if (images <= session->images)
        return CNN_OK;
    if (!cnn_multiply(program->image_bytes, images, &bytes) || bytes > PTRDIFF_MAX / 2)
        return fail_too_large(images);
    cnn_status status = check_budget(program, images);
    if (!status)
        status = reallocate(session, &session->values, bytes);
    if (!status)
        status = reserve_scratch(session, program, images);
    session->images = status ? 0 : images;
    return status;
}

void *cnn_run_place(const cnn_run *run, int32_t buffer)
{
    if (buffer == CNN_BUFFER_INPUT)
        return (float *)run->input;
    if (buffer == CNN_BUFFER_OUTPUT_GRADIENT)
        return (float *)run->output_gradient;
    if (buffer == CNN_BUFFER_NONE)
        return NULL;
    return run->session->values + run->program->buffers[buffer].offset * (size_t)run->images;
}

cnn_layer_pass cnn_run_start(const cnn_run *run, int32_t i)
{
    const cnn_program *program = run->program;
    const cnn_operation *operation = &program->operations[i];
    cnn_layer_pass pass = {
        .context = program->source.context,
        .layer = &operation->layer,
        .batch = run->images,
        .training = operation->training,
        .seed = run->seed,
        .step = run->step,
        .node = (uint32_t)operation->node,
        .saved = cnn_run_place(run, operation->saved),
    };
    for (int32_t k = 0; k < operation->layer.parameter_count; k++)
        pass.parameters[k] = program->source.weights[operation->parameters[k]].value->data;
    return pass;
}

int64_t cnn_run_value_count(const cnn_run *run, int32_t i)
{
    return run->images * cnn_shape_count(&run->program->operations[i].layer.output);
}

float *cnn_run_output(const cnn_run *run, int32_t output)
{
    return cnn_run_place(run, run->program->operations[run->program->outputs[output]].value);
}

float *cnn_run_input_gradient(const cnn_run *run)
{
    return cnn_run_place(run, run->program->operations[0].gradient);
}
