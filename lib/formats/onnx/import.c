/* Reads an ONNX file: the frame around the readers of its nodes. */
#include "formats/onnx/import.h"

#include <string.h>

#include <cnn/onnx.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/options.h"
#include "data/utf8.h"
#include "runtime/model_internal.h"

enum { MAX_NODES = 20000, FIRST_OPSET = 9, LAST_OPSET = 24 };

/* protobuf-c's memory. A message of two bytes takes a hundred times as much there. */
typedef struct unpacking {
    cnn_context *context;
    uint64_t available;
    bool exhausted, over_limit;
} unpacking;

static void *allocate(void *data, size_t size)
{
    enum { EACH = 64 }; /* of alignment, and the allocator's own */
    unpacking *state = data;
    state->over_limit = state->over_limit || size + EACH > state->available;
    if (state->over_limit)
        return NULL;
    state->available -= size + EACH;
    void *memory = cnn_allocate(state->context, size);
    state->exhausted = state->exhausted || !memory;
    return memory;
}

static void release(void *data, void *memory)
{
    unpacking *state = data;
    cnn_release(state->context, memory);
}

static cnn_status unpack(cnn_onnx_import *import)
{
    void *bytes;
    size_t size;
    cnn_status status = cnn_file_read(import->context, import->path, INT32_MAX, &bytes, &size);
    if (status)
        return status;
    enum { GROWTH = 4, ALWAYS = 64 << 20 };
    unpacking state = { .context = import->context, .available = GROWTH * (uint64_t)size + ALWAYS };
    ProtobufCAllocator allocator = { allocate, release, &state };
    import->file_bytes = size;
    import->file = cnn_onnx__model__unpack(&allocator, size, bytes);
    cnn_release(import->context, bytes);
    if (!import->file && state.exhausted)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!import->file && state.over_limit)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "its parts take much more memory than the file is large");
    if (!import->file || !import->file->graph)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "is no ONNX file, or a broken one");
    return CNN_OK;
}

static bool is_standard(const char *domain)
{
    return !domain || !*domain || !strcmp(domain, "ai.onnx");
}

static cnn_status check_file(cnn_onnx_import *import)
{
    const CnnOnnx__Model *file = import->file;
    for (size_t i = 0; i < file->n_opset_import; i++)
        if (is_standard(file->opset_import[i]->domain))
            import->opset = file->opset_import[i]->version;
    if (import->opset < FIRST_OPSET || import->opset > LAST_OPSET)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "is in ONNX's opset %lld; %d to %d are supported",
                             (long long)import->opset, FIRST_OPSET, LAST_OPSET);
    if (file->graph->n_sparse_initializer)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "has sparse weights, which are not supported");
    if (file->graph->n_node > MAX_NODES)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "has %zu nodes; at most %d are possible", file->graph->n_node,
                             MAX_NODES);
    return CNN_OK;
}

static cnn_status read_initializers(cnn_onnx_import *import)
{
    const CnnOnnx__Graph *graph = import->file->graph;
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < graph->n_initializer && !status; i++) {
        const CnnOnnx__Tensor *from = graph->initializer[i];
        const cnn_onnx_tensor *tensor;
        status = cnn_onnx_read_tensor(import, from, &tensor);
        if (!status)
            status = cnn_onnx_define_constant(import, from->name ? from->name : "", tensor);
    }
    return status;
}

static cnn_status count_uses(cnn_onnx_import *import)
{
    const CnnOnnx__Graph *graph = import->file->graph;
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_input; k++) {
            cnn_onnx_value *value = cnn_onnx_value_of(import, graph->node[i]->input[k]);
            if (!value)
                return CNN_ERROR_OUT_OF_MEMORY;
            value->uses++;
        }
    cnn_onnx_value *output = cnn_onnx_value_of(import, graph->output[0]->name ? graph->output[0]->name : "");
    if (!output)
        return CNN_ERROR_OUT_OF_MEMORY;
    output->uses++;
    return CNN_OK;
}

static const cnn_onnx_operator *find_operator(const cnn_onnx_operator *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static bool all_constant(const cnn_onnx_import *import)
{
    for (size_t i = 0; i < import->node->n_input; i++)
        if (*import->node->input[i] && !cnn_onnx_constant(import, i))
            return false;
    return true;
}

static const cnn_onnx_operator *find_reader(const cnn_onnx_import *import, const char *type)
{
    enum { CONSTANT_TABLES = 3, ACTIVATION_TABLES = 4 };
    static const cnn_onnx_operator *const for_constants[CONSTANT_TABLES] = { cnn_onnx_constant_operators,
                                                                             cnn_onnx_constant_moves,
                                                                             cnn_onnx_arithmetic_operators };
    static const cnn_onnx_operator *const for_activations[ACTIVATION_TABLES] = { cnn_onnx_layer_operators,
                                                                                 cnn_onnx_shape_operators,
                                                                                 cnn_onnx_elementwise_operators,
                                                                                 cnn_onnx_activation_operators };
    const cnn_onnx_operator *found = NULL;
    bool constant = all_constant(import);
    for (int i = 0; constant && i < CONSTANT_TABLES && !found; i++)
        found = find_operator(for_constants[i], type);
    for (int i = 0; i < ACTIVATION_TABLES && !found; i++)
        found = find_operator(for_activations[i], type);
    return found;
}

static cnn_status read_node(cnn_onnx_import *import)
{
    const CnnOnnx__Node *node = import->node;
    const char *type = node->op_type ? node->op_type : "";
    const cnn_onnx_operator *found = find_reader(import, type);
    if (!found || !is_standard(node->domain))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "this operator is not supported");
    cnn_status status = cnn_onnx_check_attributes(import);
    return status ? status : found->read(import);
}

