/* Reads a graph in the schema of docs/net-json.md. The text may come from a stranger. */
#include <stdio.h>
#include <string.h>

#include <cnn/graph.h>

#include "core/error.h"
#include "core/memory.h"
#include "formats/attribute.h"
#include "formats/json.h"
#include "graph/graph_internal.h"

enum { MAX_TEXT = 16 << 20 };

/* A layer's JSON, and what it is called in sentences. */
typedef struct entry {
    const json_t *object;
    const char *name; /* NULL if it has none */
    const cnn_layer_type *type;
    char title[160];
} entry;

static const cnn_attribute *find_attribute(const cnn_layer_type *type, const char *name)
{
    for (int32_t i = 0; i < type->attribute_count; i++)
        if (!strcmp(type->attributes[i].name, name))
            return &type->attributes[i];
    return NULL;
}

static cnn_status read_head(entry *layer, size_t index, const json_t *object)
{
    const json_t *name = json_object_get(object, "name"), *type = json_object_get(object, "type");
    layer->object = object;
    layer->name = json_string_value(name);
    if (layer->name)
        snprintf(layer->title, sizeof layer->title, "layer %.*s", cnn_quoted(layer->name, 150), layer->name);
    else
        snprintf(layer->title, sizeof layer->title, "layer %zu", index + 1);
    if (!json_is_object(object))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is %s, not an object", layer->title, cnn_json_kind(object));
    if (name && !layer->name)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"name\" is %s, not a text", layer->title, cnn_json_kind(name));
    if (!json_is_string(type))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"type\" is %s, not a text", layer->title, cnn_json_kind(type));
    layer->type = cnn_layer_type_find(json_string_value(type));
    if (!layer->type)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: there is no type \"%.*s\"", layer->title,
                        cnn_quoted(json_string_value(type), 60), json_string_value(type));
    return CNN_OK;
}

static cnn_status read_attributes(const entry *layer, void *attributes)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)layer->object, key, value)
    {
        if (!strcmp(key, "name") || !strcmp(key, "type") || !strcmp(key, "inputs"))
            continue;
        const cnn_attribute *attribute = find_attribute(layer->type, key);
        if (!attribute)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: %s has no \"%.*s\"", layer->title, layer->type->name,
                            cnn_quoted(key, 60), key);
        cnn_status status = cnn_attribute_from_json(attribute, value, layer->title, attributes);
        if (status)
            return status;
    }
    return CNN_OK;
}

/* The layer's inputs by name; without any, the layer before. */
static cnn_status read_inputs(const entry *layer, const cnn_graph *graph, cnn_node inputs[CNN_MAX_INPUTS],
                              int32_t *count)
{
    const json_t *list = json_object_get(layer->object, "inputs");
    if (!list) {
        *count = layer->type->max_inputs && graph->count ? 1 : 0;
        inputs[0] = graph->count - 1;
        return CNN_OK;
    }
    if (!json_is_array(list))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: \"inputs\" is %s, not a list", layer->title, cnn_json_kind(list));
    size_t given = json_array_size(list);
    if (given > CNN_MAX_INPUTS)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: it has %zu inputs; at most %d are possible", layer->title, given,
                        CNN_MAX_INPUTS);
    for (size_t i = 0; i < given; i++) {
        const json_t *name = json_array_get(list, i);
        if (!json_is_string(name))
            return cnn_fail(CNN_ERROR_FORMAT, "%s: input %zu is %s, not a layer's name", layer->title, i + 1,
                            cnn_json_kind(name));
        inputs[i] = cnn_graph_find(graph, json_string_value(name));
        if (inputs[i] == CNN_NODE_ERROR)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: its input \"%.*s\" is no layer above it", layer->title,
                            cnn_quoted(json_string_value(name), 100), json_string_value(name));
    }
    *count = (int32_t)given;
    return CNN_OK;
}

static cnn_status add_layer(cnn_graph *graph, size_t index, const json_t *object)
{
    entry layer = { 0 };
    cnn_node inputs[CNN_MAX_INPUTS];
    int32_t count = 0;
    cnn_status status = read_head(&layer, index, object);
    if (!status)
        status = read_inputs(&layer, graph, inputs, &count);
    if (status)
        return status;
    void *attributes = cnn_allocate_zeroed(graph->context, 1, layer.type->attributes_size);
    if (!attributes)
        return CNN_ERROR_OUT_OF_MEMORY;
    status = read_attributes(&layer, attributes);
    if (!status) {
        cnn_graph_add(graph, layer.type, inputs, count, attributes, layer.name);
        status = cnn_graph_status(graph);
    }
    cnn_release(graph->context, attributes);
    return status;
}

static cnn_status read_output(cnn_graph *graph, const json_t *output)
{
    if (!output)
        return CNN_OK;
    if (!json_is_string(output))
        return cnn_fail(CNN_ERROR_FORMAT, "graph: \"output\" is %s, not a layer's name", cnn_json_kind(output));
    cnn_node node = cnn_graph_find(graph, json_string_value(output));
    if (node == CNN_NODE_ERROR)
        return cnn_fail(CNN_ERROR_FORMAT, "graph: the output \"%.*s\" is no layer",
                        cnn_quoted(json_string_value(output), 100), json_string_value(output));
    cnn_graph_set_output(graph, node);
    return cnn_graph_status(graph);
}

static cnn_status fill_graph(cnn_graph *graph, json_t *root)
{
    const char *key;
    json_t *value, *layers = json_object_get(root, "layers");
    if (!json_is_object(root))
        return cnn_fail(CNN_ERROR_FORMAT, "graph: is %s, not an object", cnn_json_kind(root));
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "layers") != 0 && strcmp(key, "output") != 0)
            return cnn_fail(CNN_ERROR_FORMAT, "graph: \"%.*s\" is not known; it has \"layers\" and \"output\"",
                            cnn_quoted(key, 60), key);
    }
    if (!json_array_size(layers))
        return cnn_fail(CNN_ERROR_FORMAT, "graph: \"layers\" is %s, not a list of layers",
                        json_is_array(layers) ? "empty" : cnn_json_kind(layers));
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < json_array_size(layers) && !status; i++)
        status = add_layer(graph, i, json_array_get(layers, i));
    return status ? status : read_output(graph, json_object_get(root, "output"));
}

cnn_status cnn_graph_from_json(cnn_context *context, const char *text, size_t length, cnn_graph **result)
{
    if (result)
        *result = NULL;
    if (!text || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_graph_from_json: NULL was given");
    if (length > MAX_TEXT)
        return cnn_fail(CNN_ERROR_LIMIT, "graph: is %zu bytes of JSON; the limit is %d", length, MAX_TEXT);
    json_t *root;
    cnn_graph *graph = NULL;
    cnn_status status = cnn_json_parse("graph", text, length, &root);
    if (!status)
        status = cnn_graph_create(context, &graph);
    if (!status)
        status = fill_graph(graph, root);
    json_decref(root);
    if (status)
        cnn_graph_destroy(graph);
    else
        *result = graph;
    return status;
}
