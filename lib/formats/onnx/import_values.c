/* Values of an ONNX file by name, and what the readers of its nodes ask for: inputs, axes. */
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "formats/onnx/import.h"

cnn_onnx_value *cnn_onnx_value_of(cnn_onnx_import *import, const char *name)
{
    uint32_t place = cnn_names_find(&import->names, name);
    if (place != CNN_NO_PLACE)
        return &import->values[place];
    if (!cnn_grow(import->context, (void **)&import->values, &import->value_capacity, import->value_count + 1,
                  sizeof *import->values) ||
        !cnn_names_add(import->context, &import->names, name, (uint32_t)import->value_count))
        return NULL;
    cnn_onnx_value *value = &import->values[import->value_count++];
    *value = (cnn_onnx_value){ .name = name };
    return value;
}

const cnn_onnx_value *cnn_onnx_input(const cnn_onnx_import *import, size_t index)
{
    const CnnOnnx__Node *node = import->node;
    if (index >= node->n_input || !*node->input[index])
        return NULL;
    uint32_t place = cnn_names_find(&import->names, node->input[index]);
    const cnn_onnx_value *value = place == CNN_NO_PLACE ? NULL : &import->values[place];
    return value && (value->constant || value->computed) ? value : NULL;
}

const cnn_onnx_tensor *cnn_onnx_constant(const cnn_onnx_import *import, size_t index)
{
    const cnn_onnx_value *value = cnn_onnx_input(import, index);
    return value ? value->constant : NULL;
}

static cnn_status fail_missing(const cnn_onnx_import *import, size_t index, const char *what)
{
    const cnn_onnx_value *value = cnn_onnx_input(import, index);
    if (!value)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its %s is missing, or comes from a later node", what);
    return cnn_onnx_fail(
        import, CNN_ERROR_UNSUPPORTED,
        value->computed ? "its %s is computed; only a constant is supported" : "its %s is of the wrong type", what);
}

cnn_status cnn_onnx_need_floats(const cnn_onnx_import *import, size_t index, const char *what,
                                const cnn_onnx_tensor **tensor)
{
    *tensor = cnn_onnx_constant(import, index);
    return *tensor && (*tensor)->floats ? CNN_OK : fail_missing(import, index, what);
}

cnn_status cnn_onnx_need_int64s(const cnn_onnx_import *import, size_t index, const char *what,
                                const cnn_onnx_tensor **tensor)
{
    *tensor = cnn_onnx_constant(import, index);
    return *tensor && (*tensor)->int64s ? CNN_OK : fail_missing(import, index, what);
}

cnn_status cnn_onnx_stored_activation(cnn_onnx_import *import, size_t index, cnn_onnx_activation *activation)
{
    const cnn_onnx_value *value = cnn_onnx_input(import, index);
    if (!value)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its input %zu is missing, or comes from a later node",
                             index + 1);
    if (!value->computed)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "its input %zu is a constant; only computed values are supported there", index + 1);
    *activation = value->activation;
    if (value->uses > 1 && activation->node < CNN_ONNX_MAX_LAYERS)
        import->shared[activation->node] = true;
    return CNN_OK;
}

static cnn_status undefined(cnn_onnx_import *import, const char *name, cnn_onnx_value **value)
{
    *value = cnn_onnx_value_of(import, name);
    if (!*value)
        return CNN_ERROR_OUT_OF_MEMORY;
    if ((*value)->constant || (*value)->computed) {
        char text[128];
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "two values are named \"%s\"", cnn_onnx_plain(name, text));
    }
    return CNN_OK;
}

cnn_status cnn_onnx_define(cnn_onnx_import *import, const cnn_onnx_activation *activation)
{
    cnn_onnx_value *value;
    if (!import->node->n_output)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it has no output");
    cnn_status status = undefined(import, import->node->output[0], &value);
    if (status)
        return status;
    value->computed = true;
    value->activation = *activation;
    return CNN_OK;
}

cnn_status cnn_onnx_define_constant(cnn_onnx_import *import, const char *name, const cnn_onnx_tensor *tensor)
{
    cnn_onnx_value *value;
    cnn_status status = undefined(import, name, &value);
    if (!status)
        value->constant = tensor;
    return status;
}

cnn_status cnn_onnx_axis_of(const cnn_onnx_import *import, int64_t given, int32_t rank, int32_t *axis)
{
    *axis = 0;
    if (given < -rank || given >= rank)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "there is no axis %lld; the input has %d", (long long)given,
                             (int)rank);
    *axis = (int32_t)(given < 0 ? given + rank : given);
    return CNN_OK;
}

cnn_status cnn_onnx_axes(const cnn_onnx_import *import, size_t input, int32_t rank, bool marked[CNN_ONNX_MAX_RANK],
                         bool *given)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "axes");
    const int64_t *list = attribute ? attribute->ints : NULL;
    size_t count = attribute ? attribute->n_ints : 0;
    memset(marked, 0, CNN_ONNX_MAX_RANK * sizeof *marked);
    if (!attribute && cnn_onnx_input(import, input)) {
        const cnn_onnx_tensor *tensor;
        cnn_status status = cnn_onnx_need_int64s(import, input, "list of axes", &tensor);
        if (status)
            return status;
        list = tensor->int64s;
        count = (size_t)tensor->count;
    }
    *given = count > 0;
    for (size_t i = 0; i < count; i++) {
        int32_t axis;
        cnn_status status = cnn_onnx_axis_of(import, list[i], rank, &axis);
        if (status)
            return status;
        marked[axis] = true;
    }
    return CNN_OK;
}

cnn_status cnn_onnx_resolve_shape(const cnn_onnx_import *import, const cnn_onnx_tensor *wanted, int32_t rank,
                                  const int64_t *dims, int32_t *new_rank, int64_t new_dims[CNN_ONNX_MAX_RANK])
{
    int64_t count = 1, known = 1;
    int32_t open = -1;
    if (wanted->count > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it makes %lld dimensions", (long long)wanted->count);
    for (int32_t i = 0; i < rank; i++)
        count *= dims[i]; /* a value's, so it fits */
    *new_rank = (int32_t)wanted->count;
    for (int32_t i = 0; i < *new_rank; i++) {
        new_dims[i] = wanted->int64s[i];
        if (new_dims[i] == 0 && i < rank && !cnn_onnx_int_attribute(import, "allowzero", 0))
            new_dims[i] = dims[i];
        if (new_dims[i] == -1 && open < 0)
            open = i;
        else if (new_dims[i] < 0 || __builtin_mul_overflow(known, new_dims[i], &known))
            return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "the shape that it makes is not possible");
    }
    if (open >= 0 && known > 0)
        new_dims[open] = count / known;
    if (open >= 0 ? known <= 0 || count % known : known != count)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "the shape that it makes has not as many values as its input");
    return CNN_OK;
}

bool cnn_onnx_same_order(const cnn_onnx_activation *a, const cnn_onnx_activation *b)
{
    return a->rank == b->rank && !memcmp(a->axes, b->axes, (size_t)a->rank * sizeof *a->axes) &&
           !memcmp(a->flat_dims, b->flat_dims, sizeof a->flat_dims) &&
           (!a->flat_dims[2] || !memcmp(a->flat_strides, b->flat_strides, sizeof a->flat_strides));
}

cnn_status cnn_onnx_fail_two(const cnn_onnx_import *import)
{
    return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "both its inputs are computed; only constants are supported");
}