static cnn_status read_nodes(cnn_onnx_import *import)
{
    const CnnOnnx__Graph *graph = import->file->graph;
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < graph->n_node && !status; i++) {
        import->node = graph->node[i];
        status = cnn_onnx_is_temperature(import) ? cnn_onnx_read_temperature(import) : read_node(import);
    }
    import->node = NULL;
    return status;
}

/* Channels first and channels last are the same image to this library; any other order is another image. */
static bool has_image_order(const cnn_onnx_activation *x)
{
    cnn_onnx_axis before = CNN_ONNX_BATCH;
    for (int32_t axis = 0; axis < x->rank; axis++) {
        if (x->axes[axis] == CNN_ONNX_WIDTH)
            return before == CNN_ONNX_HEIGHT;
        before = x->axes[axis] == CNN_ONNX_ONE ? before : x->axes[axis];
    }
    return false;
}

static cnn_status set_output(cnn_onnx_import *import)
{
    const char *name = import->file->graph->output[0]->name;
    cnn_onnx_value *value = cnn_onnx_value_of(import, name ? name : "");
    if (!value)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!value->computed)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its output is computed by no node");
    cnn_onnx_activation x = value->activation;
    if (x.padded || x.flat_dims[2])
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "its output is an image, padded or flattened; a classifier is supported");
    cnn_status status = cnn_onnx_apply_gate(import, &x);
    if (!status)
        status = cnn_onnx_apply_affine(import, &x);
    if (!status && !cnn_onnx_is_own(import)) /* else an image of one pixel is meant */
        status = cnn_onnx_drop_space(import, &x);
    if (!status && x.node == 0) /* a model has a layer at least */
        status = cnn_onnx_add_layer(import, &cnn_layer_rescale, &x.node, 1, &(cnn_rescale_attributes){ 1, 0 }, &x.node);
    if (!status && cnn_onnx_layer(import, x.node)->output.rank == 3 && !has_image_order(&x))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                               "its output is an image whose axes a Transpose has put in another order than channels "
                               "first or last");
    if (status)
        return status;
    cnn_graph_set_output(import->graph, x.node);
    return cnn_graph_status(import->graph);
}

/* The file's metadata become the model's. Keys and texts that aren't UTF-8 are read as Latin-1. */
static cnn_status read_metadata(const cnn_onnx_import *import, cnn_model *model)
{
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < import->file->n_metadata_props && !status; i++) {
        const CnnOnnx__Entry *entry = import->file->metadata_props[i];
        if (!entry->key || !*entry->key || !entry->value)
            continue;
        size_t key = strlen(entry->key), text = strlen(entry->value);
        char *memory = cnn_allocate(import->context, 2 * (key + text) + 2);
        if (!memory)
            return CNN_ERROR_OUT_OF_MEMORY;
        cnn_to_utf8(entry->key, key, memory);
        cnn_to_utf8(entry->value, text, memory + 2 * key + 1);
        status = cnn_model_set_metadata(model, memory, memory + 2 * key + 1);
        cnn_release(import->context, memory);
    }
    return status ? status : cnn_onnx_set_temperature(import, model);
}

static cnn_status read_model(cnn_onnx_import *import, const cnn_onnx_options *options, cnn_model **model)
{
    cnn_status status = unpack(import);
    if (!status)
        status = check_file(import);
    if (!status)
        status = cnn_graph_create(import->context, &import->graph);
    if (!status)
        status = read_initializers(import);
    if (!status)
        status = cnn_onnx_add_input(import, options);
    if (!status)
        status = count_uses(import);
    if (!status)
        status = read_nodes(import);
    if (!status)
        status = set_output(import);
    if (!status)
        status = cnn_onnx_check_weight_copies(import);
    if (!status)
        status = cnn_model_create_blank(import->context, import->graph, model);
    if (!status)
        status = cnn_onnx_copy_weights(import, *model);
    return status ? status : read_metadata(import, *model);
}

static void clean_up(cnn_onnx_import *import)
{
    unpacking state = { .context = import->context };
    ProtobufCAllocator allocator = { allocate, release, &state };
    if (import->file)
        cnn_onnx__model__free_unpacked(import->file, &allocator);
    for (size_t i = 0; i < import->block_count; i++)
        cnn_release(import->context, import->blocks[i]);
    cnn_release(import->context, import->blocks);
    cnn_release(import->context, import->values);
    cnn_names_free(import->context, &import->names);
    cnn_names_free(import->context, &import->external_names);
    cnn_release(import->context, import->external_read);
    cnn_release(import->context, import->copies);
    cnn_graph_destroy(import->graph);
}

cnn_status cnn_model_load_onnx(cnn_context *context, const char *path, const cnn_onnx_options *given,
                               cnn_model **result)
{
    if (result)
        *result = NULL;
    if (!path || !result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_load_onnx: NULL was given");
    cnn_onnx_options options;
    cnn_onnx_options_init(&options);
    cnn_status status = cnn_options_read(&options, sizeof options, given, "cnn_onnx_options");
    context = status ? context : cnn_context_or_default(context);
    if (status || !context)
        return status ? status : CNN_ERROR_OUT_OF_MEMORY;
    cnn_onnx_import import = { .context = context, .path = path };
    cnn_model *model = NULL;
    status = read_model(&import, &options, &model);
    clean_up(&import);
    if (status)
        cnn_model_destroy(model);
    else
        *result = model;
    return status;
}
