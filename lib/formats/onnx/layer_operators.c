/* ONNX operators that become layers with windows or weights: convolution, pooling, dense, batch normalisation. */
#include <math.h>
#include <string.h>

#include "formats/onnx/import.h"
#include "formats/onnx/window_attributes.h"

static cnn_status image_of(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    cnn_status status = cnn_onnx_padded_activation(import, 0, x);
    if (!status && !cnn_onnx_is_image(import, x))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                               "its input is no image of batch \xC3\x97 channels \xC3\x97 height \xC3\x97 width");
    return status;
}

static cnn_status bias_of(const cnn_onnx_import *import, size_t index, int64_t count, const float **bias)
{
    const cnn_onnx_tensor *tensor;
    *bias = NULL;
    if (!cnn_onnx_input(import, index))
        return CNN_OK;
    cnn_status status = cnn_onnx_need_floats(import, index, "bias", &tensor);
    if (!status && tensor->count != count)
        status = cnn_onnx_fail(import, CNN_ERROR_SHAPE, "its bias has %lld values for %lld outputs",
                               (long long)tensor->count, (long long)count);
    *bias = status ? NULL : tensor->floats;
    return status;
}

/* One number for each of `count` channels at `axis` from the end, all else of size 1, of `rank` at most. */
static bool is_channel_vector(const cnn_onnx_tensor *tensor, int64_t count, int32_t axis, int32_t rank)
{
    if (!tensor->floats || tensor->count != count || tensor->rank < axis || tensor->rank > rank)
        return false;
    return tensor->dims[tensor->rank - axis] == count;
}

/* A matrix of inputs × units in the file. */
typedef struct matrix {
    const float *values;
    int64_t units;
    int64_t input_stride, unit_stride;
    float factor; /* for all of them */
} matrix;

/* Features × weight + bias, which may be NULL. */
static cnn_status add_dense(cnn_onnx_import *import, const matrix *weight, const cnn_onnx_weight_copy *bias,
                            cnn_onnx_activation *x)
{
    cnn_onnx_weight_copy weights = { .parameter = "weight",
                                     .data = weight->values,
                                     .dims = { 0, 0, 0, weight->units },
                                     .strides = { 0, 0, 0, weight->unit_stride },
                                     .factor = weight->factor };
    const cnn_dense_attributes attributes = { .units = weight->units, .no_bias = !bias };
    cnn_onnx_feature_layout(import, x, weights.dims, weights.strides);
    for (int i = 0; i < 3; i++)
        weights.strides[i] *= weight->input_stride;
    cnn_status status = cnn_onnx_add_layer(import, &cnn_layer_dense, &x->node, 1, &attributes, &x->node);
    memset(x->flat_dims, 0, sizeof x->flat_dims);
    weights.node = x->node;
    if (!status)
        status = cnn_onnx_add_weight_copy(import, &weights);
    if (status || !bias)
        return status;
    cnn_onnx_weight_copy biases = *bias;
    biases.node = x->node;
    return cnn_onnx_add_weight_copy(import, &biases);
}

/* A convolution by one pixel on features: GlobalAveragePool may have come before it. */
static cnn_status read_pointwise(cnn_onnx_import *import, const cnn_onnx_tensor *weight, const float *bias,
                                 cnn_onnx_activation *x)
{
    int64_t channels = cnn_onnx_channels(import, x), units = weight->dims[0];
    if (weight->dims[2] != 1 || weight->dims[3] != 1 || weight->dims[1] != channels)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it is a convolution on features, and not by one pixel");
    const cnn_onnx_weight_copy biases = { 0, "bias", bias, { 1, 1, 1, units }, { 0, 0, 0, 1 }, 1 };
    const matrix weights = { weight->floats, units, 1, channels, 1 };
    return add_dense(import, &weights, bias ? &biases : NULL, x);
}

