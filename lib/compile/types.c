/* Which values of a training are bfloat16. */
#include <string.h>

#include "compile/program.h"
#include "core/error.h"
#include "core/memory.h"

/* The steps as they become: with conversions, so that numbers change. */
typedef struct typing {
    cnn_step *items;
    int32_t count;
    int32_t *numbers;   /* of the old steps */
    int32_t *converted; /* of the conversions of their values to the other type; 0: there is none yet */
} typing;

static cnn_dtype other_type(cnn_dtype type)
{
    return type == CNN_BFLOAT16 ? CNN_FLOAT32 : CNN_BFLOAT16;
}

/* The new number of an old step's value in that type. */
static int32_t value_as(typing *t, int32_t old, cnn_dtype type)
{
    const cnn_step *source = &t->items[t->numbers[old]];
    if (source->layer.output_type == type)
        return t->numbers[old];
    if (!t->converted[old]) {
        t->converted[old] = t->count;
        t->items[t->count++] = (cnn_step){ .layer = { .type = &cnn_layer_convert,
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
    return t->items[t->numbers[old]].layer.output_type;
}

static bool has_narrow_input(const typing *t, const cnn_step *step)
{
    for (int32_t k = 0; k < step->layer.input_count; k++)
        if (type_of(t, step->inputs[k]) == CNN_BFLOAT16)
            return true;
    return false;
}

/* `last`: gives the output. */
static void add_typed(typing *t, int32_t old, const cnn_step *step, bool last)
{
    cnn_step typed = *step;
    cnn_layer_values values = step->layer.type->values;
    if (values == CNN_LAYER_ONE_TYPE)
        typed.layer.output_type = !last && has_narrow_input(t, step) ? CNN_BFLOAT16 : CNN_FLOAT32;
    else
        typed.layer.output_type = !last && values == CNN_LAYER_ANY_TYPES ? CNN_BFLOAT16 : CNN_FLOAT32;
    for (int32_t k = 0; k < step->layer.input_count; k++) {
        bool free = values == CNN_LAYER_ANY_TYPES || values == CNN_LAYER_NARROW_INPUT;
        typed.layer.input_types[k] = free ? type_of(t, step->inputs[k]) : typed.layer.output_type;
        typed.inputs[k] = value_as(t, step->inputs[k], typed.layer.input_types[k]);
    }
    t->numbers[old] = t->count;
    t->items[t->count++] = typed;
}

cnn_status cnn_steps_narrow(cnn_steps *steps)
{
    size_t count = (size_t)steps->count;
    typing t = { .items = cnn_allocate_zeroed(steps->context, 2 * count, sizeof *t.items),
                 .numbers = cnn_allocate_zeroed(steps->context, count, sizeof *t.numbers),
                 .converted = cnn_allocate_zeroed(steps->context, count, sizeof *t.converted) };
    cnn_status status = t.items && t.numbers && t.converted ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        for (int32_t i = 0; i < steps->count; i++)
            add_typed(&t, i, &steps->items[i], i == steps->count - 1);
        cnn_release(steps->context, steps->items);
        steps->items = t.items;
        steps->count = t.count;
    } else
        cnn_release(steps->context, t.items);
    cnn_release(steps->context, t.numbers);
    cnn_release(steps->context, t.converted);
    return status;
}
