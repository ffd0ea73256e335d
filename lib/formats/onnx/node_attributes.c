/* Attributes of an ONNX file's nodes. */
#include <string.h>

#include "formats/onnx/import.h"

/* AttributeProto.type. */
enum { ANY, FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, KINDS };

/* Of those that are read here. `node`: of this operator alone. */
static const struct {
    const char *name;
    int32_t kind;
    const char *node;
} known[] = {
    { "allowzero", INT },
    { "alpha", FLOAT },
    { "approximate", STRING },
    { "auto_pad", STRING },
    { "axes", INTS },
    { "axis", INT },
    { "beta", FLOAT },
    { "ceil_mode", INT },
    { "count_include_pad", INT },
    { "dilations", INTS },
    { "end", INT },
    { "epsilon", FLOAT },
    { "gamma", FLOAT },
    { "group", INT },
    { "keepdims", INT },
    { "kernel_shape", INTS },
    { "max", FLOAT },
    { "min", FLOAT },
    { "mode", STRING },
    { "momentum", FLOAT },
    { "pads", INTS },
    { "perm", INTS },
    { "ratio", FLOAT },
    { "spatial", INT },
    { "start", INT },
    { "strides", INTS },
    { "to", INT },
    { "training_mode", INT },
    { "transA", INT },
    { "transB", INT },
    { "value", TENSOR, "Constant" },
    { "value", TENSOR, "ConstantOfShape" },
    { "value", FLOAT, "Pad" },
    { "value_float", FLOAT },
    { "value_floats", FLOATS },
    { "value_int", INT },
    { "value_ints", INTS },
};

static bool holds(const CnnOnnx__Attribute *attribute, int32_t kind)
{
    switch (kind) {
    case FLOAT: return attribute->has_f;
    case INT: return attribute->has_i;
    case STRING: return attribute->has_s;
    case TENSOR: return attribute->t;
    case FLOATS: return attribute->n_floats;
    case INTS: return attribute->n_ints;
    default: return false;
    }
}

/* What it says it is and what it holds. Programs leave zeros and empty lists out, and old ones the type. */
static bool is_of_kind(const CnnOnnx__Attribute *attribute, int32_t kind)
{
    bool holds_other = false;
    for (int32_t other = ANY + 1; other < KINDS; other++)
        holds_other = holds_other || holds(attribute, other);
    return (attribute->type == ANY || attribute->type == kind) && (holds(attribute, kind) || !holds_other);
}

cnn_status cnn_onnx_check_attributes(const cnn_onnx_import *import)
{
    static const char *const kinds[KINDS] = { "anything", "a number", "a whole number",    "text",
                                              "a tensor", "a graph",  "a list of numbers", "a list of whole numbers" };
    const CnnOnnx__Node *node = import->node;
    for (size_t i = 0; i < node->n_attribute; i++) {
        const CnnOnnx__Attribute *attribute = node->attribute[i];
        for (size_t k = 0; attribute->name && k < sizeof known / sizeof *known; k++)
            if (!strcmp(attribute->name, known[k].name) && !is_of_kind(attribute, known[k].kind) &&
                (!known[k].node || !strcmp(node->op_type, known[k].node)))
                return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its attribute %s is not %s", known[k].name,
                                     kinds[known[k].kind]);
    }
    return CNN_OK;
}

const CnnOnnx__Attribute *cnn_onnx_attribute(const cnn_onnx_import *import, const char *name)
{
    for (size_t i = 0; i < import->node->n_attribute; i++) {
        const CnnOnnx__Attribute *attribute = import->node->attribute[i];
        if (attribute->name && !strcmp(attribute->name, name))
            return attribute;
    }
    return NULL;
}

int64_t cnn_onnx_int_attribute(const cnn_onnx_import *import, const char *name, int64_t otherwise)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, name);
    return attribute ? attribute->i : otherwise;
}

float cnn_onnx_float_attribute(const cnn_onnx_import *import, const char *name, float otherwise)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, name);
    return attribute ? attribute->f : otherwise;
}

bool cnn_onnx_text_is(const cnn_onnx_import *import, const char *name, const char *text)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, name);
    size_t length = strlen(text);
    return attribute && attribute->has_s && attribute->s.len == length && !memcmp(attribute->s.data, text, length);
}

cnn_status cnn_onnx_int_attributes(const cnn_onnx_import *import, const char *name, int32_t count, int32_t *numbers)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, name);
    if (!attribute)
        return CNN_OK;
    if (attribute->n_ints != (size_t)count)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "%s has %zu numbers; only images, with %d, are supported",
                             name, attribute->n_ints, (int)count);
    for (int32_t i = 0; i < count; i++) {
        if (attribute->ints[i] < 0 || attribute->ints[i] > INT32_MAX)
            return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "%s holds %lld, which is not supported", name,
                                 (long long)attribute->ints[i]);
        numbers[i] = (int32_t)attribute->ints[i];
    }
    return CNN_OK;
}
