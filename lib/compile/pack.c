/* The packing pass: weights as kernels read them. Prediction packs them once, training before each use. */
#include <assert.h>
#include <string.h>

#include "compile/passes.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"

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

static void pack(const cnn_program *program, const cnn_operation *operation)
{
    float *parameters[CNN_MAX_PARAMETERS] = { 0 };
    for (int32_t k = 0; k < operation->layer.parameter_count; k++)
        parameters[k] = program->source.weights[operation->parameters[k]].value->data;
    char *packed = program->packed + operation->packed_offset;
#ifndef NDEBUG
    memset(packed + operation->packed_bytes, GUARD, GUARD_BYTES);
#endif
    operation->layer.type->pack(program->source.context, &operation->layer, false, parameters, packed);
    assert(is_intact(packed + operation->packed_bytes));
}

void cnn_program_pack(cnn_program *program)
{
    for (int32_t i = 0; i < program->count; i++)
        if (program->operations[i].layer.type->pack)
            pack(program, &program->operations[i]);
}

static cnn_status assign_places(cnn_program *program, size_t *bytes)
{
    *bytes = 0;
    for (int32_t i = 0; i < program->count; i++) {
        cnn_operation *operation = &program->operations[i];
        const cnn_layer_type *type = operation->layer.type;
        cnn_context *context = program->source.context;
        if (type->packed_bytes)
            operation->packed_bytes = type->packed_bytes(context, &operation->layer, operation->training);
        if (type->packed_backward_bytes && operation->backward)
            operation->packed_backward_bytes = type->packed_backward_bytes(context, &operation->layer);
        operation->packed_offset = *bytes;
        if (operation->packed_bytes > PTRDIFF_MAX / 2 || operation->packed_backward_bytes > PTRDIFF_MAX / 2 ||
            !cnn_sum(*bytes, cnn_round_up(operation->packed_bytes + GUARD_BYTES, 64), bytes))
            return cnn_fail(CNN_ERROR_LIMIT, "the model's weights are too large for memory");
    }
    return CNN_OK;
}

cnn_status cnn_pack_weights(cnn_program *program)
{
    size_t bytes;
    cnn_status status = assign_places(program, &bytes);
    if (status || program->purpose.training)
        return status;
    program->packed = cnn_allocate(program->source.context, bytes);
    if (!program->packed)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_program_pack(program);
    return CNN_OK;
}
