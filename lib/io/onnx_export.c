/* Writes an ONNX file. */
#include "io/onnx_export.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/version.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "io/onnx_import.h"

enum { IR_VERSION = 8, OPSET = 17 };

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

void cnn_onnx_export_wholes(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, const int64_t *values,
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

void cnn_onnx_export_whole(cnn_onnx_export *file, CnnOnnx__Node *node, const char *name, int64_t value)
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
    tensor->raw_data = (ProtobufCBinaryData){ bytes, (uint8_t *)data };
    file->graph.initializer[file->graph.n_initializer++] = tensor;
}

static void set_dimension(CnnOnnx__Dimension *dimension, int64_t size)
{
    cnn_onnx__dimension__init(dimension);
    if (size) {
        dimension->dim_value = size;
        dimension->has_dim_value = 1;
    } else {
        dimension->dim_param = (char *)"batch";
    }
}

/* What a file says of its input or output. */
typedef struct described {
    CnnOnnx__ValueInfo info;
    CnnOnnx__Type type;
    CnnOnnx__TensorType tensor;
    CnnOnnx__Shape shape;
    CnnOnnx__Dimension dims[4], *dim_list[4];
    CnnOnnx__ValueInfo *list[1];
} described;

/* Batch × channels × height × width, or batch × features. */
static void describe(cnn_onnx_export *file, const char *name, const cnn_shape *shape, CnnOnnx__ValueInfo ***list,
                     size_t *count)
{
    described *value = cnn_onnx_export_memory(file, 1, sizeof *value);
    if (!value)
        return;
    const int64_t dims[4] = { 0, shape->dims[shape->rank - 1], shape->dims[0], shape->dims[1] };
    cnn_onnx__value_info__init(&value->info);
    cnn_onnx__type__init(&value->type);
    cnn_onnx__tensor_type__init(&value->tensor);
    cnn_onnx__shape__init(&value->shape);
    for (int i = 0; i < 4; i++) {
        set_dimension(&value->dims[i], dims[i]);
        value->dim_list[i] = &value->dims[i];
    }
    value->info.name = (char *)name;
    value->info.type = &value->type;
    value->type.tensor_type = &value->tensor;
    value->tensor.elem_type = CNN_ONNX_FLOAT;
    value->tensor.has_elem_type = 1;
    value->tensor.shape = &value->shape;
    value->shape.dim = value->dim_list;
    value->shape.n_dim = shape->rank == 3 ? 4 : 2;
    value->list[0] = &value->info;
    *list = value->list;
    *count = 1;
}

/* Which nodes lead to the output. */
static bool *find_live(cnn_onnx_export *file, cnn_node output)
{
    const cnn_graph *graph = file->model->graph;
    bool *live = cnn_onnx_export_memory(file, (size_t)graph->count, sizeof *live);
    if (!live)
        return NULL;
    live[output] = true;
    for (cnn_node i = output; i >= 0; i--)
        for (int32_t k = 0; live[i] && k < graph->nodes[i].layer.input_count; k++)
            live[graph->nodes[i].inputs[k]] = true;
    return live;
}

static void add_layers(cnn_onnx_export *file)
{
    const cnn_graph *graph = file->model->graph;
    cnn_node output = cnn_graph_output(graph);
    const bool *live = find_live(file, output);
    file->values = cnn_onnx_export_memory(file, (size_t)graph->count, sizeof *file->values);
    for (cnn_node i = 0; i <= output && !file->status; i++)
        if (live[i])
            cnn_onnx_export_layer(file, i);
    if (!file->status)
        cnn_onnx_export_node(file, "Identity", (const char *const[]){ file->values[output], NULL }, "output");
    const cnn_shape input = cnn_model_input_shape(file->model), last = cnn_model_output_shape(file->model);
    describe(file, "input", &input, &file->graph.input, &file->graph.n_input);
    describe(file, "output", &last, &file->graph.output, &file->graph.n_output);
}

static void add_notes(cnn_onnx_export *file, CnnOnnx__Model *proto)
{
    size_t count = file->model->note_count;
    CnnOnnx__Entry *entries = cnn_onnx_export_memory(file, count, sizeof *entries);
    CnnOnnx__Entry **list = cnn_onnx_export_memory(file, count, sizeof(void *));
    for (size_t i = 0; list && i < count; i++) {
        cnn_onnx__entry__init(&entries[i]);
        entries[i].key = file->model->notes[i].key;
        entries[i].value = file->model->notes[i].text;
        list[i] = &entries[i];
    }
    proto->metadata_props = list;
    proto->n_metadata_props = list ? count : 0;
}

static cnn_status write_file(cnn_onnx_export *file, const CnnOnnx__Model *proto, const char *path)
{
    size_t size = cnn_onnx__model__get_packed_size(proto);
    if (size > INT_MAX)
        return cnn_fail(CNN_ERROR_LIMIT,
                        "%s: is not written: an ONNX file has at most 2 GiB, this would have %zu bytes", path, size);
    uint8_t *bytes = cnn_allocate(file->context, size);
    if (!bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_onnx__model__pack(proto, bytes);
    cnn_status status = cnn_file_write(path, &(cnn_chunk){ bytes, size }, 1);
    cnn_release(file->context, bytes);
    return status;
}

static cnn_status write_model(cnn_onnx_export *file, const char *path)
{
    CnnOnnx__Model proto = CNN_ONNX__MODEL__INIT;
    CnnOnnx__OperatorSet opset = CNN_ONNX__OPERATOR_SET__INIT, *opsets[] = { &opset };
    proto.ir_version = IR_VERSION;
    proto.has_ir_version = 1;
    proto.producer_name = (char *)"libcnn";
    proto.producer_version = (char *)cnn_version();
    proto.graph = &file->graph;
    opset.domain = (char *)"";
    opset.version = OPSET;
    opset.has_version = 1;
    proto.opset_import = opsets;
    proto.n_opset_import = 1;
    cnn_onnx__graph__init(&file->graph);
    file->graph.name = (char *)"model";
    add_layers(file);
    add_notes(file, &proto);
    return file->status ? file->status : write_file(file, &proto, path);
}

cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path)
{
    if (!model || !path)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save_onnx: NULL was given");
    cnn_onnx_export file = { .context = model->context, .model = model };
    cnn_status status = write_model(&file, path);
    for (size_t i = 0; i < file.block_count; i++)
        cnn_release(file.context, file.blocks[i]);
    cnn_release(file.context, file.blocks);
    cnn_release(file.context, file.graph.node);
    cnn_release(file.context, file.graph.initializer);
    return status;
}
