/* From a graph to a program: the passes in their order. */
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
