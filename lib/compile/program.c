/* How programs are made and end. */
#include "compile/program.h"

#include "compile/passes.h"
#include "core/memory.h"

static cnn_status create_blank(const cnn_program_source *source, cnn_purpose purpose, cnn_program **program)
{
    *program = cnn_allocate_zeroed(source->context, 1, sizeof **program);
    if (!*program)
        return CNN_ERROR_OUT_OF_MEMORY;
    (*program)->source = *source;
    (*program)->purpose = purpose;
    return CNN_OK;
}

/* What is computed, but for where it lies. */
static cnn_status make_operations(cnn_program *program)
{
    cnn_status status = cnn_lower_graph(program);
    if (!status)
        status = cnn_fuse_operations(program);
    if (!status && program->source.quantized && !program->purpose.training)
        status = cnn_quantize_operations(program);
    if (!status && program->purpose.training && program->purpose.precision == CNN_PRECISION_BFLOAT16)
        status = cnn_choose_types(program);
    return status;
}

cnn_status cnn_program_create(const cnn_program_source *source, cnn_purpose purpose, cnn_program **result)
{
    *result = NULL;
    cnn_program *program;
    cnn_status status = create_blank(source, purpose, &program);
    if (!status)
        status = make_operations(program);
    if (!status)
        status = cnn_find_liveness(program);
    if (!status)
        status = cnn_assign_arena(program);
    if (!status)
        status = cnn_pack_weights(program);
    if (status)
        cnn_program_destroy(program);
    else
        *result = program;
    return status;
}

cnn_status cnn_program_check(const cnn_program_source *source)
{
    cnn_program *program;
    cnn_status status = create_blank(source, (cnn_purpose){ 0 }, &program);
    if (!status)
        status = make_operations(program);
    cnn_program_destroy(program);
    return status;
}

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
