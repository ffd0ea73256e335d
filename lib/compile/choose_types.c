/* Which values of a training are bfloat16. */
#include "compile/passes.h"
#include "core/memory.h"

/* The operations as they become: with conversions, so that numbers change. */
typedef struct typing {
    cnn_operation *operations;
    int32_t count;
    int32_t *numbers;   /* of the old operations */
    int32_t *converted; /* of the conversions of their values to the other type; 0: there is none yet */
} typing;

static cnn_dtype other_type(cnn_dtype type)
{
    return type == CNN_BFLOAT16 ? CNN_FLOAT32 : CNN_BFLOAT16;
}

/* The new number of an old operation's value in that type. */
static int32_t value_as(typing *t, int32_t old, cnn_dtype type)
{
    const cnn_operation *source = &t->operations[t->numbers[old]];
    if (source->layer.output_type == type)
        return t->numbers[old];
    if (!t->converted[old]) {
        t->converted[old] = t->count;
        t->operations[t->count++] = (cnn_operation){ .layer = { .type = &cnn_layer_convert,
                                                                .input_count = 1,
                                                                .inputs = { source->layer.output },
                                                                .output = source->layer.output,
                                                                .input_types = { source->layer.output_type },
                                                                .output_type = other_type(source->layer.output_type) },
                                                     .training = source->training,
                                                     .node = source->node,
                                                     .inputs = { t->numbers[old] } };
    }
    return t->converted[old];
}

static cnn_dtype type_of(const typing *t, int32_t old)
{
    return t->operations[t->numbers[old]].layer.output_type;
}

static bool has_bf16_input(const typing *t, const cnn_operation *operation)
{
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        if (type_of(t, operation->inputs[k]) == CNN_BFLOAT16)
            return true;
    return false;
}

/* `last`: gives the output. */
static void add_typed(typing *t, int32_t old, const cnn_operation *operation, bool last)
{
    cnn_operation typed = *operation;
    cnn_layer_values values = operation->layer.type->values;
    if (values == CNN_LAYER_ONE_TYPE)
        typed.layer.output_type = !last && has_bf16_input(t, operation) ? CNN_BFLOAT16 : CNN_FLOAT32;
    else
        typed.layer.output_type = !last && values == CNN_LAYER_ANY_TYPES ? CNN_BFLOAT16 : CNN_FLOAT32;
    for (int32_t k = 0; k < operation->layer.input_count; k++) {
        bool free = values == CNN_LAYER_ANY_TYPES || values == CNN_LAYER_BF16_INPUT;
        typed.layer.input_types[k] = free ? type_of(t, operation->inputs[k]) : typed.layer.output_type;
        typed.inputs[k] = value_as(t, operation->inputs[k], typed.layer.input_types[k]);
    }
    t->numbers[old] = t->count;
    t->operations[t->count++] = typed;
}

cnn_status cnn_choose_types(cnn_program *program)
{
    cnn_context *context = program->source.context;
    size_t count = (size_t)program->count;
    typing t = { .operations = cnn_allocate_zeroed(context, 2 * count, sizeof *t.operations),
                 .numbers = cnn_allocate_zeroed(context, count, sizeof *t.numbers),
                 .converted = cnn_allocate_zeroed(context, count, sizeof *t.converted) };
    cnn_status status = t.operations && t.numbers && t.converted ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    for (int32_t i = 0; i < program->count && !status; i++) {
        add_typed(&t, i, &program->operations[i], i == program->count - 1);
        program->operations[i].own_attributes = NULL;
    }
    for (int32_t i = 0; i < program->output_count && !status; i++)
        program->outputs[i] = t.numbers[program->outputs[i]];
    if (!status)
        cnn_program_replace(program, t.operations, t.count);
    else
        cnn_release(context, t.operations);
    cnn_release(context, t.numbers);
    cnn_release(context, t.converted);
    return status;
}
