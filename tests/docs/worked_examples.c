/* Uses what the worked examples of docs/internals.md add: PReLU, Lion and PPM images. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

#define CHECK(condition) \
    if (!(condition))    \
    return fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, cnn_last_error()), 1

enum { ROWS = 3, CHANNELS = 37 }; /* not a multiple of any vector */

static float input_at(int i)
{
    return 0.3f * (float)(i % 23 - 11);
}

static float slope_at(int channel)
{
    return 0.01f * (float)(channel - 7);
}

static cnn_tensor *tensor_of(int32_t rank, const int64_t *dims)
{
    cnn_tensor *tensor;
    return cnn_tensor_create(NULL, CNN_FLOAT32, rank, dims, &tensor) ? NULL : tensor;
}

/* A model of a PReLU alone, on images of ROWS pixels. */
static cnn_model *make_prelu(void)
{
    cnn_graph *graph;
    cnn_model *model = NULL;
    if (!cnn_graph_create(NULL, &graph)) {
        cnn_prelu(graph, cnn_input(graph, ROWS, 1, CHANNELS));
        if (cnn_model_create(NULL, graph, 1, &model))
            model = NULL;
        cnn_graph_destroy(graph);
    }
    return model;
}

static int check_prediction(cnn_model *model, cnn_tensor *input, cnn_tensor *output)
{
    CHECK(!cnn_model_predict(model, input, output));
    for (int i = 0; i < ROWS * CHANNELS; i++) {
        float x = input_at(i), want = x < 0 ? x * slope_at(i % CHANNELS) : x;
        CHECK(fabsf(((const float *)cnn_tensor_const_data(output))[i] - want) < 1e-6f);
    }
    return 0;
}

static int check_gradients(cnn_model *model, cnn_tensor *input, cnn_tensor *gradient, cnn_parameter *slope)
{
    const cnn_tensor *output;
    float *gradients = cnn_tensor_data(gradient);
    for (int i = 0; i < ROWS * CHANNELS; i++)
        gradients[i] = i % 3 ? 1 : -1;
    CHECK(!cnn_model_forward(model, input, 0, 0, &output) && !cnn_model_backward(model, gradient));
    CHECK(!cnn_model_parameter(model, 0, slope));
    for (int c = 0; c < CHANNELS; c++) {
        float want = 0;
        for (int i = c; i < ROWS * CHANNELS; i += CHANNELS)
            want += gradients[i] * (input_at(i) < 0 ? input_at(i) : 0);
        CHECK(fabsf(((const float *)cnn_tensor_const_data(slope->gradient))[c] - want) < 1e-5f);
    }
    return 0;
}

static int check_lion(cnn_model *model, const cnn_parameter *slope)
{
    cnn_optimizer *lion;
    cnn_optimizer_options options;
    cnn_optimizer_options_init(&options);
    options.kind = CNN_LION;
    const float *value = cnn_tensor_const_data(slope->value), *gradient = cnn_tensor_const_data(slope->gradient);
    CHECK(!cnn_optimizer_create(model, &options, &lion) && !cnn_optimizer_step(lion, 0.01f));
    for (int c = 0; c < CHANNELS; c++) {
        float sign = (float)((gradient[c] > 0) - (gradient[c] < 0));
        CHECK(fabsf(value[c] - (slope_at(c) - 0.01f * sign)) < 1e-6f);
    }
    cnn_optimizer_destroy(lion);
    return 0;
}

static int check_onnx(const cnn_model *model, const char *path, cnn_tensor *input, cnn_tensor *output)
{
    cnn_model *read;
    cnn_status status = cnn_model_save_onnx(model, path);
    if (status == CNN_ERROR_UNSUPPORTED)
        return 0; /* built without ONNX */
    CHECK(!status && !cnn_model_load_onnx(NULL, path, NULL, &read));
    int failed = check_prediction(read, input, output);
    cnn_model_destroy(read);
    return failed;
}

static int check_layer(const char *path)
{
    cnn_model *model = make_prelu();
    cnn_tensor *input = tensor_of(4, (int64_t[]){ 1, ROWS, 1, CHANNELS });
    cnn_tensor *output = tensor_of(4, (int64_t[]){ 1, ROWS, 1, CHANNELS });
    cnn_parameter slope = { .struct_size = sizeof slope };
    CHECK(model && input && output && !cnn_model_parameter(model, 0, &slope));
    for (int i = 0; i < ROWS * CHANNELS; i++)
        ((float *)cnn_tensor_data(input))[i] = input_at(i);
    for (int c = 0; c < CHANNELS; c++)
        ((float *)cnn_tensor_data(slope.value))[c] = slope_at(c);
    cnn_model_changed(model);
    int failed = check_prediction(model, input, output) || check_onnx(model, path, input, output) ||
                 check_gradients(model, input, output, &slope) || check_lion(model, &slope);
    cnn_tensor_destroy(output);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
    return failed;
}

static int check_image(void)
{
    static const char image[] = "P6 2 1\n255\n\1\2\3\4\5\6";
    cnn_tensor *pixels;
    cnn_image_info info = { .struct_size = sizeof info };
    CHECK(!cnn_image_probe(image, sizeof image - 1, NULL, &info));
    CHECK(info.format == CNN_IMAGE_PPM && info.width == 2 && info.height == 1 && info.channels == 3);
    CHECK(!cnn_image_decode(NULL, image, sizeof image - 1, NULL, NULL, &pixels));
    CHECK(!memcmp(cnn_tensor_const_data(pixels), "\1\2\3\4\5\6", 6));
    cnn_tensor_destroy(pixels);
    CHECK(cnn_image_decode(NULL, image, sizeof image - 2, NULL, NULL, &pixels) == CNN_ERROR_FORMAT);
    cnn_image_options lenient;
    cnn_image_options_init(&lenient);
    lenient.allow_truncated = 1;
    CHECK(!cnn_image_decode(NULL, image, sizeof image - 2, NULL, &lenient, &pixels));
    cnn_tensor_destroy(pixels);
    CHECK(cnn_image_decode(NULL, "P6 2 1\n65535\n123456789012", 25, NULL, NULL, &pixels) == CNN_ERROR_FORMAT);
    CHECK(cnn_image_decode(NULL, "P6 0 1\n255\n", 11, NULL, NULL, &pixels));
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc != 2 || check_layer(argv[1]) || check_image();
    if (!failed)
        puts("the examples work");
    return failed;
}
