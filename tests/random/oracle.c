#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers/window.h"
#include "runtime/model_internal.h"

/* Half the distance of floats at 1. */
static const double unit = 0x1p-24;

/* One layer of one image: from its inputs to `output`. */
typedef struct oracle_place {
    const cnn_layer *layer;
    const oracle_value *inputs[CNN_MAX_INPUTS];
    const float *parameters[CNN_MAX_PARAMETERS];
    oracle_value *output;
} oracle_place;

static oracle_value allocate(const cnn_shape *shape)
{
    oracle_value value = { .count = 1 };
    for (int32_t i = 0; i < shape->rank; i++)
        value.count *= shape->dims[i];
    value.values = calloc((size_t)value.count, sizeof *value.values);
    value.errors = calloc((size_t)value.count, sizeof *value.errors);
    if (!value.values || !value.errors)
        abort();
    return value;
}

void oracle_release(oracle_value *value)
{
    free(value->values);
    free(value->errors);
    *value = (oracle_value){ 0 };
}

/* Of a sum of `count` numbers in any order, by their magnitudes: what rounding adds up to, and some more. */
static double sum_error(double count, double magnitude)
{
    return (8 + 4 * sqrt(count)) * unit * magnitude;
}

static cnn_window conv_window(const cnn_conv2d_attributes *it)
{
    return (cnn_window){ { it->kernel[0], it->kernel[1] },
                         { it->stride[0], it->stride[1] },
                         { it->dilation[0], it->dilation[1] },
                         it->padding,
                         it->pads };
}

static cnn_window pool_window(const cnn_pool2d_attributes *it)
{
    return (cnn_window){
        { it->kernel[0], it->kernel[1] }, { it->stride[0], it->stride[1] }, { 1, 1 }, it->padding, it->pads
    };
}

/* Where a window's element lies in the image; -1 outside of it. */
static int64_t pixel_of(const cnn_layer *layer, const cnn_window *window, const cnn_window_grid *grid, int64_t row,
                        int64_t column, int32_t i, int32_t j)
{
    int64_t y = row * window->stride[0] - grid->padding[0] + (int64_t)i * window->dilation[0];
    int64_t x = column * window->stride[1] - grid->padding[1] + (int64_t)j * window->dilation[1];
    const int64_t *dims = layer->inputs[0].dims;
    return y < 0 || y >= dims[0] || x < 0 || x >= dims[1] ? -1 : y * dims[1] + x;
}

/* Winograd's transforms add and subtract neighbours, whose size then counts, too: of all of the image, here. */
static double winograd_error(const oracle_place *it, const cnn_conv2d_attributes *conv, int64_t filter)
{
    if (conv->kernel[0] != 3 || conv->kernel[1] != 3 || conv->stride[0] != 1 || conv->stride[1] != 1)
        return 0;
    int64_t channels = it->layer->inputs[0].dims[2], filters = conv->filters;
    double magnitude = 0;
    if (conv->groups != 1)
        return 0;
    for (int64_t c = 0; c < channels; c++) {
        double largest = 0, weights = 0;
        for (int64_t i = c; i < it->inputs[0]->count; i += channels)
            largest = fmax(largest, fabs(it->inputs[0]->values[i]));
        for (int64_t tap = 0; tap < 9; tap++)
            weights += fabs((double)it->parameters[0][(tap * channels + c) * filters + filter]);
        magnitude += largest * weights;
    }
    return 32 * unit * magnitude;
}

static void conv_pixel(const oracle_place *it, const cnn_window *window, const cnn_window_grid *grid, int64_t row,
                       int64_t column, int64_t filter, double more)
{
    const cnn_conv2d_attributes *conv = it->layer->attributes;
    int64_t channels = it->layer->inputs[0].dims[2], part = channels / conv->groups;
    int64_t first = filter / (conv->filters / conv->groups) * part;
    double sum = conv->no_bias ? 0 : (double)it->parameters[1][filter], magnitude = fabs(sum), error = more;
    for (int32_t i = 0; i < conv->kernel[0]; i++)
        for (int32_t j = 0; j < conv->kernel[1]; j++) {
            int64_t pixel = pixel_of(it->layer, window, grid, row, column, i, j);
            for (int64_t c = 0; c < part && pixel >= 0; c++) {
                double weight =
                    (double)it->parameters[0][((i * conv->kernel[1] + j) * part + c) * conv->filters + filter];
                double value = it->inputs[0]->values[pixel * channels + first + c];
                sum += weight * value;
                magnitude += fabs(weight * value);
                error += fabs(weight) * it->inputs[0]->errors[pixel * channels + first + c];
            }
        }
    int64_t at = (row * grid->count[1] + column) * conv->filters + filter;
    it->output->values[at] = sum;
    it->output->errors[at] = error + sum_error((double)(conv->kernel[0] * conv->kernel[1] * part), magnitude);
}

