/* The parts that an ONNX file is put together from: memory, names, nodes with their attributes, arrays. */
#include <stdio.h>
#include <string.h>

#include "core/byte_order.h"
#include "core/memory.h"
#include "formats/onnx/export.h"
#include "formats/onnx/import.h"

/* The numbers of AttributeProto.type. */
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

void *cnn_onnx_export_memory(cnn_onnx_export *file, size_t count, size_t size)
{
    if (file->status)
        return NULL;
    void *memory = NULL;
    if (cnn_grow(file->context, (void **)&file->blocks, &file->block_capacity, file->block_count + 1,
                 sizeof *file->blocks))
        memory = cnn_allocate_zeroed(file->context, count, size);
    if (memory)
        file->blocks[file->block_count++] = memory;
    else
        file->status = CNN_ERROR_OUT_OF_MEMORY;
    return memory;
}

char *cnn_onnx_export_name(cnn_onnx_export *file, const char *layer, const char *role)
{
    size_t size = strlen(layer) + strlen(role) + 2;
    char *name = cnn_onnx_export_memory(file, size, 1);
    if (name)
        snprintf(name, size, "%s.%s", layer, role);
    return name;
}

static bool grow(cnn_onnx_export *file, void *array, size_t *capacity, size_t count)
{
    if (!file->status && !cnn_grow(file->context, array, capacity, count, sizeof(void *)))
        file->status = CNN_ERROR_OUT_OF_MEMORY;
    return !file->status;
}

CnnOnnx__Node *cnn_onnx_export_node(cnn_onnx_export *file, const char *type, const char *const *inputs,
                                    const char *output)
{
    enum { ATTRIBUTES = 8 };
    size_t count = 0;
    while (inputs[count])
        count++;
    CnnOnnx__Node *node = cnn_onnx_export_memory(file, 1, sizeof *node);
    char **names = cnn_onnx_export_memory(file, count + 1, sizeof *names);
    CnnOnnx__Attribute **attributes = cnn_onnx_export_memory(file, ATTRIBUTES, sizeof(void *));
    if (file->status || !grow(file, &file->graph.node, &file->node_capacity, file->graph.n_node + 1))
        return NULL;
    memcpy(names, inputs, count * sizeof *names);
    names[count] = (char *)output;
    cnn_onnx__node__init(node);
    node->op_type = (char *)type;
    node->name = (char *)output;
    node->input = names;
    node->n_input = count;
    node->output = names + count;
    node->n_output = 1;
    node->attribute = attributes;
    file->graph.node[file->graph.n_node++] = node;
    return node;
}

static CnnOnnx__Attribute *add_attribute(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, int32_t type)
{
    CnnOnnx__Attribute *attribute = cnn_onnx_export_memory(file, 1, sizeof *attribute);
    if (!attribute)
        return NULL;
    cnn_onnx__attribute__init(attribute);
    attribute->name = (char *)name;
    attribute->type = type;
    attribute->has_type = 1;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

void cnn_onnx_export_ints(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, const int64_t *values,
                          size_t count)
{
    CnnOnnx__Attribute *attribute = add_attribute(file, node, name, ATTRIBUTE_INTS);
    int64_t *copy = cnn_onnx_export_memory(file, count, sizeof *copy);
    if (!copy)
        return;
    memcpy(copy, values, count * sizeof *copy);
    attribute->ints = copy;
    attribute->n_ints = count;
}

void cnn_onnx_export_int(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, int64_t value)
{
    CnnOnnx__Attribute *attribute = add_attribute(file, node, name, ATTRIBUTE_INT);
    if (!attribute)
        return;
    attribute->i = value;
    attribute->has_i = 1;
}

void cnn_onnx_export_float(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, float value)
{
    CnnOnnx__Attribute *attribute = add_attribute(file, node, name, ATTRIBUTE_FLOAT);
    if (!attribute)
        return;
    attribute->f = value;
    attribute->has_f = 1;
}

/* The data themselves, or a copy where the processor has another order of bytes than the file. */
static uint8_t *little_endian(cnn_onnx_export *file, const float *data, size_t bytes)
{
    if (!CNN_BIG_ENDIAN)
        return (uint8_t *)data;
    uint8_t *copy = cnn_onnx_export_memory(file, bytes, 1);
    if (!copy)
        return NULL;
    memcpy(copy, data, bytes);
    cnn_swap_little(copy, bytes, sizeof *data);
    return copy;
}

void cnn_onnx_export_floats(cnn_onnx_export *file, const char *name, int32_t rank, const int64_t *dims,
                            const float *data)
{
    CnnOnnx__Tensor *tensor = cnn_onnx_export_memory(file, 1, sizeof *tensor);
    int64_t *copy = cnn_onnx_export_memory(file, (size_t)rank, sizeof *copy);
    size_t bytes = sizeof *data;
    if (file->status || !grow(file, &file->graph.initializer, &file->tensor_capacity, file->graph.n_initializer + 1))
        return;
    for (int32_t i = 0; i < rank; i++) {
        copy[i] = dims[i];
        bytes *= (size_t)dims[i]; /* of a parameter, so it fits */
    }
    cnn_onnx__tensor__init(tensor);
    tensor->name = (char *)name;
    tensor->data_type = CNN_ONNX_FLOAT;
    tensor->has_data_type = 1;
    tensor->dims = copy;
    tensor->n_dims = (size_t)rank;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){ bytes, little_endian(file, data, bytes) };
    file->graph.initializer[file->graph.n_initializer++] = tensor;
}
