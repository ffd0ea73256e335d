/* A program as text. */
#include <stdio.h>

#include "compile/program.h"
#include "core/tensor_internal.h"
#include "core/text.h"

static const char *type_name(cnn_dtype type)
{
    return type == CNN_FLOAT32 ? "float32" : type == CNN_BFLOAT16 ? "bfloat16" : type == CNN_UINT8 ? "uint8" : "?";
}

static void print_buffer(cnn_text *text, const char *name, int32_t buffer)
{
    if (buffer == CNN_BUFFER_INPUT || buffer == CNN_BUFFER_OUTPUT_GRADIENT)
        cnn_text_format(text, ", %s the caller's", name);
    else if (buffer != CNN_BUFFER_NONE)
        cnn_text_format(text, ", %s in %d", name, (int)buffer);
}

/* "3 fused_conv2d(2, 1) = relu_2: 14×14×8 float32, value in 5" */
static void print_operation(const cnn_program *program, int32_t i, cnn_text *text)
{
    const cnn_operation *operation = &program->operations[i];
    const cnn_layer *layer = &operation->layer;
    char dims[128];
    cnn_text_format(text, "%d %s", (int)i, layer->type->name);
    for (int32_t k = 0; k < layer->input_count; k++)
        cnn_text_format(text, "%s%d", k ? ", " : "(", (int)operation->inputs[k]);
    cnn_text_format(
        text, "%s = %s: %s %s", layer->input_count ? ")" : "", program->source.graph->nodes[operation->node].name,
        cnn_dims_text(layer->output.rank, layer->output.dims, dims, sizeof dims), type_name(layer->output_type));
    if (program->purpose.training && !operation->training)
        cnn_text_format(text, ", frozen");
    if (program->buffers) {
        print_buffer(text, "value", operation->value);
        print_buffer(text, "saved", operation->saved);
        print_buffer(text, "gradient", operation->gradient);
        for (int32_t k = 0; k < layer->input_count; k++)
            if (operation->added[k])
                print_buffer(text, "added", operation->input_gradients[k]);
    }
    cnn_text_format(text, "\n");
}

cnn_status cnn_program_print(const cnn_program *program, char **result)
{
    cnn_text text = { .context = program->source.context };
    for (int32_t i = 0; i < program->count; i++)
        print_operation(program, i, &text);
    for (int32_t i = CNN_BUFFER_FIRST; i < program->buffer_count; i++) {
        const cnn_buffer *buffer = &program->buffers[i];
        cnn_text_format(&text, "buffer %d: %zu bytes at %zu, from %d to %d\n", (int)i, buffer->bytes, buffer->offset,
                        (int)buffer->first, (int)buffer->last);
    }
    return cnn_text_finish(&text, result);
}
