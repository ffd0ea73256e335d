/* ONNX operators that move or relabel values: most become nothing, as the graph's values have a layout of their own. */
#include <string.h>

#include "core/error.h"
#include "formats/onnx/constants.h"

/* As it is, with all that is pending. */
static cnn_status read_same(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_raw_activation(import, 0, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_cast(cnn_onnx_import *import)
{
    int64_t type = cnn_onnx_int_attribute(import, "to", CNN_ONNX_FLOAT);
    if (type != CNN_ONNX_FLOAT && type != CNN_ONNX_FLOAT16 && type != CNN_ONNX_BFLOAT16 && type != CNN_ONNX_DOUBLE)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "rounding to whole numbers is not supported");
    return read_same(import);
}

/* What PyTorch's exporter makes of numbers beside values: an activation is floats. */
static cnn_status read_cast_like(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from = cnn_onnx_constant(import, 0), *like = cnn_onnx_constant(import, 1);
    if (!cnn_onnx_input(import, 1))
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its input 2 is missing, or comes from a later node");
    if (from)
        return cnn_onnx_define_cast(import, from, !like || like->floats);
    return like && !like->floats
               ? cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "rounding to whole numbers is not supported")
               : read_same(import);
}

static cnn_status read_dropout(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *ratio = cnn_onnx_constant(import, 1);
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (status)
        return status;
    float rate = ratio && ratio->floats && ratio->count == 1 ? ratio->floats[0]
                                                             : cnn_onnx_float_attribute(import, "ratio", 0.5f);
    const cnn_dropout_attributes attributes = { .rate = rate };
    if (rate > 0 && rate < 1)
        status = cnn_onnx_add_layer(import, &cnn_layer_dropout, &x.node, 1, &attributes, &x.node);
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_shape(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    int64_t dims[CNN_ONNX_MAX_RANK];
    cnn_status status = cnn_onnx_raw_activation(import, 0, &x);
    if (status)
        return status;
    for (int32_t axis = 0; axis < x.rank; axis++)
        dims[axis] = cnn_onnx_dim(import, &x, axis);
    return cnn_onnx_define_shape(import, x.rank, dims);
}

static cnn_status read_transpose(cnn_onnx_import *import)
{
    cnn_onnx_activation x, y;
    const CnnOnnx__Attribute *perm = cnn_onnx_attribute(import, "perm");
    cnn_status status = cnn_onnx_raw_activation(import, 0, &x);
    if (status)
        return status;
    uint32_t seen = 0;
    y = x;
    if (!perm || perm->n_ints != (size_t)x.rank)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its order of axes doesn't fit its input, which has %d",
                             (int)x.rank);
    for (int32_t axis = 0; axis < x.rank; axis++) {
        int32_t from;
        status = cnn_onnx_axis_of(import, perm->ints[axis], x.rank, &from);
        if (status)
            return status;
        seen |= 1u << from;
        y.axes[axis] = x.axes[from];
    }
    if (seen != (1u << x.rank) - 1 || y.axes[0] != CNN_ONNX_BATCH)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it moves the batch, or takes one axis twice");
    return cnn_onnx_define(import, &y);
}

