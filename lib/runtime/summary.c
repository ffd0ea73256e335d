#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "core/text.h"
#include "runtime/model_internal.h"

enum { LINE_SIZE = 512, GAP = 2 };

/* Columns on the screen: bytes but those that go on a UTF-8 character. */
static size_t width_of(const char *bytes)
{
    size_t width = 0;
    for (; *bytes; bytes++)
        width += ((unsigned char)*bytes & 0xC0) != 0x80;
    return width;
}

/* 1234567 as 1,234,567 */
static const char *count_text(uint64_t count, char *buffer, size_t size)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i && (length - i) % 3 == 0)
            buffer[used++] = ',';
        buffer[used++] = digits[i];
    }
    buffer[used] = 0;
    return buffer;
}

enum { COLUMNS = 4 };

typedef struct row {
    char cells[COLUMNS][LINE_SIZE]; /* layer, output shape, parameters, connected to */
} row;

static void add_text(char *cell, const char *addition)
{
    size_t used = strlen(cell);
    snprintf(cell + used, LINE_SIZE - used, "%s", addition);
}

static void make_row(const cnn_graph *graph, cnn_node node, row *r)
{
    const cnn_layer *layer = &graph->nodes[node].layer;
    uint64_t count = 0;
    for (int32_t k = 0; k < layer->parameter_count; k++) {
        uint64_t elements = 1;
        for (int32_t i = 0; i < layer->parameters[k].rank; i++)
            elements *= (uint64_t)layer->parameters[k].dims[i];
        count += elements;
    }
    snprintf(r->cells[0], LINE_SIZE, "%s (%s)", graph->nodes[node].name, layer->type->name);
    cnn_dims_text(layer->output.rank, layer->output.dims, r->cells[1], LINE_SIZE);
    count_text(count, r->cells[2], LINE_SIZE);
    r->cells[3][0] = 0;
    for (int32_t k = 0; k < layer->input_count; k++) {
        add_text(r->cells[3], k ? ", " : "");
        add_text(r->cells[3], graph->nodes[graph->nodes[node].inputs[k]].name);
    }
}

/* In a chain it needs no telling what a layer is connected to. */
static int columns_of(const cnn_graph *graph)
{
    for (cnn_node i = 1; i < graph->count; i++)
        if (graph->nodes[i].layer.input_count != 1 || graph->nodes[i].inputs[0] != i - 1)
            return COLUMNS;
    return COLUMNS - 1;
}

static void append_row(cnn_text *t, const row *r, int columns, const size_t *widths)
{
    for (int c = 0; c < columns; c++) {
        size_t spaces = widths[c] - width_of(r->cells[c]);
        if (c == 2) /* numbers stand to the right */
            cnn_text_repeat(t, ' ', spaces);
        cnn_text_append(t, r->cells[c], strlen(r->cells[c]));
        if (c + 1 < columns)
            cnn_text_repeat(t, ' ', c == 2 ? GAP : spaces + GAP);
    }
    while (t->size && t->bytes[t->size - 1] == ' ') /* an input is connected to nothing */
        t->size--;
    cnn_text_append(t, "\n", 1);
}

static void append_table(cnn_text *t, const cnn_graph *graph)
{
    static const row head = { { "Layer (type)", "Output shape", "Parameters", "Connected to" } };
    int columns = columns_of(graph);
    size_t widths[COLUMNS] = { 0 }, total = 0;
    row r = head;
    for (cnn_node i = -1; i < graph->count; i++) {
        if (i >= 0)
            make_row(graph, i, &r);
        for (int c = 0; c < columns; c++)
            widths[c] = width_of(r.cells[c]) > widths[c] ? width_of(r.cells[c]) : widths[c];
    }
    for (int c = 0; c < columns; c++)
        total += widths[c] + (c ? GAP : 0);
    append_row(t, &head, columns, widths);
    cnn_text_repeat(t, '=', total);
    cnn_text_append(t, "\n", 1);
    for (cnn_node i = 0; i < graph->count; i++) {
        make_row(graph, i, &r);
        append_row(t, &r, columns, widths);
    }
    cnn_text_repeat(t, '=', total);
    cnn_text_append(t, "\n", 1);
}

static void append_total(cnn_text *t, const char *what, uint64_t count)
{
    char number[32];
    cnn_text_format(t, "%s: %s (%.2f MB)\n", what, count_text(count, number, sizeof number),
                    (double)count * sizeof(float) / 1e6);
}

cnn_status cnn_model_summary(const cnn_model *model, char **result)
{
    if (result)
        *result = NULL;
    if (!model || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_summary: the model is NULL, or the result has no place");
    cnn_text t = { .context = model->context };
    uint64_t trainable, all = cnn_model_weight_count(model, &trainable);
    append_table(&t, model->graph);
    append_total(&t, "Total parameters", all);
    append_total(&t, "Trainable parameters", trainable);
    append_total(&t, "Non-trainable parameters", all - trainable);
    return cnn_text_finish(&t, result);
}
