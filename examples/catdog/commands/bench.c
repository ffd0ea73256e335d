#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "bench/bench_net.h"
#include "bench/loader_benchmark.h"
#include "bench/roofline.h"
#include "bench/subprocess.h"
#include "cli/arguments.h"
#include "cli/context.h"
#include "cli/idle.h"
#include "cli/output.h"

static const char *const precision_names[] = { "fp32", "bf16", "int8", NULL };

enum { PART_ALL, PART_MACHINE, PART_NET, PART_LOADER };
static const char *const part_names[] = { "all", "machine", "net", "loader", NULL };

/* What the library runs on, and its limits. */
typedef struct machine {
    char instruction_set[32];
    unsigned threads;
    roofline_limits limits;
} machine;

typedef struct figure {
    char name[32], unit[32];
    double value;
} figure;

typedef struct loader_figures {
    uint32_t size; /* of the network's input */
    unsigned count;
    figure items[8];
} loader_figures;

typedef struct bench {
    bench_net net;
    int part, json;
    const char *data;
    machine machine;
    bench_net_times train, predict;
    double train_memory_mb, predict_memory_mb;
    subprocess_cost start_up;
    loader_figures loader;
} bench;

static bool has(const bench *b, int part)
{
    return b->part == PART_ALL || b->part == part;
}

static bool trains(const bench *b)
{
    return has(b, PART_NET) && b->net.precision != BENCH_INT8;
}

/* Prediction is in floats whatever training is in. */
static bool predicts(const bench *b)
{
    return has(b, PART_NET) && b->net.precision != CNN_PRECISION_BFLOAT16;
}

static int find_machine(const void *setting, void *result)
{
    const bench *b = setting;
    machine *found = result;
    cnn_context *context;
    if (context_create(b->net.threads, &context))
        return EXIT_FAILED;
    found->threads = cnn_context_threads(context);
    snprintf(found->instruction_set, sizeof found->instruction_set, "%s", cnn_context_instruction_set(context));
    cnn_context_destroy(context);
    return EXIT_DONE;
}

static int measure_machine(const void *setting, void *limits)
{
    const machine *m = &((const bench *)setting)->machine;
    if (!roofline_measure(m->threads, m->instruction_set, limits))
        return EXIT_DONE;
    output_error("bench: no memory or threads to measure %u threads", m->threads);
    return EXIT_FAILED;
}

/* From before a process has anything of the library to its first prediction. */
static int measure_start_up(bench *b)
{
    enum { REPEATS = 9 };
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/catdog-bench-XXXXXX", folder && *folder ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0) {
        output_error("bench: %s: a file for the model can't be made", path);
        return EXIT_FAILED;
    }
    close(file);
    b->net.model = path;
    int result = subprocess_run(bench_net_save, &b->net, NULL, 0, NULL);
    for (int i = 0; i < REPEATS && result == EXIT_DONE; i++) {
        subprocess_cost cost;
        result = subprocess_run(bench_net_start, &b->net, NULL, 0, &cost);
        if (!i || cost.seconds < b->start_up.seconds)
            b->start_up = cost;
    }
    unlink(path);
    return result;
}

static int measure_net(bench *b)
{
    subprocess_cost cost;
    if (trains(b)) {
        if (subprocess_run(bench_net_train, &b->net, &b->train, sizeof b->train, &cost))
            return EXIT_FAILED;
        b->train_memory_mb = cost.memory_mb;
    }
    if (predicts(b)) {
        if (subprocess_run(bench_net_predict, &b->net, &b->predict, sizeof b->predict, &cost))
            return EXIT_FAILED;
        b->predict_memory_mb = cost.memory_mb;
    }
    return EXIT_DONE;
}

static void take_figure(void *user, const char *name, const char *unit, double value)
{
    loader_figures *figures = user;
    figure *to = &figures->items[figures->count++];
    snprintf(to->name, sizeof to->name, "%s", name);
    snprintf(to->unit, sizeof to->unit, "%s", unit);
    to->value = value;
}