static void run_conv(const oracle_place *it)
{
    const cnn_conv2d_attributes *conv = it->layer->attributes;
    cnn_window window = conv_window(conv);
    cnn_window_grid grid = cnn_window_placed(&window, &it->layer->inputs[0]);
    for (int64_t filter = 0; filter < conv->filters; filter++) {
        double more = winograd_error(it, conv, filter);
        for (int64_t row = 0; row < grid.count[0]; row++)
            for (int64_t column = 0; column < grid.count[1]; column++)
                conv_pixel(it, &window, &grid, row, column, filter, more);
    }
}

static void run_dense(const oracle_place *it)
{
    const cnn_dense_attributes *dense = it->layer->attributes;
    for (int64_t unit_index = 0; unit_index < dense->units; unit_index++) {
        double sum = dense->no_bias ? 0 : (double)it->parameters[1][unit_index], magnitude = fabs(sum), error = 0;
        for (int64_t i = 0; i < it->inputs[0]->count; i++) {
            double weight = (double)it->parameters[0][i * dense->units + unit_index];
            sum += weight * it->inputs[0]->values[i];
            magnitude += fabs(weight * it->inputs[0]->values[i]);
            error += fabs(weight) * it->inputs[0]->errors[i];
        }
        it->output->values[unit_index] = sum;
        it->output->errors[unit_index] = error + sum_error((double)it->inputs[0]->count, magnitude);
    }
}

static void pool_pixel(const oracle_place *it, const cnn_window *window, const cnn_window_grid *grid, int64_t row,
                       int64_t column, int64_t c)
{
    bool largest = it->layer->type == &cnn_layer_max_pool2d;
    int64_t channels = it->layer->inputs[0].dims[2], count = 0;
    double value = largest ? -INFINITY : 0, magnitude = 0, error = 0;
    for (int32_t i = 0; i < window->kernel[0]; i++)
        for (int32_t j = 0; j < window->kernel[1]; j++) {
            int64_t pixel = pixel_of(it->layer, window, grid, row, column, i, j);
            if (pixel < 0)
                continue;
            double x = it->inputs[0]->values[pixel * channels + c], e = it->inputs[0]->errors[pixel * channels + c];
            value = largest ? fmax(value, x) : value + x;
            error = largest ? fmax(error, e) : error + e;
            magnitude += fabs(x);
            count++;
        }
    int64_t at = (row * grid->count[1] + column) * channels + c;
    double many = largest ? 1 : (double)count;
    it->output->values[at] = count ? value / many : 0;
    it->output->errors[at] = count ? (error + (largest ? 0 : sum_error((double)count, magnitude))) / many : 0;
}

static void run_pool(const oracle_place *it)
{
    cnn_window window = pool_window(it->layer->attributes);
    cnn_window_grid grid = cnn_window_placed(&window, &it->layer->inputs[0]);
    for (int64_t row = 0; row < grid.count[0]; row++)
        for (int64_t column = 0; column < grid.count[1]; column++)
            for (int64_t c = 0; c < it->layer->inputs[0].dims[2]; c++)
                pool_pixel(it, &window, &grid, row, column, c);
}

static void run_global_avg_pool(const oracle_place *it)
{
    int64_t channels = it->output->count, pixels = it->inputs[0]->count / channels;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, magnitude = 0, error = 0;
        for (int64_t i = c; i < it->inputs[0]->count; i += channels) {
            sum += it->inputs[0]->values[i];
            magnitude += fabs(it->inputs[0]->values[i]);
            error += it->inputs[0]->errors[i];
        }
        it->output->values[c] = sum / (double)pixels;
        it->output->errors[c] = (error + sum_error((double)pixels, magnitude)) / (double)pixels;
    }
}

static int64_t channels_of(const oracle_place *it)
{
    return it->layer->output.dims[it->layer->output.rank - 1];
}

static void run_batch_norm(const oracle_place *it)
{
    const cnn_batch_norm_attributes *norm = it->layer->attributes;
    for (int64_t i = 0; i < it->output->count; i++) {
        int64_t c = i % channels_of(it);
        double factor = (double)it->parameters[0][c] / sqrt((double)it->parameters[3][c] + (double)norm->epsilon);
        double x = it->inputs[0]->values[i], mean = (double)it->parameters[2][c], offset = (double)it->parameters[1][c];
        it->output->values[i] = (x - mean) * factor + offset;
        it->output->errors[i] =
            fabs(factor) * it->inputs[0]->errors[i] + 8 * unit * (fabs(factor) * (fabs(x) + fabs(mean)) + fabs(offset));
    }
}