static cnn_status read_image_conv(cnn_onnx_import *import, const cnn_onnx_tensor *weight, const float *bias,
                                  cnn_onnx_activation *x)
{
    const int64_t *dims = weight->dims;
    cnn_onnx_window w = { .stride = { 1, 1 }, .dilation = { 1, 1 } };
    for (int axis = 0; axis < 2; axis++)
        w.kernel[axis] = dims[2 + axis] <= INT16_MAX ? (int32_t)dims[2 + axis] : 0;
    cnn_status status = cnn_onnx_read_window(import, x, &w);
    int64_t groups = cnn_onnx_int_attribute(import, "group", 1), channels = cnn_onnx_channels(import, x);
    if (status)
        return status;
    if (groups < 1 || groups > INT32_MAX || channels % groups || dims[1] != channels / groups ||
        w.kernel[0] != dims[2] || w.kernel[1] != dims[3])
        return cnn_onnx_fail(
            import, CNN_ERROR_SHAPE,
            "its weights are %lld\xC3\x97%lld\xC3\x97%lld\xC3\x97%lld for %lld channels in %lld groups",
            (long long)dims[0], (long long)dims[1], (long long)dims[2], (long long)dims[3], (long long)channels,
            (long long)groups);
    if (x->padded && x->pad_value != 0)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it is padded by %g, not 0", (double)x->pad_value);
    cnn_onnx_join_pads(&w, x);
    cnn_conv2d_attributes attributes = { .filters = dims[0], .groups = (int32_t)groups, .no_bias = !bias };
    memcpy(attributes.kernel, w.kernel, sizeof w.kernel);
    memcpy(attributes.stride, w.stride, sizeof w.stride);
    memcpy(attributes.dilation, w.dilation, sizeof w.dilation);
    memcpy(attributes.pads, w.pads, sizeof w.pads);
    attributes.padding = cnn_onnx_any_pads(w.pads) ? CNN_PADDING_EXPLICIT : CNN_PADDING_VALID;
    const int64_t strides[4] = { dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1 };
    return cnn_onnx_add_convolution(import, &attributes, weight->floats, strides, bias, x);
}

