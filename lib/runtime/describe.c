/* What a prediction runs, for people to read. */
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

/* The least of some predictions, after one that finds nothing in the caches. */
static cnn_status measure(const cnn_model *model, const cnn_program *program, const cnn_tensor *input, double *seconds)
{
    enum { RUNS = 5 };
    double *run = cnn_allocate(model->context, (size_t)program->count * sizeof *run);
    cnn_status status = run ? cnn_time_operations(model, program, input, seconds) : CNN_ERROR_OUT_OF_MEMORY;
    for (int i = 0; i < RUNS && !status; i++) {
        status = cnn_time_operations(model, program, input, run);
        for (int32_t k = 0; k < program->count && !status; k++)
            seconds[k] = i == 0 || run[k] < seconds[k] ? run[k] : seconds[k];
    }
    cnn_release(model->context, run);
    return status;
}

static cnn_status describe(const cnn_model *model, const cnn_tensor *input, const char *function, bool dot, char **text)
{
    if (text)
        *text = NULL;
    if (!model || !text)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the model is NULL, or the result has no place", function);
    cnn_shape shape = cnn_model_input_shape(model);
    const cnn_program *program;
    cnn_status status = input ? cnn_check_batch(input, &shape, "the images to measure by") : CNN_OK;
    if (!status)
        status = cnn_session_pool_program(model->sessions, model, &program);
    if (status)
        return status;
    double *seconds = input ? cnn_allocate(model->context, (size_t)program->count * sizeof *seconds) : NULL;
    if (input)
        status = seconds ? measure(model, program, input, seconds) : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        status = cnn_program_print(
            program, &(const cnn_print_options){ .dot = dot, .algorithms = true, .seconds = seconds }, text);
    cnn_release(model->context, seconds);
    return status;
}

static void log_lines(cnn_context *context, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        cnn_log(context, CNN_LOG_DEBUG, "%.*s", (int)(end - text), text);
}

static void log_program(const cnn_program *program, const cnn_print_options *options)
{
    char *text;
    if (cnn_program_print(program, options, &text))
        return;
    log_lines(program->source.context, text);
    cnn_release(program->source.context, text);
}

void cnn_log_program(const cnn_program *program)
{
    cnn_context *context = program->source.context;
    if (!cnn_logs(context, CNN_LOG_DEBUG))
        return;
    cnn_log(context, CNN_LOG_DEBUG, "program for %s on %s: %d operations of %d layers, %.2f MB of values an image",
            program->purpose.training ? "training" : "prediction", cnn_context_instruction_set(context),
            (int)program->count, (int)program->source.graph->count, (double)program->image_bytes / 1e6);
    log_program(program, &(const cnn_print_options){ .places = true, .algorithms = true });
}

/* Of the second prediction of a model, as the first finds nothing in the caches. */
void cnn_log_times(const cnn_model *model, const cnn_tensor *input)
{
    const cnn_program *program;
    if (!cnn_session_pool_is_second(model->sessions) || cnn_session_pool_program(model->sessions, model, &program))
        return;
    double *seconds = cnn_allocate(model->context, (size_t)program->count * sizeof *seconds);
    if (seconds && !cnn_time_operations(model, program, input, seconds)) {
        cnn_log(model->context, CNN_LOG_DEBUG, "%lld images at once take:", (long long)input->dims[0]);
        log_program(program, &(const cnn_print_options){ .algorithms = true, .seconds = seconds });
    }
    cnn_release(model->context, seconds);
}

cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text)
{
    return describe(model, input, "cnn_model_program_text", false, text);
}

cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text)
{
    return describe(model, input, "cnn_model_program_dot", true, text);
}
