/* A program as text, for people and tests; or as a drawing for Graphviz. */
#include <string.h>

#include "compile/program.h"
#include "core/tensor_internal.h"
#include "core/text.h"

static const char *type_name(cnn_dtype type)
{
    return type == CNN_FLOAT32 ? "float32" : type == CNN_BFLOAT16 ? "bfloat16" : type == CNN_UINT8 ? "uint8" : "?";
}

static const char *node_name(const cnn_program *program, const cnn_operation *operation)
{
    return program->source.graph->nodes[operation->node].name;
}

/* "14×14×8 float32" */
static void print_value(const cnn_operation *operation, cnn_text *text)
{
    const cnn_layer *layer = &operation->layer;
    char dims[128];
    cnn_text_format(text, "%s %s", cnn_dims_text(layer->output.rank, layer->output.dims, dims, sizeof dims),
                    type_name(layer->output_type));
}

static void print_buffer(cnn_text *text, const char *name, int32_t buffer)
{
    if (buffer == CNN_BUFFER_INPUT || buffer == CNN_BUFFER_OUTPUT_GRADIENT)
        cnn_text_format(text, ", %s the caller's", name);
    else if (buffer != CNN_BUFFER_NONE)
        cnn_text_format(text, ", %s in %d", name, (int)buffer);
}

static void print_places(const cnn_operation *operation, cnn_text *text)
{
    print_buffer(text, "value", operation->value);
    print_buffer(text, "saved", operation->saved);
    print_buffer(text, "gradient", operation->gradient);
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        if (operation->added[k])
            print_buffer(text, "added", operation->input_gradients[k]);
}

/* "Winograd 4×4"; NULL for those that have but one. */
static const char *algorithm_of(const cnn_program *program, const cnn_operation *operation)
{
    const cnn_layer_type *type = operation->layer.type;
    return type->algorithm ? type->algorithm(program->source.context, &operation->layer, operation->training) : NULL;
}

/* Whether an operation's value is wanted beside that of the last. */
static bool is_further_output(const cnn_program *program, int32_t operation)
{
    for (int32_t i = 0; i < program->output_count; i++)
        if (program->outputs[i] == operation)
            return operation != program->count - 1;
    return false;
}

/* "3 fused_conv2d(2, 1) = relu_2: 14×14×8 float32, 0.120 ms" */
static void print_operation(const cnn_program *program, int32_t i, const cnn_print_options *options, cnn_text *text)
{
    const cnn_operation *operation = &program->operations[i];
    const cnn_layer *layer = &operation->layer;
    cnn_text_format(text, "%d %s", (int)i, layer->type->name);
    for (int32_t k = 0; k < layer->input_count; k++)
        cnn_text_format(text, "%s%d", k ? ", " : "(", (int)operation->inputs[k]);
    cnn_text_format(text, "%s = %s: ", layer->input_count ? ")" : "", node_name(program, operation));
    print_value(operation, text);
    if (program->purpose.training && !operation->training)
        cnn_text_format(text, ", frozen");
    if (is_further_output(program, i))
        cnn_text_format(text, ", output");
    if (options->places && program->buffers)
        print_places(operation, text);
    if (options->algorithms && algorithm_of(program, operation))
        cnn_text_format(text, ", %s", algorithm_of(program, operation));
    if (options->seconds && i > 0)
        cnn_text_format(text, ", %.3f ms", 1e3 * options->seconds[i]);
    cnn_text_format(text, "\n");
}

static void print_buffers(const cnn_program *program, cnn_text *text)
{
    for (int32_t i = CNN_BUFFER_FIRST; i < program->buffer_count; i++) {
        const cnn_buffer *buffer = &program->buffers[i];
        cnn_text_format(text, "buffer %d: %zu bytes at %zu, from %d to %d\n", (int)i, buffer->bytes, buffer->offset,
                        (int)buffer->first, (int)buffer->last);
    }
}

/* As part of a string in quotes. */
static void print_quoted(cnn_text *text, const char *name)
{
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            cnn_text_append(text, "\\", 1);
        cnn_text_append(text, name, 1);
    }
}

static void draw_operation(const cnn_program *program, int32_t i, const cnn_print_options *options, cnn_text *text)
{
    const cnn_operation *operation = &program->operations[i];
    cnn_text_format(text, "  %d [label=\"%s\\n", (int)i, operation->layer.type->name);
    print_quoted(text, node_name(program, operation));
    cnn_text_format(text, "\\n");
    print_value(operation, text);
    if (options->algorithms && algorithm_of(program, operation))
        cnn_text_format(text, "\\n%s", algorithm_of(program, operation));
    if (options->seconds && i > 0)
        cnn_text_format(text, "\\n%.3f ms", 1e3 * options->seconds[i]);
    cnn_text_format(text, "\"];\n");
    for (int32_t k = 0; k < operation->layer.input_count; k++)
        cnn_text_format(text, "  %d -> %d;\n", (int)operation->inputs[k], (int)i);
}

cnn_status cnn_program_print(const cnn_program *program, const cnn_print_options *options, char **result)
{
    cnn_text text = { .context = program->source.context };
    if (options->dot)
        cnn_text_format(&text, "digraph program {\n  node [shape=box];\n");
    for (int32_t i = 0; i < program->count; i++) {
        if (options->dot)
            draw_operation(program, i, options, &text);
        else
            print_operation(program, i, options, &text);
    }
    if (options->dot)
        cnn_text_format(&text, "}\n");
    else if (options->places)
        print_buffers(program, &text);
    return cnn_text_finish(&text, result);
}