static cnn_status read_conv(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *weight;
    const float *bias = NULL;
    cnn_status status = cnn_onnx_padded_activation(import, 0, &x);
    if (!status)
        status = cnn_onnx_need_floats(import, 1, "weight", &weight);
    if (!status && (weight->rank != 4 || weight->count < 1))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                               "its weights have %d dimensions; only images, with 4, "
                               "are supported",
                               (int)weight->rank);
    if (!status)
        status = bias_of(import, 2, weight->dims[0], &bias);
    if (status)
        return status;
    bool features = x.rank == 4 && x.axes[1] == CNN_ONNX_CHANNEL && x.axes[2] == CNN_ONNX_ONE &&
                    x.axes[3] == CNN_ONNX_ONE && !x.padded;
    if (features)
        status = read_pointwise(import, weight, bias, &x);
    else if (!cnn_onnx_is_image(import, &x))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED,
                               "its input is no image of batch \xC3\x97 channels \xC3\x97 height \xC3\x97 width");
    else
        status = read_image_conv(import, weight, bias, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_gemm(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *b, *c = cnn_onnx_constant(import, 2);
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_drop_space(import, &x);
    if (!status)
        status = cnn_onnx_need_floats(import, 1, "weight", &b);
    if (!status && (cnn_onnx_int_attribute(import, "transA", 0) || x.rank != 2 || x.axes[1] != CNN_ONNX_CHANNEL ||
                    b->rank != 2 || cnn_onnx_layer(import, x.node)->output.rank != 1))
        status = cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only features by a matrix are supported");
    if (status)
        return status;
    bool transposed = cnn_onnx_int_attribute(import, "transB", 0) != 0;
    int64_t inputs = b->dims[transposed], units = b->dims[!transposed];
    if (inputs != cnn_onnx_channels(import, &x))
        return cnn_onnx_fail(import, CNN_ERROR_SHAPE, "its weights are for %lld features; its input has %lld",
                             (long long)inputs, (long long)cnn_onnx_channels(import, &x));
    if (cnn_onnx_input(import, 2) && (!c || !c->floats || (c->count != 1 && !is_channel_vector(c, units, 1, 2))))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its bias is not one number for each of %lld outputs",
                             (long long)units);
    const cnn_onnx_weight_copy bias = { 0,
                                        "bias",
                                        c ? c->floats : NULL,
                                        { 1, 1, 1, units },
                                        { 0, 0, 0, c && c->count > 1 },
                                        cnn_onnx_float_attribute(import, "beta", 1) };
    const matrix weight = { b->floats, units, transposed ? 1 : units, transposed ? inputs : 1,
                            cnn_onnx_float_attribute(import, "alpha", 1) };
    status = add_dense(import, &weight, c ? &bias : NULL, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_matmul(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *b;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_drop_space(import, &x);
    if (!status)
        status = cnn_onnx_need_floats(import, 1, "weight", &b);
    if (status)
        return status;
    if (x.axes[x.rank - 1] != CNN_ONNX_CHANNEL || b->rank != 2 || cnn_onnx_layer(import, x.node)->output.rank != 1)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only features by a matrix are supported");
    int64_t units = b->dims[1];
    if (b->dims[0] != cnn_onnx_channels(import, &x))
        return cnn_onnx_fail(import, CNN_ERROR_SHAPE, "its weights are for %lld features; its input has %lld",
                             (long long)b->dims[0], (long long)cnn_onnx_channels(import, &x));
    status = add_dense(import, &(matrix){ b->floats, units, units, 1, 1 }, NULL, &x);
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_batch_norm(cnn_onnx_import *import)
{
    static const char *const names[] = { "scale", "offset", "running_mean", "running_variance" };
    cnn_onnx_activation x;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (status)
        return status;
    int64_t channels = cnn_onnx_channels(import, &x);
    if (x.rank < 2 || x.axes[1] != CNN_ONNX_CHANNEL || cnn_onnx_int_attribute(import, "training_mode", 0) ||
        !cnn_onnx_int_attribute(import, "spatial", 1))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it normalises something else than channels");
    float momentum = cnn_onnx_float_attribute(import, "momentum", 0.9f);
    const cnn_batch_norm_attributes attributes = { .momentum = momentum > 0 && momentum < 1 ? momentum : 0,
                                                   .epsilon = cnn_onnx_float_attribute(import, "epsilon", 1e-5f) };
    status = cnn_onnx_add_layer(import, &cnn_layer_batch_norm, &x.node, 1, &attributes, &x.node);
    for (size_t i = 0; i < 4 && !status; i++) {
        const cnn_onnx_tensor *tensor;
        status = cnn_onnx_need_floats(import, 1 + i, names[i], &tensor);
        if (!status && tensor->count != channels)
            status = cnn_onnx_fail(import, CNN_ERROR_SHAPE, "its %s has %lld values for %lld channels", names[i],
                                   (long long)tensor->count, (long long)channels);
        if (status)
            return status;
        cnn_onnx_weight_copy copy = { x.node, names[i], tensor->floats, { 0, 0, 0, 1 }, { 0 }, 1 };
        cnn_onnx_feature_layout(import, &x, copy.dims, copy.strides);
        status = cnn_onnx_add_weight_copy(import, &copy);
    }
    return status ? status : cnn_onnx_define(import, &x);
}

static void set_pool(cnn_pool2d_attributes *attributes, const cnn_onnx_window *w)
{
    memcpy(attributes->kernel, w->kernel, sizeof w->kernel);
    memcpy(attributes->stride, w->stride, sizeof w->stride);
    memcpy(attributes->pads, w->pads, sizeof w->pads);
    attributes->padding = cnn_onnx_any_pads(w->pads) ? CNN_PADDING_EXPLICIT : CNN_PADDING_VALID;
}

static cnn_status add_pool(cnn_onnx_import *import, const cnn_layer_type *type, const cnn_onnx_window *w,
                           cnn_onnx_activation *x)
{
    cnn_pool2d_attributes attributes;
    if (w->dilation[0] != 1 || w->dilation[1] != 1)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "pooling with dilations is not supported");
    set_pool(&attributes, w);
    x->padded = false;
    memset(x->pads, 0, sizeof x->pads);
    cnn_status status = cnn_onnx_add_layer(import, type, &x->node, 1, &attributes, &x->node);
    return status ? status : cnn_onnx_define(import, x);
}

/* What is pooled, and its window. Padding that pooling would see otherwise becomes a layer of its own. */
static cnn_status pooled_image(cnn_onnx_import *import, cnn_onnx_activation *x, cnn_onnx_window *w,
                               bool (*can_join)(const cnn_onnx_import *import, const cnn_onnx_activation *x,
                                                const cnn_onnx_window *w))
{
    *w = (cnn_onnx_window){ .stride = { 1, 1 }, .dilation = { 1, 1 } };
    cnn_status status = image_of(import, x);
    if (!status)
        status = cnn_onnx_read_window(import, x, w);
    if (!status && x->padded && !can_join(import, x, w))
        status = cnn_onnx_activation_of(import, 0, x);
    return status;
}

/* Ours takes no pixel from the padding, of which each window has less than it is wide; zeros there don't change a
 * maximum of what is not negative. */
static bool can_join_maximum(const cnn_onnx_import *import, const cnn_onnx_activation *x, const cnn_onnx_window *w)
{
    bool narrow = true;
    for (int side = 0; side < 4; side++)
        narrow = narrow && w->pads[side] + x->pads[side] < w->kernel[side % 2];
    return narrow && (x->pad_value <= -1e30f || (x->pad_value == 0 && cnn_onnx_is_not_negative(import, x->node)));
}

static cnn_status read_max_pool(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_onnx_window w;
    cnn_status status = pooled_image(import, &x, &w, can_join_maximum);
    if (status)
        return status;
    cnn_onnx_join_pads(&w, &x);
    return add_pool(import, &cnn_layer_max_pool2d, &w, &x);
}

/* An average that counts padding as zeros is a convolution of each channel by equal weights. */
static cnn_status average_with_padding(cnn_onnx_import *import, const cnn_onnx_window *w, cnn_onnx_activation *x)
{
    enum { MOST_WEIGHTS = 1 << 22 };
    int64_t channels = cnn_onnx_channels(import, x), area = (int64_t)w->kernel[0] * w->kernel[1];
    void *memory;
    if (channels > INT32_MAX || channels * area > MOST_WEIGHTS)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "an average of %lld pixels that counts padding is too large",
                             (long long)area);
    cnn_status status = cnn_onnx_memory(import, 1, sizeof(float), &memory);
    if (status)
        return status;
    *(float *)memory = 1 / (float)area;
    cnn_conv2d_attributes attributes = {
        .filters = channels, .groups = (int32_t)channels, .no_bias = 1, .padding = CNN_PADDING_EXPLICIT
    };
    memcpy(attributes.kernel, w->kernel, sizeof w->kernel);
    memcpy(attributes.stride, w->stride, sizeof w->stride);
    memcpy(attributes.pads, w->pads, sizeof w->pads);
    status = cnn_onnx_add_convolution(import, &attributes, memory, (const int64_t[4]){ 0 }, NULL, x);
    return status ? status : cnn_onnx_define(import, x);
}

static bool counts_padding(const cnn_onnx_import *import)
{
    return cnn_onnx_int_attribute(import, "count_include_pad", 0) != 0;
}

/* All of the padding counts, or there is none that doesn't. */
static bool can_join_average(const cnn_onnx_import *import, const cnn_onnx_activation *x, const cnn_onnx_window *w)
{
    return x->pad_value == 0 && (counts_padding(import) || !cnn_onnx_any_pads(w->pads));
}

static cnn_status read_average_pool(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_onnx_window w;
    cnn_status status = pooled_image(import, &x, &w, can_join_average);
    if (status)
        return status;
    bool counts = counts_padding(import);
    if (counts && cnn_onnx_any_pads(w.pads) && cnn_onnx_int_attribute(import, "ceil_mode", 0))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "an average with this padding is not supported");
    cnn_onnx_join_pads(&w, &x);
    if (w.kernel[0] == 1 && w.kernel[1] == 1 && w.stride[0] == 1 && w.stride[1] == 1 && !cnn_onnx_any_pads(w.pads))
        return cnn_onnx_define(import, &x);
    if (cnn_onnx_any_pads(w.pads) && (counts || x.padded))
        return average_with_padding(import, &w, &x);
    return add_pool(import, &cnn_layer_avg_pool2d, &w, &x);
}

