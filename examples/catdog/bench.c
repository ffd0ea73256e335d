#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/cnn.h>

#include "arguments.h"
#include "context.h"
#include "net.h"
#include "output.h"

enum { FEWEST_REPEATS = 5, MOST_REPEATS = 2000, WARM_UPS = 2 };

static const double seconds_per_figure = 1;

/* In the order of cnn_precision, and quantised. */
enum { PRECISION_INT8 = CNN_PRECISION_BFLOAT16 + 1 };
static const char *const precision_names[] = { "fp32", "bf16", "int8", NULL };

typedef struct bench {
    net_arguments net;
    uint64_t batch, threads;
    int json, precision;
    cnn_context *context;
    cnn_graph *graph;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_tensor *images, *image, *targets, *gradient, *outputs, *output;
    uint64_t step;
    double train_images_per_second, predict_latency_ms, predict_images_per_second;
} bench;

typedef cnn_status (*timed)(bench *b);

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median time of a call, in seconds. */
static cnn_status measure(bench *b, timed call, double *median)
{
    double times[MOST_REPEATS];
    size_t count = 0;
    for (int i = 0; i < WARM_UPS; i++) {
        cnn_status status = call(b);
        if (status)
            return status;
    }
    double start = now();
    double last = start;
    while (count < FEWEST_REPEATS || (count < MOST_REPEATS && last - start < seconds_per_figure)) {
        cnn_status status = call(b);
        if (status)
            return status;
        double time = now();
        times[count++] = time - last;
        last = time;
    }
    qsort(times, count, sizeof times[0], compare);
    *median = (times[(count - 1) / 2] + times[count / 2]) / 2;
    return CNN_OK;
}

static cnn_status train_step(bench *b)
{
    const cnn_tensor *logits;
    cnn_status status = cnn_model_forward(b->model, b->images, 0, b->step++, &logits);
    if (!status)
        status = cnn_loss_compute(CNN_LOSS_AUTO, 0, logits, b->targets, NULL, b->gradient);
    if (!status)
        status = cnn_model_backward(b->model, b->gradient);
    if (!status)
        status = cnn_optimizer_step(b->optimizer, 1e-4f);
    return status;
}

static cnn_status predict_one(bench *b)
{
    return cnn_model_predict(b->model, b->image, b->output);
}

static cnn_status predict_batch(bench *b)
{
    return cnn_model_predict(b->model, b->images, b->outputs);
}

/* Values between -1 and 1 that look like noise: Marsaglia 2003, "Xorshift RNGs". */
static void fill_with_noise(cnn_tensor *tensor)
{
    uint32_t state = 2463534242u;
    float *values = cnn_tensor_data(tensor);
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        values[i] = (float)(state >> 8) * (2.0f / 16777216.0f) - 1.0f;
    }
}

static cnn_status create_batch(bench *b, int64_t count, cnn_shape shape, cnn_tensor **tensor)
{
    int64_t dims[4] = { count };
    for (int32_t i = 0; i < shape.rank; i++)
        dims[1 + i] = shape.dims[i];
    return cnn_tensor_create(b->context, CNN_FLOAT32, 1 + shape.rank, dims, tensor);
}

static cnn_status create_tensors(bench *b)
{
    cnn_shape input = cnn_model_input_shape(b->model);
    cnn_shape output = cnn_model_output_shape(b->model);
    int64_t batch = (int64_t)b->batch;
    cnn_status status = create_batch(b, batch, input, &b->images);
    if (!status)
        status = create_batch(b, 1, input, &b->image);
    if (!status)
        status = create_batch(b, batch, output, &b->outputs);
    if (!status)
        status = create_batch(b, 1, output, &b->output);
    if (!status)
        status = create_batch(b, batch, output, &b->targets);
    if (!status)
        status = create_batch(b, batch, output, &b->gradient);
    if (status)
        return status;
    fill_with_noise(b->images);
    fill_with_noise(b->image);
    float *targets = cnn_tensor_data(b->targets);
    int64_t classes = cnn_tensor_count(b->output);
    for (int64_t i = 0; i < batch; i++) /* one output: every other image is of class 1; more: each class in turn */
        targets[classes == 1 ? i : i * classes + i % classes] = classes == 1 ? (float)(i % 2) : 1.0f;
    return CNN_OK;
}

static bool trains(const bench *b)
{
    return b->precision != PRECISION_INT8;
}

/* Prediction is in floats whatever training is in. */
static bool predicts(const bench *b)
{
    return b->precision != CNN_PRECISION_BFLOAT16;
}

