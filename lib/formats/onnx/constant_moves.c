/* Operators that move constants: other dimensions for the same elements, parts of them, several joined. */
#include <string.h>

#include "core/error.h"
#include "formats/onnx/constants.h"

/* The same elements under other dimensions. */
static cnn_status define_reshaped(cnn_onnx_import *import, const cnn_onnx_tensor *from, int32_t rank,
                                  const int64_t *dims)
{
    void *memory;
    cnn_status status = cnn_onnx_memory(import, 1, sizeof(cnn_onnx_tensor), &memory);
    if (status)
        return status;
    cnn_onnx_tensor *to = memory;
    *to = *from;
    to->rank = rank;
    memcpy(to->dims, dims, (size_t)rank * sizeof *dims);
    return cnn_onnx_define_output(import, to);
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
    return status ? status : define_reshaped(import, from, rank, dims);
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
    return define_reshaped(import, from, rank, dims);
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
    return define_reshaped(import, from, rank, dims);
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
    return cnn_onnx_define_walk(import, from, &w);
}

/* Copies constants along an axis: each as rows of what lies behind that axis. */
static void join(const cnn_onnx_import *import, const cnn_onnx_tensor *to, int32_t axis,
                 const cnn_onnx_elements *elements)
{
    int64_t outer = 1, inner = 1, offset = 0;
    for (int32_t i = 0; i < to->rank; i++)
        *(i < axis ? &outer : &inner) *= to->dims[i];
    for (size_t k = 0; k < import->node->n_input; k++) {
        const cnn_onnx_tensor *from = cnn_onnx_constant(import, k);
        int64_t row = outer ? from->count / outer : 0;
        for (int64_t i = 0; i < outer; i++)
            for (int64_t j = 0; j < row; j++)
                cnn_onnx_copy_element(from, i * row + j, elements, i * inner + offset + j);
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
    cnn_onnx_elements elements;
    cnn_onnx_tensor *to;
    status = cnn_onnx_new_like(import, first, first->rank, dims, &elements, &to);
    if (status)
        return status;
    join(import, to, axis, &elements);
    return cnn_onnx_define_output(import, to);
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
    cnn_onnx_elements elements;
    cnn_onnx_tensor *to;
    status = cnn_onnx_new_like(import, from, indices->rank, indices->dims, &elements, &to);
    for (int64_t i = 0; !status && i < to->count; i++) {
        int32_t at;
        status = cnn_onnx_axis_of(import, indices->int64s[i], (int32_t)from->count, &at);
        if (!status)
            cnn_onnx_copy_element(from, at, &elements, i);
    }
    return status ? status : cnn_onnx_define_output(import, to);
}

/* One axis of Slice: Python's rules. */
static cnn_status slice_axis(const cnn_onnx_import *import, cnn_onnx_walk *w, int32_t axis, int64_t start, int64_t end,
                             int64_t step_size)
{
    int64_t size = w->dims[axis];
    if (!step_size || step_size < -INT32_MAX || step_size > INT32_MAX)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it goes in steps of %lld", (long long)step_size);
    start = start < 0 ? cnn_onnx_clamp(start, -size - 1, 0) + size : start;
    end = end < 0 ? cnn_onnx_clamp(end, -size - 1, 0) + size : end;
    start = step_size > 0 ? cnn_onnx_clamp(start, 0, size) : cnn_onnx_clamp(start, -1, size - 1);
    end = step_size > 0 ? cnn_onnx_clamp(end, 0, size) : cnn_onnx_clamp(end, -1, size - 1);
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
    return status ? status : cnn_onnx_define_walk(import, from, &w);
}

const cnn_onnx_operator cnn_onnx_constant_moves[] = {
    { "Concat", read_concat },       { "Gather", read_gather },
    { "Reshape", read_reshape },     { "Slice", read_slice },
    { "Squeeze", read_squeeze },     { "Transpose", read_transpose },
    { "Unsqueeze", read_unsqueeze }, { NULL, NULL },
};
