/* Writes an ONNX file. */
#include "formats/onnx/export.h"

#include <limits.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/version.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "formats/onnx/import.h"
#include "runtime/model_internal.h"

enum { IR_VERSION = 8, OPSET = 17 };

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
        file->divides = cnn_onnx_export_divides(file, file->values[output], "output");
    if (!file->status && !file->divides)
        cnn_onnx_export_node(file, "Identity", (const char *const[]){ file->values[output], NULL }, "output");
    const cnn_shape input = cnn_model_input_shape(file->model), last = cnn_model_output_shape(file->model);
    describe(file, "input", &input, &file->graph.input, &file->graph.n_input);
    describe(file, "output", &last, &file->graph.output, &file->graph.n_output);
}

static void add_metadata(cnn_onnx_export *file, CnnOnnx__Model *proto)
{
    size_t count = file->model->metadata_count;
    CnnOnnx__Entry *entries = cnn_onnx_export_memory(file, count, sizeof *entries);
    proto->metadata_props = cnn_onnx_export_memory(file, count, sizeof(void *));
    for (size_t i = 0; !file->status && i < count; i++) {
        if (file->divides && !strcmp(file->model->metadata[i].key, CNN_ONNX_TEMPERATURE))
            continue;
        cnn_onnx__entry__init(&entries[i]);
        entries[i].key = file->model->metadata[i].key;
        entries[i].value = file->model->metadata[i].text;
        proto->metadata_props[proto->n_metadata_props++] = &entries[i];
    }
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
    cnn_status status = cnn_file_save(path, bytes, size);
    cnn_release(file->context, bytes);
    return status;
}

static cnn_status write_model(cnn_onnx_export *file, const char *path)
{
    CnnOnnx__Model proto = CNN_ONNX__MODEL__INIT;
    CnnOnnx__OperatorSet opset = CNN_ONNX__OPERATOR_SET__INIT, *opsets[] = { &opset };
    proto.ir_version = IR_VERSION;
    proto.has_ir_version = 1;
    proto.producer_name = (char *)CNN_ONNX_PRODUCER;
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
    add_metadata(file, &proto);
    return file->status ? file->status : write_file(file, &proto, path);
}

cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path)
{
    if (!model || !path)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save_onnx: NULL was given");
    if (model->quantized) /* its weights aren't the floats that the writers take them for */
        return cnn_fail(CNN_ERROR_UNSUPPORTED,
                        "%s: is not written: a quantised model can't be written to ONNX; export the model that it was "
                        "made from",
                        path);
    const char *weight = cnn_model_find_not_finite(model);
    if (weight)
        return cnn_fail(CNN_ERROR_NOT_FINITE, "%s: is not written: %s holds a value that is not finite", path, weight);
    cnn_onnx_export file = { .context = model->context, .model = model };
    cnn_status status = write_model(&file, path);
    for (size_t i = 0; i < file.block_count; i++)
        cnn_release(file.context, file.blocks[i]);
    cnn_release(file.context, file.blocks);
    cnn_release(file.context, file.graph.node);
    cnn_release(file.context, file.graph.initializer);
    return status;
}
