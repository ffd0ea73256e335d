/* The backward pass: a loop over a program's operations, from the last to the first. */
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "kernels/elementwise/elementwise.h"
#include "runtime/session.h"

static void give_memory(const cnn_run *run, const cnn_operation *operation, cnn_layer_pass *pass)
{
    pass->workspace = run->session->scratch + cnn_round_up(operation->packed_backward_bytes, 64);
    if (!operation->packed_backward_bytes)
        return;
    operation->layer.type->pack_backward(pass->context, pass->layer, pass->parameters, run->session->scratch);
    pass->packed_backward = run->session->scratch;
}

static void add_gradient(const cnn_run *run, int32_t input, const void *term)
{
    const cnn_operation *operation = &run->program->operations[input];
    void *sum = cnn_run_place(run, operation->gradient);
    size_t count = (size_t)cnn_run_value_count(run, input);
    cnn_elementwise_add(run->program->source.context, operation->layer.output_type, sum, term, sum, count);
}

static void compute(const cnn_run *run, int32_t i)
{
    const cnn_operation *operation = &run->program->operations[i];
    const cnn_layer_type *type = operation->layer.type;
    cnn_layer_pass pass = cnn_run_start(run, i);
    for (int32_t k = 0; k < operation->layer.input_count; k++) {
        if (type->backward_needs_inputs)
            pass.inputs[k] = cnn_run_place(run, run->program->operations[operation->inputs[k]].value);
        pass.input_gradients[k] = cnn_run_place(run, operation->input_gradients[k]);
    }
    if (type->backward_needs_output)
        pass.output = cnn_run_place(run, operation->value);
    pass.output_gradient = cnn_run_place(run, operation->gradient);
    for (int32_t k = 0; k < operation->layer.parameter_count; k++) {
        cnn_tensor *gradient = run->program->source.weights[operation->parameters[k]].gradient;
        pass.parameter_gradients[k] = gradient ? gradient->data : NULL;
    }
    give_memory(run, operation, &pass);
    type->backward(&pass);
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        if (operation->added[k])
            add_gradient(run, operation->inputs[k], pass.input_gradients[k]);
}

void cnn_run_backward(const cnn_run *run)
{
    for (int32_t i = run->program->count - 1; i > 0; i--)
        if (run->program->operations[i].backward)
            compute(run, i);
}