static void run_softmax(const oracle_place *it)
{
    int64_t channels = channels_of(it);
    for (int64_t first = 0; first < it->output->count; first += channels) {
        const double *x = it->inputs[0]->values + first, *e = it->inputs[0]->errors + first;
        double *y = it->output->values + first, *error = it->output->errors + first;
        double largest = x[0], sum = 0, mean_error = 0;
        for (int64_t c = 0; c < channels; c++)
            largest = fmax(largest, x[c]);
        for (int64_t c = 0; c < channels; c++)
            sum += y[c] = exp(x[c] - largest);
        for (int64_t c = 0; c < channels; c++) {
            y[c] /= sum;
            mean_error += y[c] * (e[c] + unit * fabs(x[c] - largest));
        }
        for (int64_t c = 0; c < channels; c++)
            error[c] = y[c] * (2 * (e[c] + mean_error + unit * (fabs(x[c] - largest) + fabs(x[c]))) +
                               sum_error((double)channels, 4)) +
                       1e-30;
    }
}

static void run_add(const oracle_place *it)
{
    for (int64_t i = 0; i < it->output->count; i++) {
        it->output->values[i] = it->inputs[0]->values[i] + it->inputs[1]->values[i];
        it->output->errors[i] = it->inputs[0]->errors[i] + it->inputs[1]->errors[i] +
                                2 * unit * (fabs(it->inputs[0]->values[i]) + fabs(it->inputs[1]->values[i]));
    }
}

static void run_concat(const oracle_place *it)
{
    int64_t channels = channels_of(it), pixels = it->output->count / channels, place = 0;
    for (int64_t pixel = 0; pixel < pixels; pixel++)
        for (int32_t k = 0; k < it->layer->input_count; k++) {
            int64_t part = it->inputs[k]->count / pixels;
            for (int64_t c = 0; c < part; c++, place++) {
                it->output->values[place] = it->inputs[k]->values[pixel * part + c];
                it->output->errors[place] = it->inputs[k]->errors[pixel * part + c];
            }
        }
}

/* max(x, 0), or scale × alpha × (e^x - 1) below 0. */
static double elu(double x, double alpha, double scale, double *error)
{
    *error = *error * scale * fmax(alpha, 1) + 16 * unit * scale * (fabs(x) + alpha);
    return scale * (x < 0 ? alpha * expm1(x) : x);
}

static double gelu(double x, bool by_tanh, double *error)
{
    *error = 1.2 * *error + 16 * unit * (1 + fabs(x));
    if (by_tanh)
        return x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))) / 2;
    return x * erfc(-x * sqrt(0.5)) / 2;
}

static double clip(double x, double min, double max)
{
    return fmin(fmax(x, min), max);
}

/* Those of the activations below that are curves or pieces with other slopes than 0 and 1. */
static double apply_activation(const cnn_layer *layer, double x, double *error)
{
    const void *attributes = layer->attributes;
    if (layer->type == &cnn_layer_silu) {
        *error = 1.2 * *error + 16 * unit * (1 + fabs(x));
        return x / (1 + exp(-x));
    }
    if (layer->type == &cnn_layer_hard_swish) {
        *error = 1.5 * *error + 8 * unit * (1 + fabs(x));
        return x * clip(x + 3, 0, 6) / 6;
    }
    if (layer->type == &cnn_layer_hard_sigmoid) {
        const cnn_hard_sigmoid_attributes *hard = attributes;
        double slope = (double)hard->slope, offset = (double)hard->offset;
        *error = *error * slope + 4 * unit * (fabs(x * slope) + fabs(offset));
        return clip(x * slope + offset, 0, 1);
    }
    if (layer->type == &cnn_layer_gelu)
        return gelu(x, ((const cnn_gelu_attributes *)attributes)->approximate == CNN_GELU_TANH, error);
    if (layer->type == &cnn_layer_elu)
        return elu(x, (double)((const cnn_elu_attributes *)attributes)->alpha, 1, error);
    if (layer->type == &cnn_layer_selu)
        return elu(x, 1.6732632423543772, 1.0507009873554805, error);
    if (layer->type == &cnn_layer_softplus) {
        *error += 16 * unit * (1 + fabs(x));
        return fmax(x, 0) + log1p(exp(-fabs(x)));
    }
    return x; /* flatten, dropout */
}

