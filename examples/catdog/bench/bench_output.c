#include "bench/bench_output.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

const char *const bench_precisions[] = { "fp32", "bf16", "int8", NULL };

/* The percentage of the precision's peak that so many operations in so much time are; 0 if the peak wasn't measured. */
static double percent_of_peak(const bench_run *b, double operations, double seconds)
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

static net_figures net_figures_of(const bench_run *b)
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

static json_t *machine_json(const bench_machine *m)
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

static void add_net(const bench_run *b, json_t *object)
{
    const net_figures f = net_figures_of(b);
    const bool percent = b->machine.limits.fp32 > 0;
    if (bench_run_trains(b)) {
        add_number(object, "train_images_per_second", f.train_rate);
        if (percent)
            add_number(object, "train_percent_of_peak", f.train_percent);
        add_number(object, "train_memory_mb", b->train_memory_mb);
    }
    if (bench_run_predicts(b)) {
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

static json_t *loader_json(const bench_run *b)
{
    json_t *object = json_pack("{s:i,s:o}", "size", (int)b->loader.size, "data",
                               b->data.path ? output_json_text(b->data.path) : json_null());
    for (unsigned i = 0; i < b->loader.count; i++) {
        const bench_figure *item = &b->loader.figures[i];
        char name[sizeof item->name + sizeof item->unit];
        snprintf(name, sizeof name, "%s_%s", item->name, item->unit);
        add_number(object, name, item->value);
    }
    return object;
}

int bench_output_json(const bench_run *b)
{
    json_t *object = json_pack("{s:o,s:s,s:I,s:I}", "net", output_json_text(b->net.net.name), "precision",
                               bench_precisions[b->net.precision], "threads", (json_int_t)b->machine.threads, "batch",
                               (json_int_t)b->net.batch);
    if (bench_run_has(b, BENCH_MACHINE))
        json_object_set_new(object, "machine", machine_json(&b->machine));
    if (bench_run_has(b, BENCH_NET))
        add_net(b, object);
    if (bench_run_has(b, BENCH_LOADER))
        json_object_set_new(object, "loader", loader_json(b));
    return output_json(object, JSON_INDENT(2)) ? EXIT_FAILED : output_finish();
}

void bench_output_machine(const bench_run *b)
{
    const bench_machine *m = &b->machine;
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

void bench_output_net(const bench_run *b)
{
    const net_figures f = net_figures_of(b);
    char name[32];
    printf("%s, %s, %u thread%s, %s\n", b->net.net.name, bench_precisions[b->net.precision], b->machine.threads,
           b->machine.threads == 1 ? "" : "s", b->machine.instruction_set);
    snprintf(name, sizeof name, "training, batch %llu", (unsigned long long)b->net.batch);
    if (bench_run_trains(b))
        print_figure(name, f.train_rate, "images/s", f.train_percent, b->train_memory_mb);
    snprintf(name, sizeof name, "prediction, batch %llu", (unsigned long long)b->net.batch);
    if (bench_run_predicts(b)) {
        print_figure(name, f.predict_rate, "images/s", f.predict_percent, b->predict_memory_mb);
        print_figure("prediction of one", f.latency_ms, "ms", f.latency_percent, 0);
    }
    print_figure("start-up, then one", 1000 * b->start_up.seconds, "ms", 0, b->start_up.memory_mb);
    output_flush();
}

void bench_output_loader(const bench_run *b)
{
    printf("loader, %s%s to %u px, %u thread%s\n", b->data.path ? "photographs" : "images in memory, 180",
           b->data.path ? "" : " px", b->loader.size, b->machine.threads, b->machine.threads == 1 ? "" : "s");
    for (unsigned i = 0; i < b->loader.count; i++) {
        const bench_figure *item = &b->loader.figures[i];
        const bool stage = !strcmp(item->unit, "us");
        char name[sizeof item->name];
        snprintf(name, sizeof name, "%s", item->name);
        for (char *at = name; *at; at++)
            *at = *at == '_' ? ' ' : *at;
        print_figure(name, item->value, stage ? "µs" : "images/s", 0, 0);
    }
}
