/* Operators that make and move constants. */
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
                             float **floats, int64_t **int64s, cnn_onnx_tensor **result)
{
    return cnn_onnx_new_tensor(import, rank, dims, like->floats ? floats : NULL, like->floats ? NULL : int64s, result);
}

cnn_status cnn_onnx_give(cnn_onnx_import *import, const cnn_onnx_tensor *tensor)
{
    if (!import->node->n_output)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it has no output");
    return cnn_onnx_define_constant(import, import->node->output[0], tensor);
}

static void copy_element(const cnn_onnx_tensor *from, int64_t at, float *floats, int64_t *int64s, int64_t to)
{
    if (floats && from->floats)
        floats[to] = from->floats[at];
    else if (int64s && from->int64s)
        int64s[to] = from->int64s[at];
}

/* The elements that `w` meets become a constant of its dimensions. */
cnn_status cnn_onnx_give_walk(cnn_onnx_import *import, const cnn_onnx_tensor *from, cnn_onnx_walk *w)
{
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    cnn_status status = cnn_onnx_new_like(import, from, w->rank, w->dims, &floats, &int64s, &to);
    if (status)
        return status;
    for (int64_t i = 0; i < to->count; i++, cnn_onnx_step(w))
        copy_element(from, w->at, floats, int64s, i);
    return cnn_onnx_give(import, to);
}

/* The same elements under other dimensions. */
static cnn_status give_reshaped(cnn_onnx_import *import, const cnn_onnx_tensor *from, int32_t rank, const int64_t *dims)
{
    void *memory;
    cnn_status status = cnn_onnx_memory(import, 1, sizeof(cnn_onnx_tensor), &memory);
    if (status)
        return status;
    cnn_onnx_tensor *to = memory;
    *to = *from;
    to->rank = rank;
    memcpy(to->dims, dims, (size_t)rank * sizeof *dims);
    return cnn_onnx_give(import, to);
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
    return status ? status : cnn_onnx_give(import, from);
}

static cnn_status give_numbers(cnn_onnx_import *import, const CnnOnnx__Attribute *attribute)
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
    return cnn_onnx_give(import, to);
}

static cnn_status read_constant(cnn_onnx_import *import)
{
    static const char *const names[] = { "value_float", "value_floats", "value_int", "value_ints" };
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "value");
    const cnn_onnx_tensor *tensor;
    if (attribute && attribute->t) {
        cnn_status status = cnn_onnx_read_tensor(import, attribute->t, &tensor);
        return status ? status : cnn_onnx_give(import, tensor);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((attribute = cnn_onnx_attribute(import, names[i])))
            return give_numbers(import, attribute);
    return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it is a constant of a kind that is not supported");
}

static int64_t to_int64(float value)
{
    return fabsf(value) < 9e18f ? (int64_t)value : 0;
}

cnn_status cnn_onnx_give_cast(cnn_onnx_import *import, const cnn_onnx_tensor *from, bool to_float)
{
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    if (to_float == (from->floats != NULL))
        return cnn_onnx_give(import, from);
    cnn_status status =
        cnn_onnx_new_tensor(import, from->rank, from->dims, to_float ? &floats : NULL, to_float ? NULL : &int64s, &to);
    for (int64_t i = 0; !status && i < to->count; i++) {
        if (to_float)
            floats[i] = (float)from->int64s[i];
        else
            int64s[i] = to_int64(from->floats[i]);
    }
    return status ? status : cnn_onnx_give(import, to);
}

static cnn_status read_cast(cnn_onnx_import *import)
{
    int64_t type = cnn_onnx_int_attribute(import, "to", CNN_ONNX_FLOAT);
    bool to_float =
        type == CNN_ONNX_FLOAT || type == CNN_ONNX_DOUBLE || type == CNN_ONNX_FLOAT16 || type == CNN_ONNX_BFLOAT16;
    const cnn_onnx_tensor *from;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    return status ? status : cnn_onnx_give_cast(import, from, to_float);
}

static cnn_status read_reshape(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from, *shape;
    int32_t rank;
    int64_t dims[CNN_ONNX_MAX_RANK];
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (!status)
        status = cnn_onnx_need_int64s(import, 1, "shape", &shape);
    if (!status)
        status = cnn_onnx_resolve_shape(import, shape, from->rank, from->dims, &rank, dims);
    return status ? status : give_reshaped(import, from, rank, dims);
}

static cnn_status read_squeeze(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    bool marked[CNN_ONNX_MAX_RANK], given;
    int64_t dims[CNN_ONNX_MAX_RANK];
    int32_t rank = 0;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (!status)
        status = cnn_onnx_axes(import, 1, from->rank, marked, &given);
    if (status)
        return status;
    for (int32_t axis = 0; axis < from->rank; axis++) {
        if (given ? !marked[axis] : from->dims[axis] != 1)
            dims[rank++] = from->dims[axis];
        else if (from->dims[axis] != 1)
            return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it takes away an axis of size %lld",
                                 (long long)from->dims[axis]);
    }
    return give_reshaped(import, from, rank, dims);
}