/* Photographs of a path: enough of them to measure by. */
static cnn_status open_photographs(cnn_context *context, const char *path, cnn_dataset **dataset)
{
    enum { ENOUGH = 512 };
    cnn_dataset *all, *rest;
    cnn_status status = cnn_dataset_open(context, path, NULL, &all);
    if (status)
        return status;
    uint64_t count = cnn_dataset_count(all);
    if (count <= ENOUGH) {
        *dataset = all;
        return CNN_OK;
    }
    status = cnn_dataset_split(all, (double)ENOUGH / (double)count, 0, &rest, dataset);
    cnn_dataset_destroy(all);
    if (!status)
        cnn_dataset_destroy(rest);
    return status;
}

/* Images of one colour, of the size that photographs are often kept in for training: how long it takes to warp one
 * doesn't depend on what it shows. They share their pixels. */
static cnn_status make_images(cnn_context *context, cnn_tensor **pixels, cnn_dataset **dataset)
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
    return status ? status : cnn_dataset_create_from_pixels(context, images, labels, COUNT, names, 2, dataset);
}

static int measure_loader(const void *setting, void *result)
{
    const bench *b = setting;
    loader_figures *figures = result;
    cnn_context *context;
    cnn_graph *graph = NULL;
    cnn_tensor *pixels = NULL;
    cnn_dataset *dataset = NULL;
    if (context_create(b->net.threads, &context) || net_create_graph(context, &b->net.net, &graph))
        return EXIT_FAILED;
    figures->size = (uint32_t)cnn_graph_node_shape(graph, 0).dims[0];
    cnn_status status =
        b->data ? open_photographs(context, b->data, &dataset) : make_images(context, &pixels, &dataset);
    const loader_benchmark_settings settings = { .context = context,
                                                 .dataset = dataset,
                                                 .pixels = !b->data,
                                                 .augment = "flip,rotation=20,zoom=0.2",
                                                 .size = figures->size,
                                                 .epochs = 3,
                                                 .cache_bytes = (uint64_t)1 << 30 };
    if (!status)
        status = loader_benchmark_measure(&settings, take_figure, figures);
    int failed = status ? output_library_error() : EXIT_DONE;
    cnn_dataset_destroy(dataset);
    cnn_tensor_destroy(pixels);
    cnn_graph_destroy(graph);
    cnn_context_destroy(context);
    return failed;
}

/* What so many operations in so much time are of the peak for the precision; 0 if that wasn't measured. */
static double percent_of_peak(const bench *b, double operations, double seconds)
{
    const roofline_limits *limits = &b->machine.limits;
    const double peaks[] = { limits->fp32, limits->bf16, limits->int8 };
    double peak = peaks[b->net.precision];
    return peak > 0 ? 100 * operations / seconds * 1e-9 / peak : 0;
}

/* The figures of the net, by the names that they have in JSON. A percentage of 0 wasn't measured. */
typedef struct net_figures {
    double train_rate, train_percent, latency_ms, latency_percent, predict_rate, predict_percent;
} net_figures;

static net_figures net_figures_of(const bench *b)
{
    const double batch = (double)b->net.batch, predicted = b->predict.flops, trained = 3 * b->train.flops;
    return (net_figures){
        .train_rate = batch / b->train.batch,
        .train_percent = percent_of_peak(b, batch * trained, b->train.batch),
        .latency_ms = 1000 * b->predict.one,
        .latency_percent = percent_of_peak(b, predicted, b->predict.one),
        .predict_rate = batch / b->predict.batch,
        .predict_percent = percent_of_peak(b, batch * predicted, b->predict.batch),
    };
}

static json_t *machine_json(const machine *m)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "instruction_set", m->instruction_set, "fp32_gflops",
                     output_json_number(m->limits.fp32), "bf16_gflops", output_json_number(m->limits.bf16), "int8_gops",
                     output_json_number(m->limits.int8), "read_gb_per_second", output_json_number(m->limits.read),
                     "copy_gb_per_second", output_json_number(m->limits.copy));
}