static cnn_status read_flatten(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    int64_t axis = cnn_onnx_int_attribute(import, "axis", 1);
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (status)
        return status;
    axis = axis < 0 ? axis + x.rank : axis;
    bool sound = axis >= 1 && axis <= x.rank;
    for (int64_t i = 1; sound && i < axis; i++)
        sound = x.axes[i] == CNN_ONNX_ONE;
    if (!sound)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it flattens from axis %lld; only from 1 is supported",
                             (long long)axis);
    status = cnn_onnx_flatten(import, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

/* Behind the batch, `count` features in one dimension and all others of size 1: that one's index. */
static int32_t feature_axis(int32_t rank, const int64_t *dims, int64_t count)
{
    int32_t found = 0;
    for (int32_t axis = 1; axis < rank; axis++) {
        if (dims[axis] == 1 && (count != 1 || found))
            continue;
        if (dims[axis] != count || found)
            return 0;
        found = axis;
    }
    return found;
}

static cnn_status read_reshape(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *shape;
    int64_t dims[CNN_ONNX_MAX_RANK], wanted[CNN_ONNX_MAX_RANK], count = 1;
    int32_t rank;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_need_int64s(import, 1, "shape", &shape);
    if (status)
        return status;
    for (int32_t axis = 0; axis < x.rank; axis++) {
        dims[axis] = cnn_onnx_dim(import, &x, axis);
        count *= axis ? dims[axis] : 1;
    }
    status = cnn_onnx_resolve_shape(import, shape, x.rank, dims, &rank, wanted);
    if (status)
        return status;
    if (rank == x.rank && !memcmp(dims, wanted, (size_t)rank * sizeof *dims))
        return cnn_onnx_define(import, &x);
    int32_t features = rank > 1 && wanted[0] == import->batch ? feature_axis(rank, wanted, count) : 0;
    if (!features)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only a shape of batch \xC3\x97 features is supported");
    status = cnn_onnx_flatten(import, &x);
    x.rank = rank;
    for (int32_t axis = 1; axis < rank; axis++)
        x.axes[axis] = axis == features ? CNN_ONNX_CHANNEL : CNN_ONNX_ONE;
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_squeeze(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    bool marked[CNN_ONNX_MAX_RANK], given;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_axes(import, 1, x.rank, marked, &given);
    if (!status)
        status = cnn_onnx_drop_space(import, &x);
    if (status)
        return status;
    int32_t rank = 0;
    for (int32_t axis = 0; axis < x.rank; axis++) {
        bool one = x.axes[axis] == CNN_ONNX_ONE;
        if (given && marked[axis] && !one)
            return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it takes away axis %d, which is not of size 1",
                                 (int)axis);
        if (given ? !marked[axis] : !one)
            x.axes[rank++] = x.axes[axis];
    }
    x.rank = rank;
    return cnn_onnx_define(import, &x);
}

static cnn_status read_unsqueeze(cnn_onnx_import *import)
{
    cnn_onnx_activation x, y;
    bool marked[CNN_ONNX_MAX_RANK], given;
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "axes");
    const cnn_onnx_tensor *list = cnn_onnx_constant(import, 1);
    int64_t added = attribute ? (int64_t)attribute->n_ints : list ? list->count : 0;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (status)
        return status;
    if (added < 1 || x.rank + added > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it adds %lld axes", (long long)added);
    y = x;
    y.rank = x.rank + (int32_t)added;
    status = cnn_onnx_axes(import, 1, y.rank, marked, &given);
    if (status)
        return status;
    int32_t next = 0;
    for (int32_t axis = 0; axis < y.rank; axis++)
        y.axes[axis] = marked[axis] || next >= x.rank ? CNN_ONNX_ONE : x.axes[next++];
    if (y.axes[0] != CNN_ONNX_BATCH || next != x.rank)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it adds an axis before the batch, or one twice");
    return cnn_onnx_define(import, &y);
}

static cnn_status check_joinable(const cnn_onnx_import *import, const cnn_onnx_activation *first,
                                 const cnn_onnx_activation *next)
{
    if (next->rank != first->rank || memcmp(next->axes, first->axes, (size_t)first->rank * sizeof *first->axes) != 0)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its inputs have their axes in different orders");
    if (next->flat_dims[2])
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                             "it joins a flattened image, channels first, with something else");
    return CNN_OK;
}

/* Joins what has been collected, which becomes the first of the next ones. */
static cnn_status join(cnn_onnx_import *import, cnn_node inputs[CNN_MAX_INPUTS], int32_t *count)
{
    cnn_status status =
        *count < 2 ? CNN_OK : cnn_onnx_add_layer(import, &cnn_layer_concat, inputs, *count, NULL, &inputs[0]);
    *count = 1;
    return status;
}