static cnn_status pooled_image_of(cnn_onnx_import *import, cnn_onnx_activation *x)
{
    cnn_status status = cnn_onnx_activation_of(import, 0, x);
    if (!status && !cnn_onnx_is_image(import, x))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its input is no image");
    return status;
}

static cnn_status read_global_average_pool(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = pooled_image_of(import, &x);
    if (status)
        return status;
    status = cnn_onnx_add_layer(import, &cnn_layer_global_avg_pool, &x.node, 1, NULL, &x.node);
    x.axes[2] = x.axes[3] = CNN_ONNX_ONE;
    return status ? status : cnn_onnx_define(import, &x);
}

static cnn_status read_global_max_pool(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    cnn_status status = pooled_image_of(import, &x);
    if (status)
        return status;
    const cnn_shape *shape = &cnn_onnx_layer(import, x.node)->output;
    cnn_onnx_window w = { .stride = { 1, 1 }, .dilation = { 1, 1 } };
    for (int axis = 0; axis < 2; axis++)
        w.kernel[axis] = shape->dims[axis] <= INT16_MAX ? (int32_t)shape->dims[axis] : 0;
    status = cnn_onnx_check_window(import, &w);
    return status ? status : add_pool(import, &cnn_layer_max_pool2d, &w, &x);
}

