#include "formats/onnx/window_attributes.h"

static int64_t extent_of(const cnn_onnx_window *w, int axis)
{
    return (int64_t)(w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

/* SAME_UPPER and SAME_LOWER: as many outputs as steps; the odd pixel at the end, or at the beginning. */
static void pad_same(cnn_onnx_window *w, int axis, int64_t size, bool lower)
{
    int64_t count = (size + w->stride[axis] - 1) / w->stride[axis];
    int64_t padding = (count - 1) * w->stride[axis] + extent_of(w, axis) - size;
    padding = padding > 0 ? padding : 0;
    w->pads[axis] = (int32_t)(lower ? (padding + 1) / 2 : padding / 2);
    w->pads[axis + 2] = (int32_t)padding - w->pads[axis];
}

/* Rounding up lets a last window reach over the edge, if it begins before it: padding at the end does the same. */
static void pad_ceil(cnn_onnx_window *w, int axis, int64_t size)
{
    int64_t room = size + w->pads[axis] + w->pads[axis + 2] - extent_of(w, axis);
    int64_t missing = room < 0 ? 0 : (w->stride[axis] - room % w->stride[axis]) % w->stride[axis];
    int64_t begins = room + missing - w->pads[axis];
    if (missing && begins < size)
        w->pads[axis + 2] += (int32_t)missing;
}

cnn_status cnn_onnx_check_window(const cnn_onnx_import *import, const cnn_onnx_window *w)
{
    enum { MOST = 32767 };
    for (int axis = 0; axis < 2; axis++)
        if (w->kernel[axis] < 1 || w->kernel[axis] > MOST || w->stride[axis] < 1 || w->stride[axis] > MOST ||
            w->dilation[axis] < 1 || w->dilation[axis] > MOST)
            return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its kernel, strides or dilations are not possible");
    for (int side = 0; side < 4; side++)
        if (w->pads[side] > MOST)
            return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "a padding of %d is not possible", (int)w->pads[side]);
    return CNN_OK;
}

typedef enum auto_pad { PAD_EXPLICIT, PAD_SAME_UPPER, PAD_SAME_LOWER, PAD_VALID, PAD_KINDS } auto_pad;

static cnn_status read_auto_pad(const cnn_onnx_import *import, auto_pad *kind)
{
    static const char *const names[PAD_KINDS] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" };
    *kind = PAD_EXPLICIT;
    const CnnOnnx__Attribute *attribute = cnn_onnx_attribute(import, "auto_pad");
    if (!attribute || cnn_onnx_text_is(import, "auto_pad", ""))
        return CNN_OK;
    for (auto_pad i = PAD_EXPLICIT; i < PAD_KINDS; i++)
        if (cnn_onnx_text_is(import, "auto_pad", names[i])) {
            *kind = i;
            return CNN_OK;
        }
    return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                         "its auto_pad is none of NOTSET, SAME_UPPER, SAME_LOWER and VALID");
}

cnn_status cnn_onnx_read_window(const cnn_onnx_import *import, const cnn_onnx_activation *x, cnn_onnx_window *w)
{
    cnn_status status = cnn_onnx_int_attributes(import, "kernel_shape", 2, w->kernel);
    if (!status)
        status = cnn_onnx_int_attributes(import, "strides", 2, w->stride);
    if (!status)
        status = cnn_onnx_int_attributes(import, "dilations", 2, w->dilation);
    auto_pad kind = PAD_EXPLICIT;
    if (!status)
        status = read_auto_pad(import, &kind);
    if (!status && kind == PAD_EXPLICIT)
        status = cnn_onnx_int_attributes(import, "pads", 4, w->pads);
    if (!status)
        status = cnn_onnx_check_window(import, w);
    for (int axis = 0; axis < 2 && !status; axis++) {
        int64_t size = cnn_onnx_dim(import, x, 2 + axis);
        if (kind == PAD_SAME_UPPER || kind == PAD_SAME_LOWER)
            pad_same(w, axis, size, kind == PAD_SAME_LOWER);
        if (cnn_onnx_int_attribute(import, "ceil_mode", 0))
            pad_ceil(w, axis, size);
    }
    return status;
}

bool cnn_onnx_any_pads(const int32_t pads[4])
{
    return pads[0] || pads[1] || pads[2] || pads[3];
}

void cnn_onnx_join_pads(cnn_onnx_window *w, const cnn_onnx_activation *x)
{
    for (int side = 0; side < 4; side++)
        w->pads[side] += x->pads[side];
}
