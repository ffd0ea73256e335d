/* The forward and backward passes of training by hand. */
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"
#include "simd/dispatch.h"

struct cnn_training {
    cnn_program *program;
    cnn_session *session;
    cnn_run run;       /* of the last forward, for its backward; */
    bool ready;        /* it hasn't been yet */
    cnn_tensor output; /* lies in the session's memory */
};

void cnn_training_destroy(cnn_model *model)
{
    cnn_training *training = model->training;
    if (!training)
        return;
    cnn_program_destroy(training->program);
    cnn_session_destroy(training->session);
    cnn_release(model->context, training);
    model->training = NULL;
}

cnn_status cnn_precision_resolve(cnn_context *context, cnn_precision *precision)
{
    if ((unsigned)*precision > CNN_PRECISION_AUTO)
        return cnn_fail(CNN_ERROR_ARGUMENT, "training: %d is no precision", (int)*precision);
    if (*precision == CNN_PRECISION_AUTO)
        *precision = cnn_tier_has_bfloat16(cnn_tier_of(context)) ? CNN_PRECISION_BFLOAT16 : CNN_PRECISION_FLOAT32;
    return CNN_OK;
}

cnn_status cnn_model_set_precision(cnn_model *model, cnn_precision precision)
{
    if (!model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_set_precision: the model is NULL");
    cnn_status status = cnn_precision_resolve(model->context, &precision);
    if (status)
        return status;
    if (model->precision != precision)
        cnn_training_destroy(model); /* its program is for another */
    model->precision = precision;
    return CNN_OK;
}

static cnn_status create_training(cnn_model *model)
{
    model->training = cnn_allocate_zeroed(model->context, 1, sizeof *model->training);
    if (!model->training)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_program_source source = cnn_model_source(model);
    const cnn_purpose purpose = { .training = true, .precision = model->precision };
    cnn_status status = cnn_program_create(&source, purpose, &model->training->program);
    if (!status && !(model->training->session = cnn_session_create(model->context)))
        status = CNN_ERROR_OUT_OF_MEMORY;
    if (status)
        cnn_training_destroy(model);
    else
        cnn_log_program(model->training->program);
    return status;
}

/* Makes `training->output` a tensor of the run's output. */
static void set_output(cnn_training *training, const cnn_shape *shape)
{
    cnn_tensor *output = &training->output;
    *output = (cnn_tensor){ .dtype = CNN_FLOAT32, .rank = shape->rank + 1, .borrowed = true };
    output->dims[0] = output->count = training->run.images;
    for (int32_t i = 0; i < shape->rank; i++) {
        output->dims[i + 1] = shape->dims[i];
        output->count *= shape->dims[i];
    }
    output->data = cnn_run_output(&training->run, 0);
}

cnn_status cnn_model_forward(cnn_model *model, const cnn_tensor *input, uint64_t seed, uint64_t step,
                             const cnn_tensor **output)
{
    if (output)
        *output = NULL;
    if (!model || !output)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_forward: the model is NULL, or the result has no place");
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    cnn_status status = cnn_check_batch(input, &in, 1, "cnn_model_forward: the input");
    if (!status)
        status = cnn_model_check_floats(model, "cnn_model_forward");
    if (!status && !model->training)
        status = create_training(model);
    if (status)
        return status;
    cnn_training *training = model->training;
    training->ready = false;
    training->run = (cnn_run){ .program = training->program,
                               .session = training->session,
                               .images = input->dims[0],
                               .input = input->data,
                               .seed = seed,
                               .step = step };
    status = cnn_session_reserve(training->session, training->program, input->dims[0]);
    if (status)
        return status;
    cnn_run_forward(&training->run);
    cnn_model_changed(model); /* running statistics are */
    set_output(training, &out);
    training->ready = true;
    *output = &training->output;
    return CNN_OK;
}

static cnn_status make_gradients(cnn_model *model)
{
    for (int32_t i = 0; i < model->weights_count; i++) {
        cnn_weights *weights = &model->weights[i];
        if (!weights->trainable || weights->gradient)
            continue;
        cnn_status status = cnn_tensor_create(model->context, CNN_FLOAT32, weights->value->rank, weights->value->dims,
                                              &weights->gradient);
        if (status)
            return status;
    }
    return CNN_OK;
}

cnn_status cnn_model_backward(cnn_model *model, const cnn_tensor *output_gradient)
{
    if (!model || !model->training || !model->training->ready)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_backward: each backward comes after a forward of the model");
    cnn_training *training = model->training;
    cnn_shape out = cnn_model_output_shape(model);
    cnn_status status = cnn_check_batch(output_gradient, &out, 1, "cnn_model_backward: the gradient");
    if (!status && output_gradient->dims[0] != training->run.images)
        status = cnn_fail(CNN_ERROR_SHAPE, "cnn_model_backward: the gradient is of %lld images, forward was of %lld",
                          (long long)output_gradient->dims[0], (long long)training->run.images);
    if (!status)
        status = make_gradients(model);
    if (status)
        return status;
    training->ready = false; /* the values are overwritten */
    training->run.output_gradient = output_gradient->data;
    cnn_run_backward(&training->run);
    return CNN_OK;
}