static void add_number(json_t *object, const char *name, double value)
{
    json_object_set_new(object, name, output_json_number(value));
}

static void add_net(const bench *b, json_t *object)
{
    const net_figures f = net_figures_of(b);
    const bool percent = b->machine.limits.fp32 > 0;
    if (trains(b)) {
        add_number(object, "train_images_per_second", f.train_rate);
        if (percent)
            add_number(object, "train_percent_of_peak", f.train_percent);
        add_number(object, "train_memory_mb", b->train_memory_mb);
    }
    if (predicts(b)) {
        add_number(object, "predict_latency_ms", f.latency_ms);
        if (percent)
            add_number(object, "predict_latency_percent_of_peak", f.latency_percent);
        add_number(object, "predict_images_per_second", f.predict_rate);
        if (percent)
            add_number(object, "predict_percent_of_peak", f.predict_percent);
        add_number(object, "predict_memory_mb", b->predict_memory_mb);
    }
    add_number(object, "start_up_ms", 1000 * b->start_up.seconds);
    add_number(object, "start_up_memory_mb", b->start_up.memory_mb);
}

static json_t *loader_json(const bench *b)
{
    json_t *object =
        json_pack("{s:i,s:o}", "size", (int)b->loader.size, "data", b->data ? output_json_text(b->data) : json_null());
    for (unsigned i = 0; i < b->loader.count; i++) {
        const figure *item = &b->loader.items[i];
        char name[sizeof item->name + sizeof item->unit];
        snprintf(name, sizeof name, "%s_%s", item->name, item->unit);
        add_number(object, name, item->value);
    }
    return object;
}

static int print_json(const bench *b)
{
    json_t *object = json_pack("{s:o,s:s,s:I,s:I}", "net", output_json_text(b->net.net.name), "precision",
                               precision_names[b->net.precision], "threads", (json_int_t)b->machine.threads, "batch",
                               (json_int_t)b->net.batch);
    if (has(b, PART_MACHINE))
        json_object_set_new(object, "machine", machine_json(&b->machine));
    if (has(b, PART_NET))
        add_net(b, object);
    if (has(b, PART_LOADER))
        json_object_set_new(object, "loader", loader_json(b));
    return output_json(object, JSON_INDENT(2)) ? EXIT_FAILED : output_finish();
}

static void print_machine(const bench *b)
{
    const machine *m = &b->machine;
    printf("this machine, %s, %u thread%s\n", m->instruction_set, m->threads, m->threads == 1 ? "" : "s");
    printf("  fp32                    %10.1f GFLOP/s\n", m->limits.fp32);
    printf("  bf16                    %10.1f GFLOP/s\n", m->limits.bf16);
    printf("  int8                    %10.1f GOP/s\n", m->limits.int8);
    printf("  reading memory          %10.1f GB/s\n", m->limits.read);
    printf("  copying memory          %10.1f GB/s\n", m->limits.copy);
    output_flush();
}

static void print_figure(const char *name, double value, const char *unit, double percent, double memory_mb)
{
    printf("  %-23s %10.*f %s", name, value < 100 ? 2 : 1, value, unit);
    if (percent > 0)
        printf(",%6.1f %% of peak", percent);
    if (memory_mb > 0)
        printf(", %.0f MB", memory_mb);
    printf("\n");
}

static void print_net(const bench *b)
{
    const net_figures f = net_figures_of(b);
    char name[32];
    printf("%s, %s, %u thread%s, %s\n", b->net.net.name, precision_names[b->net.precision], b->machine.threads,
           b->machine.threads == 1 ? "" : "s", b->machine.instruction_set);
    snprintf(name, sizeof name, "training, batch %llu", (unsigned long long)b->net.batch);
    if (trains(b))
        print_figure(name, f.train_rate, "images/s", f.train_percent, b->train_memory_mb);
    snprintf(name, sizeof name, "prediction, batch %llu", (unsigned long long)b->net.batch);
    if (predicts(b)) {
        print_figure(name, f.predict_rate, "images/s", f.predict_percent, b->predict_memory_mb);
        print_figure("prediction of one", f.latency_ms, "ms", f.latency_percent, 0);
    }
    print_figure("start-up, then one", 1000 * b->start_up.seconds, "ms", 0, b->start_up.memory_mb);
    output_flush();
}

