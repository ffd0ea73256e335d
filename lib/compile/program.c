/* What a program holds: exchanging its operations, its memory, its end. */
#include "compile/program.h"

#include "compile/passes.h"
#include "core/memory.h"

static void release_operations(cnn_program *program)
{
    for (int32_t i = 0; i < program->count; i++)
        cnn_release(program->source.context, program->operations[i].own_attributes);
    cnn_release(program->source.context, program->operations);
}

void cnn_program_replace(cnn_program *program, cnn_operation *operations, int32_t count)
{
    release_operations(program);
    program->operations = operations;
    program->count = count;
}

void cnn_program_destroy(cnn_program *program)
{
    if (!program)
        return;
    release_operations(program);
    cnn_release(program->source.context, program->outputs);
    cnn_release(program->source.context, program->buffers);
    cnn_release(program->source.context, program->packed);
    cnn_release(program->source.context, program);
}

static size_t workspace_of(const cnn_program *program, const cnn_operation *operation, int64_t images, bool training)
{
    const cnn_layer_type *type = operation->layer.type;
    return type->workspace_bytes ? type->workspace_bytes(program->source.context, &operation->layer, images, training)
                                 : 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Weights that are packed for one operation, and its workspace behind them. */
size_t cnn_program_scratch_bytes(const cnn_program *program, int64_t images)
{
    size_t most = 0;
    for (int32_t i = 1; i < program->count; i++) {
        const cnn_operation *operation = &program->operations[i];
        size_t packed = program->purpose.training ? cnn_round_up(operation->packed_bytes, 64) : 0;
        most = larger(most, packed + workspace_of(program, operation, images, operation->training));
        if (operation->backward)
            most = larger(most, cnn_round_up(operation->packed_backward_bytes, 64) +
                                    workspace_of(program, operation, images, true));
    }
    return most;
}
