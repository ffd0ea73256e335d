#include "bench/bench_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/loader_benchmark.h"
#include "cli/context.h"
#include "cli/output.h"

bool bench_run_has(const bench_run *b, int part)
{
    return b->part == BENCH_ALL || b->part == part;
}

bool bench_run_trains(const bench_run *b)
{
    return bench_run_has(b, BENCH_NET) && b->net.precision != BENCH_INT8;
}

bool bench_run_predicts(const bench_run *b)
{
    return bench_run_has(b, BENCH_NET) && b->net.precision != CNN_PRECISION_BFLOAT16;
}

static int find_machine(const void *setting, void *result)
{
    const bench_run *b = setting;
    bench_machine *found = result;
    cnn_context *context;
    if (context_create(&b->net.resources, &context))
        return EXIT_FAILED;
    found->threads = cnn_context_threads(context);
    snprintf(found->instruction_set, sizeof found->instruction_set, "%s", cnn_context_instruction_set(context));
    cnn_context_destroy(context);
    return EXIT_DONE;
}

static int measure_limits(const void *setting, void *limits)
{
    const bench_machine *m = &((const bench_run *)setting)->machine;
    if (!roofline_measure(m->threads, m->instruction_set, limits))
        return EXIT_DONE;
    output_error("bench: there is not enough memory, or not enough threads, to measure %u threads", m->threads);
    return EXIT_FAILED;
}

/* Calls `measure` while a file holds the model, which a process of its own has made: making a model, and quantising
 * one, takes more memory than using it. */
static int measure_from_file(bench_run *b, int (*measure)(bench_run *b))
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/catdog-bench-XXXXXX", folder && *folder ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0) {
        output_error("bench: the temporary file '%s' can't be created", path);
        return EXIT_FAILED;
    }
    close(file);
    b->net.model = path;
    int result = subprocess_run(bench_net_save, &b->net, NULL, 0, NULL);
    if (result == EXIT_DONE)
        result = measure(b);
    unlink(path);
    b->net.model = NULL;
    return result;
}

/* The shortest of several. */
static int measure_starts(bench_run *b)
{
    enum { REPEATS = 9 };
    int result = EXIT_DONE;
    for (int i = 0; i < REPEATS && result == EXIT_DONE; i++) {
        subprocess_cost cost;
        result = subprocess_run(bench_net_start, &b->net, NULL, 0, &cost);
        if (!i || cost.seconds < b->start_up.seconds)
            b->start_up = cost;
    }
    return result;
}

int bench_run_measure_start_up(bench_run *b)
{
    return measure_from_file(b, measure_starts);
}

static int measure_prediction(bench_run *b)
{
    subprocess_cost cost;
    int result = subprocess_run(bench_net_predict, &b->net, &b->predict, sizeof b->predict, &cost);
    b->predict_memory_mb = cost.memory_mb;
    return result;
}

int bench_run_measure_net(bench_run *b)
{
    subprocess_cost cost;
    if (bench_run_trains(b)) {
        if (subprocess_run(bench_net_train, &b->net, &b->train, sizeof b->train, &cost))
            return EXIT_FAILED;
        b->train_memory_mb = cost.memory_mb;
    }
    if (!bench_run_predicts(b))
        return EXIT_DONE;
    return b->net.precision == BENCH_INT8 ? measure_from_file(b, measure_prediction) : measure_prediction(b);
}

static void take_figure(void *user, const char *name, const char *unit, double value)
{
    bench_loader *loader = user;
    bench_figure *to = &loader->figures[loader->count++];
    snprintf(to->name, sizeof to->name, "%s", name);
    snprintf(to->unit, sizeof to->unit, "%s", unit);
    to->value = value;
}

/* As many photographs as are enough to measure with. */
static int open_photographs(cnn_context *context, const data_options *data, cnn_dataset **dataset)
{
    enum { ENOUGH = 512 };
    cnn_dataset *all, *rest;
    if (data_open(context, data, CNN_PART_AUTO, &all))
        return EXIT_FAILED;
    uint64_t count = cnn_dataset_count(all);
    if (count <= ENOUGH) {
        *dataset = all;
        return EXIT_DONE;
    }
    cnn_status status = cnn_dataset_split(all, (double)ENOUGH / (double)count, 0, &rest, dataset);
    cnn_dataset_destroy(all);
    if (status)
        return output_library_error();
    cnn_dataset_destroy(rest);
    return EXIT_DONE;
}

/* Black images of a size that photographs are often stored in for training: the time to warp one doesn't depend on its
 * content. They share their pixels. */
static int make_images(cnn_context *context, cnn_tensor **pixels, cnn_dataset **dataset)
{
    enum { COUNT = 256, SIZE = 180 };
    static const char *const names[] = { "a", "b" };
    const cnn_tensor *images[COUNT];
    int32_t labels[COUNT];
    cnn_status status = cnn_tensor_create(context, CNN_UINT8, 3, (const int64_t[]){ SIZE, SIZE, 3 }, pixels);
    for (int i = 0; i < COUNT; i++) {
        images[i] = *pixels;
        labels[i] = i % 2;
    }
    if (!status)
        status = cnn_dataset_create_from_pixels(context, images, labels, COUNT, names, 2, dataset);
    return status ? output_library_error() : EXIT_DONE;
}

static int measure_loader(const void *setting, void *result)
{
    const bench_run *b = setting;
    bench_loader *loader = result;
    const bool pixels = !b->data.path;
    cnn_context *context = NULL;
    cnn_graph *graph = NULL;
    cnn_tensor *image = NULL;
    cnn_dataset *dataset = NULL;
    int wrong = context_create(&b->net.resources, &context) || net_create_graph(context, &b->net.net, &graph) ||
                (pixels ? make_images(context, &image, &dataset) : open_photographs(context, &b->data, &dataset));
    if (!wrong) {
        int64_t height = 0;
        cnn_graph_node_dims(graph, 0, &height, 1);
        loader->size = (uint32_t)height;
        const loader_benchmark_settings settings = { .context = context,
                                                     .dataset = dataset,
                                                     .pixels = pixels,
                                                     .augment = "flip,rotation=20,zoom=0.2",
                                                     .size = loader->size,
                                                     .epochs = 3,
                                                     .cache_bytes = (uint64_t)1 << 30 };
        if (loader_benchmark_measure(&settings, take_figure, loader))
            wrong = output_library_error();
    }
    cnn_dataset_destroy(dataset);
    cnn_tensor_destroy(image);
    cnn_graph_destroy(graph);
    cnn_context_destroy(context);
    return wrong ? EXIT_FAILED : EXIT_DONE;
}

int bench_run_find_machine(bench_run *b)
{
    return subprocess_run(find_machine, b, &b->machine, sizeof b->machine, NULL);
}

int bench_run_measure_machine(bench_run *b)
{
    return subprocess_run(measure_limits, b, &b->machine.limits, sizeof b->machine.limits, NULL);
}

int bench_run_measure_loader(bench_run *b)
{
    return subprocess_run(measure_loader, b, &b->loader, sizeof b->loader, NULL);
}
