#include "layers/window.h"

#include "core/error.h"
#include "layers/layer_internal.h"

/* No sum or product of these, or of sums of two, overflows. */
enum { MAX_EXTENT = 32767 };

static cnn_status check_pair(const char *what, const int32_t pair[2])
{
    if (pair[0] < 1 || pair[0] > MAX_EXTENT || pair[1] < 1 || pair[1] > MAX_EXTENT)
        return cnn_fail(CNN_ERROR_ARGUMENT, "a %s of %d\xC3\x97%d is not possible; each is 1 to %d", what, (int)pair[0],
                        (int)pair[1], MAX_EXTENT);
    return CNN_OK;
}

static cnn_status check_padding(const cnn_window *window)
{
    if (window->padding < CNN_PADDING_VALID || window->padding > CNN_PADDING_EXPLICIT)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%d is no kind of padding", (int)window->padding);
    for (int side = 0; side < 4; side++) {
        int32_t pad = window->pads[side];
        if (pad < 0 || pad > MAX_EXTENT)
            return cnn_fail(CNN_ERROR_ARGUMENT, "a padding of %d is not possible; it is 0 to %d", (int)pad, MAX_EXTENT);
        if (pad && window->padding != CNN_PADDING_EXPLICIT)
            return cnn_fail(CNN_ERROR_ARGUMENT, "pads are given, but the padding is \"%s\", not \"explicit\"",
                            cnn_padding_names[window->padding]);
    }
    return CNN_OK;
}

/* What the kernel covers, its gaps included. */
static int64_t extent(const cnn_window *window, int axis)
{
    return (int64_t)(window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

static int64_t padded_size(const cnn_window *window, const cnn_shape *input, int axis)
{
    return input->dims[axis] + window->pads[axis] + window->pads[axis + 2];
}

static cnn_status check_fit(const cnn_window *window, const cnn_shape *input)
{
    int64_t height = padded_size(window, input, 0), width = padded_size(window, input, 1);
    if (extent(window, 0) <= height && extent(window, 1) <= width)
        return CNN_OK;
    char text[CNN_SHAPE_TEXT_SIZE];
    return cnn_fail(CNN_ERROR_SHAPE,
                    "a kernel of %lld\xC3\x97%lld doesn't fit into the input %s, which is %lld\xC3\x97%lld with its "
                    "padding",
                    (long long)extent(window, 0), (long long)extent(window, 1), cnn_shape_text(input, text),
                    (long long)height, (long long)width);
}

cnn_window_grid cnn_window_placed(const cnn_window *window, const cnn_shape *input)
{
    cnn_window_grid grid;
    for (int axis = 0; axis < 2; axis++) {
        int64_t size = input->dims[axis], stride = window->stride[axis];
        if (window->padding == CNN_PADDING_SAME) {
            grid.count[axis] = (size + stride - 1) / stride;
            int64_t padding = (grid.count[axis] - 1) * stride + extent(window, axis) - size;
            grid.padding[axis] = padding > 0 ? (int32_t)(padding / 2) : 0; /* the odd pixel goes to the end */
        } else {
            grid.count[axis] = (padded_size(window, input, axis) - extent(window, axis)) / stride + 1;
            grid.padding[axis] = window->pads[axis];
        }
    }
    return grid;
}

cnn_status cnn_window_place(const cnn_window *window, const cnn_shape *input, cnn_window_grid *grid)
{
    cnn_status status = check_pair("kernel", window->kernel);
    if (!status)
        status = check_pair("stride", window->stride);
    if (!status)
        status = check_pair("dilation", window->dilation);
    if (!status)
        status = check_padding(window);
    if (!status && window->padding != CNN_PADDING_SAME)
        status = check_fit(window, input);
    if (!status)
        *grid = cnn_window_placed(window, input);
    return status;
}