static cnn_status read_concat(cnn_onnx_import *import)
{
    cnn_onnx_activation first, next;
    cnn_node inputs[CNN_MAX_INPUTS];
    int32_t axis, count = 1;
    cnn_status status = cnn_onnx_activation_of(import, 0, &first);
    if (!status)
        status = cnn_onnx_axis_of(import, cnn_onnx_int_attribute(import, "axis", 1), first.rank, &axis);
    if (!status && first.axes[axis] != CNN_ONNX_CHANNEL)
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only channels can be joined");
    if (!status)
        status = check_joinable(import, &first, &first);
    inputs[0] = first.node;
    for (size_t i = 1; i < import->node->n_input && !status; i++) {
        status = cnn_onnx_activation_of(import, i, &next);
        if (!status)
            status = check_joinable(import, &first, &next);
        if (!status && count == CNN_MAX_INPUTS)
            status = join(import, inputs, &count);
        inputs[count++] = next.node;
    }
    if (!status)
        status = join(import, inputs, &count);
    first.node = inputs[0];
    return status ? status : cnn_onnx_define(import, &first);
}

/* Amounts before and after each axis: of all axes, or of those that are named. */
static cnn_status add_pads(const cnn_onnx_import *import, const int64_t *pads, size_t count, cnn_onnx_activation *x)
{
    bool marked[CNN_ONNX_MAX_RANK], given;
    cnn_status status = cnn_onnx_axes(import, 3, x->rank, marked, &given);
    if (status)
        return status;
    const cnn_onnx_tensor *list = given ? cnn_onnx_constant(import, 3) : NULL;
    size_t axes = list ? (size_t)list->count : (size_t)x->rank;
    if (!axes || count != 2 * axes)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "it has %zu amounts for %zu axes", count, axes);
    for (size_t i = 0; i < count; i++) {
        int32_t axis = 0;
        status = cnn_onnx_axis_of(import, list ? list->int64s[i % axes] : (int64_t)(i % axes), x->rank, &axis);
        if (status)
            return status;
        if (!pads[i])
            continue;
        cnn_onnx_axis kind = x->axes[axis];
        if (kind > CNN_ONNX_WIDTH || pads[i] < 0 || pads[i] > INT16_MAX)
            return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                                 "it pads axis %d by %lld; only height and width, and only more than 0, are supported",
                                 (int)axis, (long long)pads[i]);
        int32_t *side = &x->pads[(int)kind + (i < axes ? 0 : 2)];
        *side = *side + (int32_t)pads[i] <= INT16_MAX ? *side + (int32_t)pads[i] : INT16_MAX;
        x->padded = true;
    }
    return CNN_OK;
}

static cnn_status pad_amounts(const cnn_onnx_import *import, const int64_t **pads, size_t *count)
{
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "pads");
    const cnn_onnx_tensor *tensor;
    if (attribute) {
        *pads = attribute->ints;
        *count = attribute->n_ints;
        return CNN_OK;
    }
    cnn_status status = cnn_onnx_need_int64s(import, 1, "list of amounts", &tensor);
    if (!status) {
        *pads = tensor->int64s;
        *count = (size_t)tensor->count;
    }
    return status;
}

static cnn_status read_pad(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *given = cnn_onnx_constant(import, 2);
    const int64_t *pads = NULL;
    size_t count = 0;
    cnn_status status = cnn_onnx_padded_activation(import, 0, &x);
    if (!status)
        status = pad_amounts(import, &pads, &count);
    if (status)
        return status;
    if (cnn_onnx_attribute(import, "mode") && !cnn_onnx_text_is(import, "mode", "constant"))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only padding by a constant is supported");
    float value =
        given && given->floats && given->count == 1 ? given->floats[0] : cnn_onnx_float_attribute(import, "value", 0);
    if (x.padded && x.pad_value != value)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it pads once more, by another value");
    x.pad_value = value;
    status = add_pads(import, pads, count, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

const cnn_onnx_operator cnn_onnx_shape_operators[] = {
    { "Cast", read_cast },           { "CastLike", read_cast_like },
    { "Concat", read_concat },       { "DequantizeLinear", read_same },
    { "Dropout", read_dropout },     { "Flatten", read_flatten },
    { "Identity", read_same },       { "Pad", read_pad },
    { "Reshape", read_reshape },     { "Shape", read_shape },
    { "Squeeze", read_squeeze },     { "Transpose", read_transpose },
    { "Unsqueeze", read_unsqueeze }, { NULL, NULL },
};
