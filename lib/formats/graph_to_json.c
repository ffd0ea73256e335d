/* Writes a graph in the schema of docs/net-json.md. */
#include <string.h>

#include <cnn/graph.h>

#include "core/error.h"
#include "core/memory.h"
#include "formats/attribute.h"
#include "formats/json.h"
#include "graph/graph_internal.h"

typedef struct writer {
    cnn_context *context;
    char *text;
    size_t length, capacity;
} writer;

static cnn_status append(writer *to, const char *text, size_t length)
{
    if (!cnn_grow(to->context, (void **)&to->text, &to->capacity, to->length + length + 1, 1))
        return CNN_ERROR_OUT_OF_MEMORY;
    memcpy(to->text + to->length, text, length);
    to->length += length;
    to->text[to->length] = 0;
    return CNN_OK;
}

static cnn_status append_json(writer *to, const json_t *value)
{
    char *text;
    size_t length;
    cnn_status status = cnn_json_print(to->context, value, CNN_JSON_FLOATS, &text, &length);
    if (status)
        return status;
    status = append(to, text, length);
    cnn_release(to->context, text);
    return status;
}

/* Whether the layer's type makes of `attributes`, where an attribute may be left at zero, those that the layer has. */
static bool gives_the_same(const cnn_layer *layer, const void *attributes, void *scratch)
{
    const cnn_layer_type *type = layer->type;
    cnn_layer trial = { .type = type, .attributes = scratch, .input_count = layer->input_count };
    memcpy(trial.inputs, layer->inputs, sizeof trial.inputs);
    memcpy(scratch, attributes, type->attributes_size);
    if (type->shape(&trial))
        return false;
    for (int32_t i = 0; i < type->attribute_count; i++)
        if (!cnn_attribute_equal(&type->attributes[i], scratch, layer->attributes))
            return false;
    return true;
}

/* Adds the attributes without which the layer would be another. `kept` and `trial` hold the type's struct. */
static cnn_status add_attributes(json_t *object, const cnn_layer *layer, char *kept, char *trial, char *scratch)
{
    const cnn_layer_type *type = layer->type;
    memcpy(kept, layer->attributes, type->attributes_size);
    for (int32_t i = 0; i < type->attribute_count; i++) {
        const cnn_attribute *attribute = &type->attributes[i];
        memcpy(trial, kept, type->attributes_size);
        cnn_attribute_clear(attribute, trial);
        if (gives_the_same(layer, trial, scratch)) {
            memcpy(kept, trial, type->attributes_size);
            continue;
        }
        json_t *value = cnn_attribute_to_json(attribute, layer->attributes);
        if (!value)
            return CNN_ERROR_ARGUMENT;
        if (json_object_set_new(object, attribute->name, value))
            return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a graph can't be written");
    }
    return CNN_OK;
}

static cnn_status add_inputs(json_t *object, const cnn_graph *graph, cnn_node node)
{
    const cnn_graph_node *self = &graph->nodes[node];
    int32_t count = self->layer.input_count;
    if (count == 0 || (count == 1 && self->inputs[0] == node - 1))
        return CNN_OK;
    json_t *inputs = json_array();
    int failed = 0;
    for (int32_t i = 0; i < count && !failed; i++)
        failed = json_array_append_new(inputs, json_string(graph->nodes[self->inputs[i]].name));
    failed |= json_object_set_new(object, "inputs", inputs);
    return failed ? cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a graph can't be written") : CNN_OK;
}

static cnn_status fill_layer(json_t *object, const cnn_graph *graph, cnn_node node)
{
    const cnn_graph_node *self = &graph->nodes[node];
    if (json_object_set_new(object, "name", json_string(self->name)) ||
        json_object_set_new(object, "type", json_string(self->layer.type->name)))
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the layer's name is not UTF-8, or there is no memory for it",
                        self->name);
    cnn_status status = add_inputs(object, graph, node);
    size_t size = self->layer.type->attributes_size;
    if (status || !size)
        return status;
    char *memory = cnn_allocate_zeroed(graph->context, 3, size);
    status = memory ? add_attributes(object, &self->layer, memory, memory + size, memory + 2 * size)
                    : CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(graph->context, memory);
    return status;
}

static cnn_status write_layer(writer *to, const cnn_graph *graph, cnn_node node)
{
    json_t *object = json_object();
    cnn_status status = object ? fill_layer(object, graph, node)
                               : cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a graph can't be written");
    if (!status)
        status = append(to, node ? ",\n    " : "\n    ", node ? 6 : 5);
    if (!status)
        status = append_json(to, object);
    json_decref(object);
    return status;
}

/* One line a layer: jansson's own indenting would break every list up. */
static cnn_status write_graph(writer *to, const cnn_graph *graph)
{
    static const char begin[] = "{\n  \"layers\": [", middle[] = "\n  ],\n  \"output\": ", end[] = "\n}\n";
    cnn_status status = append(to, begin, sizeof begin - 1);
    for (cnn_node i = 0; i < graph->count && !status; i++)
        status = write_layer(to, graph, i);
    if (!status)
        status = append(to, middle, sizeof middle - 1);
    json_t *output = status ? NULL : json_string(graph->nodes[cnn_graph_output(graph)].name);
    if (!status)
        status = append_json(to, output);
    json_decref(output);
    return status ? status : append(to, end, sizeof end - 1);
}

cnn_status cnn_graph_to_json(const cnn_graph *graph, char **text)
{
    if (!text)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_to_json: the result has no place: NULL was given");
    *text = NULL;
    cnn_status status = cnn_graph_status(graph);
    if (!status && !graph->count)
        status = cnn_fail(CNN_ERROR_ARGUMENT, "graph: it has no layers");
    if (status)
        return status;
    writer to = { .context = graph->context };
    status = write_graph(&to, graph);
    if (status)
        cnn_release(graph->context, to.text);
    else
        *text = to.text;
    return status;
}