static void print_loader(const bench *b)
{
    printf("loader, %s%s to %u px, %u thread%s\n", b->data ? "photographs" : "images in memory, 180",
           b->data ? "" : " px", b->loader.size, b->machine.threads, b->machine.threads == 1 ? "" : "s");
    for (unsigned i = 0; i < b->loader.count; i++) {
        const figure *item = &b->loader.items[i];
        const bool stage = !strcmp(item->unit, "us");
        char name[sizeof item->name];
        snprintf(name, sizeof name, "%s", item->name);
        for (char *at = name; *at; at++)
            *at = *at == '_' ? ' ' : *at;
        print_figure(name, item->value, stage ? "µs" : "images/s", 0, 0);
    }
}

static int run_bench(bench *b)
{
    machine *m = &b->machine;
    int result = subprocess_run(find_machine, b, m, sizeof *m, NULL);
    if (!result && has(b, PART_NET)) /* first, as this finds out whether the net can be made */
        result = measure_start_up(b);
    if (!result && has(b, PART_MACHINE))
        result = subprocess_run(measure_machine, b, &m->limits, sizeof m->limits, NULL);
    if (!result && has(b, PART_MACHINE) && !b->json)
        print_machine(b);
    if (!result && has(b, PART_NET))
        result = measure_net(b);
    if (!result && has(b, PART_NET) && !b->json)
        print_net(b);
    if (!result && has(b, PART_LOADER))
        result = subprocess_run(measure_loader, b, &b->loader, sizeof b->loader, NULL);
    if (!result && has(b, PART_LOADER) && !b->json)
        print_loader(b);
    if (result)
        return result;
    return b->json ? print_json(b) : output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    bench b = { .net = { .net = { .name = "four_conv", .dropout = -1 }, .batch = 32 } };
    const option options[] = {
        NET_OPTIONS(b.net.net),
        { "batch", "N", "images in a step (32)", OPTION_WHOLE, &b.net.batch, 1, 4096 },
        { "precision", "NAME", "fp32; bf16: training alone; int8: prediction alone (fp32)", OPTION_CHOICE,
          &b.net.precision, .choices = precision_names },
        { "data", "PATH", "photographs to measure the loader with (images in memory)", OPTION_TEXT, &b.data },
        { "part", "NAME", "what to measure: all, machine, net, loader (all)", OPTION_CHOICE, &b.part,
          .choices = part_names },
        { "threads", "N", "threads to use (all processors)", OPTION_WHOLE, &b.net.threads, 1, 256 },
        { "json", NULL, "print the figures as JSON", OPTION_FLAG, &b.json },
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (idle_check_bench(command, has(&b, PART_NET), has(&b, PART_LOADER)) || net_check(command, &b.net.net))
        return EXIT_USAGE;
    return run_bench(&b);
}

const catdog_command bench_command = {
    "bench",
    "measure this machine, and how fast it trains and predicts",
    "[OPTION]...",
    "Measures what this machine can do at most: arithmetic of each precision, and memory.\n"
    "Then how fast it trains a network (Adam) and predicts with it, on images that are in\n"
    "memory, and what percentage of the peak that is (more than 100 where a convolution\n"
    "takes fewer operations than its definition); how much memory that takes; how long it\n"
    "takes from a model's file to a first prediction; and the stages of the loader.\n"
    "Takes about ten seconds. Nothing else should run meanwhile.\n\n"
    "  catdog bench\n"
    "  catdog bench --data PetImages\n"
    "  catdog bench --precision bf16\n"
    "  catdog bench --precision int8 --part net\n"
    "  catdog bench --net two_conv --batch 64 --threads 2 --json\n",
    run,
};
