/* Constants as the values of nodes, and the operators that make them. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "formats/onnx/constants.h"

void cnn_onnx_step(cnn_onnx_walk *w)
{
    for (int32_t axis = w->rank; axis-- > 0;) {
        w->at += w->strides[axis];
        if (++w->index[axis] < w->dims[axis])
            return;
        w->at -= w->strides[axis] * w->dims[axis];
        w->index[axis] = 0;
    }
}

void cnn_onnx_natural_strides(const cnn_onnx_tensor *tensor, int64_t strides[CNN_ONNX_MAX_RANK])
{
    int64_t stride = 1;
    for (int32_t axis = tensor->rank; axis-- > 0; stride *= tensor->dims[axis])
        strides[axis] = stride;
}

cnn_status cnn_onnx_new_like(cnn_onnx_import *import, const cnn_onnx_tensor *like, int32_t rank, const int64_t *dims,
                             cnn_onnx_elements *elements, cnn_onnx_tensor **result)
{
    *elements = (cnn_onnx_elements){ 0 };
    return cnn_onnx_new_tensor(import, rank, dims, like->floats ? &elements->floats : NULL,
                               like->floats ? NULL : &elements->int64s, result);
}

cnn_status cnn_onnx_define_output(cnn_onnx_import *import, const cnn_onnx_tensor *tensor)
{
    if (!import->node->n_output)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it has no output");
    return cnn_onnx_define_constant(import, import->node->output[0], tensor);
}

void cnn_onnx_copy_element(const cnn_onnx_tensor *from, int64_t at, const cnn_onnx_elements *elements, int64_t to)
{
    if (elements->floats && from->floats)
        elements->floats[to] = from->floats[at];
    else if (elements->int64s && from->int64s)
        elements->int64s[to] = from->int64s[at];
}

/* The elements that `w` meets become a constant of its dimensions. */
cnn_status cnn_onnx_define_walk(cnn_onnx_import *import, const cnn_onnx_tensor *from, cnn_onnx_walk *w)
{
    cnn_onnx_elements elements;
    cnn_onnx_tensor *to;
    cnn_status status = cnn_onnx_new_like(import, from, w->rank, w->dims, &elements, &to);
    if (status)
        return status;
    for (int64_t i = 0; i < to->count; i++, cnn_onnx_step(w))
        cnn_onnx_copy_element(from, w->at, &elements, i);
    return cnn_onnx_define_output(import, to);
}

/* Any constant: the callers' operators don't mind which kind. */
cnn_status cnn_onnx_any_constant(const cnn_onnx_import *import, size_t index, const cnn_onnx_tensor **tensor)
{
    *tensor = cnn_onnx_constant(import, index);
    return *tensor ? CNN_OK : cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its input %zu is missing", index + 1);
}

static cnn_status read_identity(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    return status ? status : cnn_onnx_define_output(import, from);
}

static cnn_status define_numbers(cnn_onnx_import *import, const CnnOnnx__Attribute *attribute)
{
    const char *name = attribute->name;
    bool list = name[strlen(name) - 1] == 's', is_float = !strncmp(name, "value_float", 11);
    int64_t count = list ? (int64_t)(is_float ? attribute->n_floats : attribute->n_ints) : 1;
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    cnn_status status =
        cnn_onnx_new_tensor(import, list, &count, is_float ? &floats : NULL, is_float ? NULL : &int64s, &to);
    if (status)
        return status;
    if (is_float && count)
        memcpy(floats, list ? attribute->floats : &attribute->f, (size_t)count * sizeof *floats);
    else if (count)
        memcpy(int64s, list ? attribute->ints : &attribute->i, (size_t)count * sizeof *int64s);
    return cnn_onnx_define_output(import, to);
}

static cnn_status read_constant(cnn_onnx_import *import)
{
    static const char *const names[] = { "value_float", "value_floats", "value_int", "value_ints" };
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "value");
    const cnn_onnx_tensor *tensor;
    if (attribute && attribute->t) {
        cnn_status status = cnn_onnx_read_tensor(import, attribute->t, &tensor);
        return status ? status : cnn_onnx_define_output(import, tensor);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((attribute = cnn_onnx_attribute(import, names[i])))
            return define_numbers(import, attribute);
    return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it is a constant of a kind that is not supported");
}