/* Layers that compute each value from one of the input, `x` with the error `*error`. */
static double apply(const oracle_place *it, int64_t channel, double x, double *error)
{
    const cnn_layer_type *type = it->layer->type;
    if (type == &cnn_layer_relu)
        return fmax(x, 0);
    if (type == &cnn_layer_relu6)
        return fmin(fmax(x, 0), 6);
    if (type == &cnn_layer_leaky_relu) {
        *error += 2 * unit * fabs(x);
        return x < 0 ? x * (double)((const cnn_leaky_relu_attributes *)it->layer->attributes)->slope : x;
    }
    if (type == &cnn_layer_sigmoid) {
        *error = fmin(*error, 1) + 16 * unit;
        return 1 / (1 + exp(-x));
    }
    if (type == &cnn_layer_tanh) {
        *error = fmin(*error, 2) + 16 * unit;
        return tanh(x);
    }
    if (type == &cnn_layer_rescale) {
        const cnn_rescale_attributes *rescale = it->layer->attributes;
        double scale = (double)rescale->scale, offset = (double)rescale->offset;
        *error = *error * fabs(scale) + 4 * unit * (fabs(x * scale) + fabs(offset));
        return x * scale + offset;
    }
    if (type == &cnn_layer_normalize) {
        const cnn_normalize_attributes *normalize = it->layer->attributes;
        double mean = (double)normalize->mean[channel], deviation = (double)normalize->deviation[channel];
        *error = (*error + 8 * unit * (fabs(x) + fabs(mean))) / deviation;
        return (x - mean) / deviation;
    }
    if (type == &cnn_layer_clip) {
        const cnn_clip_attributes *bounds = it->layer->attributes;
        return clip(x, (double)bounds->min, (double)bounds->max);
    }
    return apply_activation(it->layer, x, error);
}

static void run_elementwise(const oracle_place *it)
{
    int64_t channels = channels_of(it);
    for (int64_t i = 0; i < it->output->count; i++) {
        it->output->errors[i] = it->inputs[0]->errors[i];
        it->output->values[i] = apply(it, i % channels, it->inputs[0]->values[i], &it->output->errors[i]);
    }
}

static void run(const oracle_place *it)
{
    static const struct {
        const cnn_layer_type *type;
        void (*run)(const oracle_place *it);
    } runs[] = {
        { &cnn_layer_conv2d, run_conv },
        { &cnn_layer_dense, run_dense },
        { &cnn_layer_max_pool2d, run_pool },
        { &cnn_layer_avg_pool2d, run_pool },
        { &cnn_layer_global_avg_pool, run_global_avg_pool },
        { &cnn_layer_batch_norm, run_batch_norm },
        { &cnn_layer_softmax, run_softmax },
        { &cnn_layer_add, run_add },
        { &cnn_layer_concat, run_concat },
    };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
        if (runs[i].type == it->layer->type) {
            runs[i].run(it);
            return;
        }
    run_elementwise(it);
}

static void run_node(const cnn_model *model, cnn_node node, oracle_value *values)
{
    const cnn_graph_node *it = &model->graph->nodes[node];
    oracle_place place = { .layer = &it->layer, .output = &values[node] };
    for (int32_t k = 0; k < it->layer.input_count; k++)
        place.inputs[k] = &values[it->inputs[k]];
    for (int32_t i = 0, k = 0; i < model->weights_count; i++)
        if (model->weights[i].node == node)
            place.parameters[k++] = cnn_tensor_const_data(model->weights[i].value);
    run(&place);
}

static double largest_of(const oracle_value *value)
{
    double largest = 0;
    for (int64_t i = 0; i < value->count; i++)
        largest = fmax(largest, isfinite(value->values[i]) ? fabs(value->values[i]) : INFINITY);
    return largest;
}

oracle_value oracle_predict(const cnn_model *model, cnn_node output, const float *image)
{
    const cnn_graph *graph = model->graph;
    oracle_value *values = calloc((size_t)graph->count, sizeof *values), result;
    if (!values)
        abort();
    double largest = 0;
    for (cnn_node i = 0; i <= output; i++) {
        values[i] = allocate(&graph->nodes[i].layer.output);
        if (i)
            run_node(model, i, values);
        else
            for (int64_t k = 0; k < values[0].count; k++)
                values[0].values[k] = (double)image[k];
        largest = fmax(largest, largest_of(&values[i]));
    }
    result = values[output];
    result.largest = largest;
    for (cnn_node i = 0; i < output; i++)
        oracle_release(&values[i]);
    free(values);
    return result;
}