static int32_t count_marked(const bool marked[CNN_ONNX_MAX_RANK])
{
    int32_t count = 0;
    for (int32_t i = 0; i < CNN_ONNX_MAX_RANK; i++)
        count += marked[i];
    return count;
}

static cnn_status read_unsqueeze(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    bool marked[CNN_ONNX_MAX_RANK], given;
    int64_t dims[CNN_ONNX_MAX_RANK];
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "axes");
    const cnn_onnx_tensor *list = cnn_onnx_constant(import, 1);
    int64_t added = attribute ? (int64_t)attribute->n_ints : list ? list->count : 0;
    if (!status && (added < 1 || added + from->rank > CNN_ONNX_MAX_RANK))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it adds %lld axes", (long long)added);
    if (!status)
        status = cnn_onnx_axes(import, 1, from->rank + (int32_t)added, marked, &given);
    if (status)
        return status;
    int32_t rank = from->rank + count_marked(marked);
    if (count_marked(marked) != added)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it adds one axis twice");
    for (int32_t axis = 0, next = 0; axis < rank; axis++)
        dims[axis] = marked[axis] ? 1 : from->dims[next++];
    return give_reshaped(import, from, rank, dims);
}

static cnn_status read_transpose(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    const CnnOnnx__Attribute *perm = cnn_onnx_attribute(import, "perm");
    int64_t strides[CNN_ONNX_MAX_RANK];
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (status)
        return status;
    if (perm && perm->n_ints != (size_t)from->rank)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it orders %zu axes; its input has %d", perm->n_ints,
                             (int)from->rank);
    cnn_onnx_walk w = { .rank = from->rank };
    uint32_t seen = 0;
    cnn_onnx_natural_strides(from, strides);
    for (int32_t axis = 0; axis < from->rank; axis++) {
        int32_t source;
        status = cnn_onnx_axis_of(import, perm ? perm->ints[axis] : from->rank - 1 - axis, from->rank, &source);
        if (status)
            return status;
        seen |= 1u << source;
        w.dims[axis] = from->dims[source];
        w.strides[axis] = strides[source];
    }
    if (seen != (1u << from->rank) - 1)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it takes one axis twice");
    return cnn_onnx_give_walk(import, from, &w);
}

/* Copies constants along an axis: each as rows of what lies behind that axis. */
static void join(const cnn_onnx_import *import, const cnn_onnx_tensor *to, int32_t axis, float *floats, int64_t *int64s)
{
    int64_t outer = 1, inner = 1, offset = 0;
    for (int32_t i = 0; i < to->rank; i++)
        *(i < axis ? &outer : &inner) *= to->dims[i];
    for (size_t k = 0; k < import->node->n_input; k++) {
        const cnn_onnx_tensor *from = cnn_onnx_constant(import, k);
        int64_t row = outer ? from->count / outer : 0;
        for (int64_t i = 0; i < outer; i++)
            for (int64_t j = 0; j < row; j++)
                copy_element(from, i * row + j, floats, int64s, i * inner + offset + j);
        offset += row;
    }
}

static cnn_status read_concat(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *first, *next;
    int32_t axis;
    cnn_status status = cnn_onnx_any_constant(import, 0, &first);
    if (!status)
        status = cnn_onnx_axis_of(import, cnn_onnx_int_attribute(import, "axis", 0), first->rank, &axis);
    if (status)
        return status;
    int64_t dims[CNN_ONNX_MAX_RANK];
    memcpy(dims, first->dims, sizeof dims);
    for (size_t k = 1; k < import->node->n_input; k++) {
        status = cnn_onnx_any_constant(import, k, &next);
        bool same = !status && next->rank == first->rank && !next->floats == !first->floats;
        for (int32_t i = 0; same && i < first->rank; i++)
            same = i == axis || next->dims[i] == first->dims[i];
        if (!same)
            return status ? status : cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its inputs don't fit each other");
        dims[axis] += next->dims[axis];
    }
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    status = cnn_onnx_new_like(import, first, first->rank, dims, &floats, &int64s, &to);
    if (status)
        return status;
    join(import, to, axis, floats, int64s);
    return cnn_onnx_give(import, to);
}