static int64_t to_int64(float value)
{
    return fabsf(value) < 9e18f ? (int64_t)value : 0;
}

cnn_status cnn_onnx_define_cast(cnn_onnx_import *import, const cnn_onnx_tensor *from, bool to_float)
{
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    if (to_float == (from->floats != NULL))
        return cnn_onnx_define_output(import, from);
    cnn_status status =
        cnn_onnx_new_tensor(import, from->rank, from->dims, to_float ? &floats : NULL, to_float ? NULL : &int64s, &to);
    for (int64_t i = 0; !status && i < to->count; i++) {
        if (to_float)
            floats[i] = (float)from->int64s[i];
        else
            int64s[i] = to_int64(from->floats[i]);
    }
    return status ? status : cnn_onnx_define_output(import, to);
}

static cnn_status read_cast(cnn_onnx_import *import)
{
    int64_t type = cnn_onnx_int_attribute(import, "to", CNN_ONNX_FLOAT);
    bool to_float =
        type == CNN_ONNX_FLOAT || type == CNN_ONNX_DOUBLE || type == CNN_ONNX_FLOAT16 || type == CNN_ONNX_BFLOAT16;
    const cnn_onnx_tensor *from;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    return status ? status : cnn_onnx_define_cast(import, from, to_float);
}

static cnn_status read_constant_of_shape(cnn_onnx_import *import)
{
    static const float zero;
    static const cnn_onnx_tensor zero_tensor = { .count = 1, .floats = &zero };
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "value");
    const cnn_onnx_tensor *shape, *value = &zero_tensor;
    cnn_status status = cnn_onnx_need_int64s(import, 0, "shape", &shape);
    if (!status && attribute && attribute->t)
        status = cnn_onnx_read_tensor(import, attribute->t, &value);
    if (status)
        return status;
    cnn_onnx_walk w = { .rank = (int32_t)cnn_onnx_clamp(shape->count, 0, CNN_ONNX_MAX_RANK) };
    int64_t count = 1;
    for (int32_t i = 0; i < w.rank; i++) {
        w.dims[i] = shape->int64s[i];
        if (w.dims[i] < 0 || w.dims[i] > CNN_ONNX_MAX_ITEMS || (count *= w.dims[i]) > CNN_ONNX_MAX_ITEMS)
            return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "the constant that it makes is too large");
    }
    if (value->count < 1 || shape->count > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "the constant that it makes is not possible");
    return cnn_onnx_define_walk(import, value, &w);
}

cnn_status cnn_onnx_define_shape(cnn_onnx_import *import, int32_t rank, const int64_t *dims)
{
    int64_t start = cnn_onnx_int_attribute(import, "start", 0), end = cnn_onnx_int_attribute(import, "end", rank),
            *int64s;
    start = cnn_onnx_clamp(start < 0 ? cnn_onnx_clamp(start, -rank, 0) + rank : start, 0, rank);
    end = cnn_onnx_clamp(end < 0 ? cnn_onnx_clamp(end, -rank, 0) + rank : end, start, rank);
    cnn_onnx_tensor *to;
    cnn_status status = cnn_onnx_new_tensor(import, 1, &(int64_t){ end - start }, NULL, &int64s, &to);
    if (status)
        return status;
    memcpy(int64s, dims + start, (size_t)(end - start) * sizeof *int64s);
    return cnn_onnx_define_output(import, to);
}

static cnn_status read_shape(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    return status ? status : cnn_onnx_define_shape(import, from->rank, from->dims);
}

const cnn_onnx_operator cnn_onnx_constant_operators[] = {
    { "Cast", read_cast },
    { "Constant", read_constant },
    { "ConstantOfShape", read_constant_of_shape },
    { "Identity", read_identity },
    { "QuantizeLinear", read_identity },
    { "Shape", read_shape },
    { NULL, NULL },
};
