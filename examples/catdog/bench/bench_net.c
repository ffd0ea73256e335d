#include "bench/bench_net.h"

#include <stdlib.h>

#include "cli/clock.h"
#include "cli/context.h"
#include "cli/output.h"

enum { FEWEST_REPEATS = 5, MOST_REPEATS = 2000, WARM_UPS = 2 };

static const double seconds_per_figure = 1;

typedef struct work {
    const bench_net *setting;
    cnn_context *context;
    cnn_graph *graph;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_tensor *images, *image, *targets, *gradient, *outputs, *output;
    uint64_t step;
} work;

typedef cnn_status (*timed)(work *w);

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median time of a call, in seconds. */
static cnn_status measure(work *w, timed call, double *median)
{
    double times[MOST_REPEATS];
    size_t count = 0;
    for (int i = 0; i < WARM_UPS; i++) {
        cnn_status status = call(w);
        if (status)
            return status;
    }
    double start = clock_now();
    double last = start;
    while (count < FEWEST_REPEATS || (count < MOST_REPEATS && last - start < seconds_per_figure)) {
        cnn_status status = call(w);
        if (status)
            return status;
        double time = clock_now();
        times[count++] = time - last;
        last = time;
    }
    qsort(times, count, sizeof times[0], compare);
    *median = (times[(count - 1) / 2] + times[count / 2]) / 2;
    return CNN_OK;
}

static cnn_status train_step(work *w)
{
    const cnn_tensor *logits;
    cnn_status status = cnn_model_forward(w->model, w->images, 0, w->step++, &logits);
    if (!status)
        status = cnn_loss_compute(CNN_LOSS_AUTO, 0, logits, w->targets, NULL, w->gradient);
    if (!status)
        status = cnn_model_backward(w->model, w->gradient);
    if (!status)
        status = cnn_optimizer_step(w->optimizer, 1e-4f);
    return status;
}

static cnn_status predict_one(work *w)
{
    return cnn_model_predict(w->model, w->image, w->output);
}

static cnn_status predict_batch(work *w)
{
    return cnn_model_predict(w->model, w->images, w->outputs);
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

/* cnn_model_input_dims or cnn_model_output_dims */
typedef int32_t shape_of(const cnn_model *model, int64_t *dims, int32_t capacity);

static cnn_status create_batch(work *w, int64_t count, shape_of *shape, cnn_tensor **tensor)
{
    int64_t dims[CNN_MAX_RANK] = { count };
    int32_t rank = shape(w->model, dims + 1, CNN_MAX_RANK - 1);
    return cnn_tensor_create(w->context, CNN_FLOAT32, 1 + rank, dims, tensor);
}

static cnn_status create_tensors(work *w)
{
    int64_t batch = (int64_t)w->setting->batch;
    cnn_status status = create_batch(w, batch, cnn_model_input_dims, &w->images);
    if (!status)
        status = create_batch(w, 1, cnn_model_input_dims, &w->image);
    if (!status)
        status = create_batch(w, batch, cnn_model_output_dims, &w->outputs);
    if (!status)
        status = create_batch(w, 1, cnn_model_output_dims, &w->output);
    if (!status)
        status = create_batch(w, batch, cnn_model_output_dims, &w->targets);
    if (!status)
        status = create_batch(w, batch, cnn_model_output_dims, &w->gradient);
    if (status)
        return status;
    fill_with_noise(w->images);
    fill_with_noise(w->image);
    float *targets = cnn_tensor_data(w->targets);
    int64_t classes = cnn_tensor_count(w->output);
    for (int64_t i = 0; i < batch; i++) /* one output: every other image is of class 1; more: each class in turn */
        targets[classes == 1 ? i : i * classes + i % classes] = classes == 1 ? (float)(i % 2) : 1.0f;
    return CNN_OK;
}

/* Puts a quantised model in the model's place. */
static cnn_status quantize(work *w)
{
    cnn_model *quantized;
    cnn_status status = cnn_model_quantize(w->model, w->images, &quantized);
    if (status)
        return status;
    cnn_model_destroy(w->model);
    w->model = quantized;
    return CNN_OK;
}

static void release(work *w)
{
    cnn_tensor *tensors[] = { w->images, w->image, w->targets, w->gradient, w->outputs, w->output };
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_destroy(tensors[i]);
    cnn_optimizer_destroy(w->optimizer);
    cnn_model_destroy(w->model);
    cnn_graph_destroy(w->graph);
    cnn_context_destroy(w->context);
}

static int finish(work *w, cnn_status status)
{
    int result = status ? output_library_error() : EXIT_DONE;
    release(w);
    return result;
}

/* EXIT_DONE, or EXIT_FAILED with a sentence printed and nothing to release. */
static int prepare(work *w, const bench_net *setting)
{
    *w = (work){ .setting = setting };
    if (context_create(&setting->resources, &w->context) || net_create_graph(w->context, &setting->net, &w->graph)) {
        release(w);
        return EXIT_FAILED;
    }
    cnn_status status = cnn_model_create(w->context, w->graph, 0, &w->model);
    if (!status)
        status = create_tensors(w);
    if (!status && setting->precision == BENCH_INT8)
        status = quantize(w);
    return status ? finish(w, status) : EXIT_DONE;
}

int bench_net_train(const void *setting, void *result)
{
    work w;
    bench_net_times *times = result;
    cnn_optimizer_options adam;
    cnn_optimizer_options_init(&adam);
    if (prepare(&w, setting))
        return EXIT_FAILED;
    times->flops = (double)cnn_model_flops(w.model);
    cnn_status status = cnn_model_set_precision(w.model, (cnn_precision)w.setting->precision);
    if (!status)
        status = cnn_optimizer_create(w.model, &adam, &w.optimizer);
    if (!status)
        status = measure(&w, train_step, &times->batch);
    return finish(&w, status);
}

/* The same with the model of the setting's file. */
static int prepare_from_file(work *w, const bench_net *setting)
{
    *w = (work){ .setting = setting };
    if (context_create(&setting->resources, &w->context))
        return EXIT_FAILED;
    cnn_status status = cnn_model_load(w->context, setting->model, &w->model);
    if (!status)
        status = create_tensors(w);
    return status ? finish(w, status) : EXIT_DONE;
}

int bench_net_predict(const void *setting, void *result)
{
    work w;
    bench_net_times *times = result;
    if (((const bench_net *)setting)->model ? prepare_from_file(&w, setting) : prepare(&w, setting))
        return EXIT_FAILED;
    times->flops = (double)cnn_model_flops(w.model);
    cnn_status status = measure(&w, predict_one, &times->one);
    if (!status)
        status = measure(&w, predict_batch, &times->batch);
    return finish(&w, status);
}

int bench_net_save(const void *setting, void *nothing)
{
    work w;
    (void)nothing;
    return prepare(&w, setting) ? EXIT_FAILED : finish(&w, cnn_model_save(w.model, w.setting->model));
}

int bench_net_start(const void *setting, void *nothing)
{
    work w = { .setting = setting };
    (void)nothing;
    if (context_create(&w.setting->resources, &w.context))
        return EXIT_FAILED;
    cnn_status status = cnn_model_load(w.context, w.setting->model, &w.model);
    if (!status)
        status = create_batch(&w, 1, cnn_model_input_dims, &w.image);
    if (!status)
        status = create_batch(&w, 1, cnn_model_output_dims, &w.output);
    if (!status)
        status = predict_one(&w);
    return finish(&w, status);
}
