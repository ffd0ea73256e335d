/* The forward pass: a loop over a program's operations. */
#include "core/memory.h"
#include "runtime/session.h"

/* Prediction finds its weights packed; in training they change at every step, and are packed right before use. */
static void give_memory(const cnn_run *run, const cnn_operation *operation, cnn_layer_pass *pass)
{
    const cnn_program *program = run->program;
    char *scratch = run->session->scratch;
    pass->workspace = scratch;
    if (program->packed)
        pass->packed = program->packed + operation->packed_offset;
    else if (operation->packed_bytes) {
        operation->layer.type->pack(pass->context, pass->layer, pass->training, pass->parameters, scratch);
        pass->packed = scratch;
        pass->workspace = scratch + cnn_round_up(operation->packed_bytes, 64);
    }
}

static void compute(const cnn_run *run, int32_t i)
{
    const cnn_operation *operation = &run->program->operations[i];
    cnn_layer_pass pass = cnn_run_start(run, i);
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        pass.inputs[k] = cnn_run_place(run, run->program->operations[operation->inputs[k]].value);
    pass.output = cnn_run_place(run, operation->value);
    give_memory(run, operation, &pass);
    operation->layer.type->forward(&pass);
}

void cnn_run_forward(const cnn_run *run)
{
    for (int32_t i = 0; i < run->program->count; i++) {
        if (i > 0)
            compute(run, i);
        if (run->observer)
            run->observer->see(run->observer->user, &run->program->operations[i],
                               cnn_run_place(run, run->program->operations[i].value), cnn_run_value_count(run, i));
    }
}
