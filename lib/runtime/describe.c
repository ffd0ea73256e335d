/* What a prediction runs, for people to read. */
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
    cnn_status status = input ? cnn_check_batch(input, &shape, 1, "the input to measure by") : CNN_OK;
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

cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text)
{
    return describe(model, input, "cnn_model_program_text", false, text);
}

cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text)
{
    return describe(model, input, "cnn_model_program_dot", true, text);
}