/* The mean over height and width. */
static cnn_status read_reduce_mean(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    bool marked[CNN_ONNX_MAX_RANK], given, height = false, width = false;
    cnn_status status = cnn_onnx_activation_of(import, 0, &x);
    if (!status)
        status = cnn_onnx_axes(import, 1, x.rank, marked, &given);
    if (status)
        return status;
    int32_t rank = 0;
    bool keep = cnn_onnx_int_attribute(import, "keepdims", 1) != 0, others = !given;
    for (int32_t axis = 0; axis < x.rank; axis++) {
        cnn_onnx_axis kind = x.axes[axis];
        height = height || (marked[axis] && kind == CNN_ONNX_HEIGHT);
        width = width || (marked[axis] && kind == CNN_ONNX_WIDTH);
        others = others || (marked[axis] && (kind == CNN_ONNX_CHANNEL || kind == CNN_ONNX_BATCH));
        if (!marked[axis] || keep)
            x.axes[rank++] = marked[axis] ? CNN_ONNX_ONE : kind;
    }
    x.rank = rank;
    if (others || height != width)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "only the mean over height and width is supported");
    if (height)
        status = cnn_onnx_add_layer(import, &cnn_layer_global_avg_pool, &x.node, 1, NULL, &x.node);
    return status ? status : cnn_onnx_define(import, &x);
}

const cnn_onnx_operator cnn_onnx_layer_operators[] = {
    { "AveragePool", read_average_pool },
    { "BatchNormalization", read_batch_norm },
    { "Conv", read_conv },
    { "Gemm", read_gemm },
    { "GlobalAveragePool", read_global_average_pool },
    { "GlobalMaxPool", read_global_max_pool },
    { "MatMul", read_matmul },
    { "MaxPool", read_max_pool },
    { "ReduceMean", read_reduce_mean },
    { NULL, NULL },
};