/* Puts a quantised model in the model's place. */
static cnn_status quantize(bench *b)
{
    cnn_model *quantized;
    cnn_status status = cnn_model_quantize(b->model, b->images, &quantized);
    if (status)
        return status;
    cnn_model_destroy(b->model);
    b->model = quantized;
    return CNN_OK;
}

static cnn_status measure_all(bench *b)
{
    cnn_optimizer_options adam;
    cnn_optimizer_options_init(&adam);
    double step = 0, one = 0, batch = 0;
    cnn_status status = cnn_model_create(b->context, b->graph, 0, &b->model);
    if (!status && trains(b))
        status = cnn_model_set_precision(b->model, (cnn_precision)b->precision);
    if (!status)
        status = create_tensors(b);
    if (!status && b->precision == PRECISION_INT8)
        status = quantize(b);
    if (!status && trains(b))
        status = cnn_optimizer_create(b->model, &adam, &b->optimizer);
    if (!status && predicts(b))
        status = measure(b, predict_one, &one);
    if (!status && predicts(b))
        status = measure(b, predict_batch, &batch);
    if (!status && trains(b))
        status = measure(b, train_step, &step);
    if (status)
        return status;
    b->train_images_per_second = (double)b->batch / step;
    b->predict_latency_ms = 1000 * one;
    b->predict_images_per_second = (double)b->batch / batch;
    return CNN_OK;
}

static int print(const bench *b)
{
    unsigned threads = cnn_context_threads(b->context);
    const char *precision = precision_names[b->precision];
    if (b->json) {
        json_t *object = json_pack("{s:o,s:s,s:I,s:I}", "net", output_json_text(b->net.name), "precision", precision,
                                   "threads", (json_int_t)threads, "batch", (json_int_t)b->batch);
        if (trains(b))
            json_object_set_new(object, "train_images_per_second", output_json_number(b->train_images_per_second));
        if (predicts(b)) {
            json_object_set_new(object, "predict_latency_ms", output_json_number(b->predict_latency_ms));
            json_object_set_new(object, "predict_images_per_second", output_json_number(b->predict_images_per_second));
        }
        return output_json(object, JSON_INDENT(2)) ? EXIT_FAILED : output_finish();
    }
    printf("%s, %s, %u thread%s, %s\n", b->net.name, precision, threads, threads == 1 ? "" : "s",
           cnn_context_instruction_set(b->context));
    if (trains(b))
        printf("training, batch %llu    %10.1f images/s\n", (unsigned long long)b->batch, b->train_images_per_second);
    if (predicts(b)) {
        printf("prediction, batch %llu  %10.1f images/s\n", (unsigned long long)b->batch, b->predict_images_per_second);
        printf("prediction of one     %10.2f ms\n", b->predict_latency_ms);
    }
    return output_finish();
}

static int run_bench(bench *b)
{
    if (context_create(b->threads, &b->context) || net_create_graph(b->context, &b->net, &b->graph))
        return EXIT_FAILED;
    return measure_all(b) ? output_library_error() : print(b);
}

static void release(bench *b)
{
    cnn_tensor *tensors[] = { b->images, b->image, b->targets, b->gradient, b->outputs, b->output };
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_destroy(tensors[i]);
    cnn_optimizer_destroy(b->optimizer);
    cnn_model_destroy(b->model);
    cnn_graph_destroy(b->graph);
    cnn_context_destroy(b->context);
}

static int run(const catdog_command *command, int argc, char **argv)
{
    bench b = { .net = { .name = "four_conv", .dropout = -1 }, .batch = 32 };
    const option options[] = {
        NET_OPTIONS(b.net),
        { "batch", "N", "images in a step (32)", OPTION_WHOLE, &b.batch, 1, 4096 },
        { "precision", "NAME", "fp32; bf16: training alone; int8: prediction alone (fp32)", OPTION_CHOICE, &b.precision,
          .choices = precision_names },
        { "threads", "N", "threads to use (all processors)", OPTION_WHOLE, &b.threads, 1, 256 },
        { "json", NULL, "print the figures as JSON", OPTION_FLAG, &b.json },
        { 0 },
    };
    arguments_result parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed == PARSED_HELP)
        return output_finish();
    if (parsed == PARSED_WRONG || net_check(command, &b.net))
        return EXIT_USAGE;
    int result = run_bench(&b);
    release(&b);
    return result;
}

const catdog_command bench_command = {
    "bench",
    "measure the speed of training and prediction",
    "[OPTION]...",
    "Measures how fast this machine trains a network (Adam) and predicts with it, on\n"
    "images that are in memory. Each figure is the median of many steps.\n\n"
    "  catdog bench\n"
    "  catdog bench --precision bf16\n"
    "  catdog bench --precision int8\n"
    "  catdog bench --net two_conv --batch 64 --threads 2 --json\n",
    run,
};