static cnn_status read_gather(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from, *indices;
    int32_t axis;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (!status)
        status = cnn_onnx_need_int64s(import, 1, "list of indices", &indices);
    if (!status)
        status = cnn_onnx_axis_of(import, cnn_onnx_int_attribute(import, "axis", 0), from->rank, &axis);
    if (status)
        return status;
    if (axis || from->rank != 1 || indices->rank > 1)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only elements of a list are supported");
    float *floats = NULL;
    int64_t *int64s = NULL;
    cnn_onnx_tensor *to;
    status = cnn_onnx_new_like(import, from, indices->rank, indices->dims, &floats, &int64s, &to);
    for (int64_t i = 0; !status && i < to->count; i++) {
        int32_t at;
        status = cnn_onnx_axis_of(import, indices->int64s[i], (int32_t)from->count, &at);
        if (!status)
            copy_element(from, at, floats, int64s, i);
    }
    return status ? status : cnn_onnx_give(import, to);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* One axis of Slice: Python's rules. */
static cnn_status slice_axis(const cnn_onnx_import *import, cnn_onnx_walk *w, int32_t axis, int64_t start, int64_t end,
                             int64_t step_size)
{
    int64_t size = w->dims[axis];
    if (!step_size || step_size < -INT32_MAX || step_size > INT32_MAX)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it goes in steps of %lld", (long long)step_size);
    start = start < 0 ? clamp(start, -size - 1, 0) + size : start;
    end = end < 0 ? clamp(end, -size - 1, 0) + size : end;
    start = step_size > 0 ? clamp(start, 0, size) : clamp(start, -1, size - 1);
    end = step_size > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
    int64_t span = step_size > 0 ? end - start : start - end, stride = step_size > 0 ? step_size : -step_size;
    w->dims[axis] = span > 0 ? (span + stride - 1) / stride : 0;
    w->at += start * w->strides[axis];
    w->strides[axis] *= step_size;
    return CNN_OK;
}

static cnn_status read_slice(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from, *starts, *ends, *axes = cnn_onnx_constant(import, 3);
    const cnn_onnx_tensor *steps = cnn_onnx_constant(import, 4);
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (!status)
        status = cnn_onnx_need_int64s(import, 1, "list of starts", &starts);
    if (!status)
        status = cnn_onnx_need_int64s(import, 2, "list of ends", &ends);
    if (status)
        return status;
    if (starts->count != ends->count || starts->count > from->rank ||
        (axes && (!axes->int64s || axes->count != starts->count)) ||
        (steps && (!steps->int64s || steps->count != starts->count)))
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its lists don't fit each other");
    cnn_onnx_walk w = { .rank = from->rank };
    uint32_t seen = 0;
    memcpy(w.dims, from->dims, sizeof w.dims);
    cnn_onnx_natural_strides(from, w.strides);
    for (int32_t i = 0; i < starts->count && !status; i++) {
        int32_t axis;
        status = cnn_onnx_axis_of(import, axes ? axes->int64s[i] : i, from->rank, &axis);
        if (!status && seen >> axis & 1)
            status = cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it takes one axis twice");
        if (!status)
            status = slice_axis(import, &w, axis, starts->int64s[i], ends->int64s[i], steps ? steps->int64s[i] : 1);
        seen |= status ? 0 : 1u << axis;
    }
    return status ? status : cnn_onnx_give_walk(import, from, &w);
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
    cnn_onnx_walk w = { .rank = (int32_t)clamp(shape->count, 0, CNN_ONNX_MAX_RANK) };
    int64_t count = 1;
    for (int32_t i = 0; i < w.rank; i++) {
        w.dims[i] = shape->int64s[i];
        if (w.dims[i] < 0 || w.dims[i] > CNN_ONNX_MAX_ITEMS || (count *= w.dims[i]) > CNN_ONNX_MAX_ITEMS)
            return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "the constant that it makes is too large");
    }
    if (value->count < 1 || shape->count > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "the constant that it makes is not possible");
    return cnn_onnx_give_walk(import, value, &w);
}

cnn_status cnn_onnx_give_shape(cnn_onnx_import *import, int32_t rank, const int64_t *dims)
{
    int64_t start = cnn_onnx_int_attribute(import, "start", 0), end = cnn_onnx_int_attribute(import, "end", rank),
            *int64s;
    start = clamp(start < 0 ? clamp(start, -rank, 0) + rank : start, 0, rank);
    end = clamp(end < 0 ? clamp(end, -rank, 0) + rank : end, start, rank);
    cnn_onnx_tensor *to;
    cnn_status status = cnn_onnx_new_tensor(import, 1, &(int64_t){ end - start }, NULL, &int64s, &to);
    if (status)
        return status;
    memcpy(int64s, dims + start, (size_t)(end - start) * sizeof *int64s);
    return cnn_onnx_give(import, to);
}

static cnn_status read_shape(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    return status ? status : cnn_onnx_give_shape(import, from->rank, from->dims);
}

const cnn_onnx_operator cnn_onnx_constant_operators[] = {
    { "Cast", read_cast },
    { "Concat", read_concat },
    { "Constant", read_constant },
    { "ConstantOfShape", read_constant_of_shape },
    { "Gather", read_gather },
    { "Identity", read_identity },
    { "QuantizeLinear", read_identity },
    { "Reshape", read_reshape },
    { "Shape", read_shape },
    { "Slice", read_slice },
    { "Squeeze", read_squeeze },
    { "Transpose", read_transpose },
    { "Unsqueeze", read_unsqueeze },
    { NULL, NULL },
};
