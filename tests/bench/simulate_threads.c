/* How much faster a net would be on more threads than this machine has.
 *
 *     simulate_threads [--net NAME] [--batch N] [--image] [--rounds N] [--threads N] [--layers]
 *
 * Prints the speed-up of a training step (or, with --image, of the prediction of one image) at 2 to 128 threads, or at
 * the number given; with --layers also which operations lose most there. For each number of threads the library cuts
 * its work as it would for them; all tasks run on this thread, and the least time of each is kept; then they are shared
 * out as the pool does, at the cost of starting a job that was measured here on two threads. What a simulation doesn't
 * know: that many cores share memory, caches and power. */
#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/cnn.h>

#include "core/thread_pool.h"
#include "job_schedule.h"
#include "recording_pool.h"
#include "runtime/session.h"

enum { MOST_OPERATIONS = 1024, OTHER = 2 * MOST_OPERATIONS, LABELS }; /* labels: forward, backward, all else */

typedef struct options {
    const char *net;
    uint32_t batch, rounds, threads;
    bool image, layers;
} options;

/* What one operation takes. */
typedef struct share {
    const char *name;
    double alone, shared; /* seconds on one thread; on many */
    char jobs[96];        /* tasks of each, and milliseconds on many threads */
} share;

typedef struct work {
    cnn_context *context;
    cnn_graph *graph;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_tensor *images, *outputs, *targets, *gradient;
    uint64_t step;
} work;

static share shares[LABELS];

static void check(cnn_status status)
{
    if (!status)
        return;
    fprintf(stderr, "simulate_threads: %s\n", cnn_last_error());
    exit(1);
}

/* The library's own, and a label for the jobs that come now: see meson.build. */
cnn_layer_pass __real_cnn_run_start(const cnn_run *run, int32_t i);
cnn_layer_pass __wrap_cnn_run_start(const cnn_run *run, int32_t i);
static bool backward;

cnn_layer_pass __wrap_cnn_run_start(const cnn_run *run, int32_t i)
{
    int label = i + (backward ? MOST_OPERATIONS : 0);
    shares[label].name = run->program->operations[i].layer.type->name;
    recording_label(label);
    return __real_cnn_run_start(run, i);
}

static void train_step(work *w)
{
    const cnn_tensor *logits;
    recording_label(OTHER);
    backward = false;
    check(cnn_model_forward(w->model, w->images, 0, w->step++, &logits));
    recording_label(OTHER);
    check(cnn_loss_compute(CNN_LOSS_AUTO, 0, logits, w->targets, NULL, w->gradient));
    backward = true;
    check(cnn_model_backward(w->model, w->gradient));
    recording_label(OTHER);
    check(cnn_optimizer_step(w->optimizer, 1e-5f));
}

static void predict(work *w)
{
    recording_label(OTHER);
    backward = false;
    check(cnn_model_predict(w->model, w->images, w->outputs));
}

typedef int32_t shape_of(const cnn_model *model, int64_t *dims, int32_t capacity);

static cnn_tensor *create_batch(const work *w, const options *o, shape_of *shape)
{
    int64_t dims[CNN_MAX_RANK] = { o->image ? 1 : o->batch };
    int32_t rank = shape(w->model, dims + 1, CNN_MAX_RANK - 1);
    cnn_tensor *tensor;
    check(cnn_tensor_create(w->context, CNN_FLOAT32, 1 + rank, dims, &tensor));
    return tensor;
}

static work prepare(const options *o, uint32_t threads)
{
    work w = { .step = 0 };
    cnn_context_options resources;
    cnn_context_options_init(&resources);
    resources.threads = threads;
    check(cnn_context_create(&resources, &w.context));
    check(cnn_graph_create_net(w.context, o->net, NULL, &w.graph));
    check(cnn_model_create(w.context, w.graph, 0, &w.model));
    check(cnn_optimizer_create(w.model, NULL, &w.optimizer));
    w.images = create_batch(&w, o, cnn_model_input_dims);
    w.outputs = create_batch(&w, o, cnn_model_output_dims);
    w.targets = create_batch(&w, o, cnn_model_output_dims);
    w.gradient = create_batch(&w, o, cnn_model_output_dims);
    float *pixels = cnn_tensor_data(w.images), *targets = cnn_tensor_data(w.targets);
    for (int64_t i = 0; i < cnn_tensor_count(w.images); i++)
        pixels[i] = (float)((uint32_t)i * 2654435761u >> 8) * (2.0f / 16777216.0f) - 1.0f;
    for (int64_t i = 0; i < cnn_tensor_count(w.targets); i++)
        targets[i] = (float)(i % 2);
    return w;
}

static void release(work *w)
{
    cnn_tensor_destroy(w->images);
    cnn_tensor_destroy(w->outputs);
    cnn_tensor_destroy(w->targets);
    cnn_tensor_destroy(w->gradient);
    cnn_optimizer_destroy(w->optimizer);
    cnn_model_destroy(w->model);
    cnn_graph_destroy(w->graph);
    cnn_context_destroy(w->context);
}

static void note_job(share *of, size_t tasks, double seconds)
{
    size_t length = strlen(of->jobs);
    snprintf(of->jobs + length, sizeof of->jobs - length, "%s%zu: %.3f", length ? ", " : "", tasks, 1e3 * seconds);
}

/* Seconds of what was recorded, had the pool shared it out; adds up each operation's in `shares`. */
static double schedule(uint32_t threads, pool_cost cost)
{
    recording r = recording_get();
    double whole = r.after;
    for (size_t i = 0; i < r.count; i++) {
        const recorded_job *job = &r.jobs[i];
        double seconds = job->before + schedule_job(r.seconds + job->first, job->tasks, threads, cost);
        share *of = &shares[job->label];
        whole += seconds;
        *(threads == 1 ? &of->alone : &of->shared) += seconds;
        if (threads > 1)
            note_job(of, job->tasks, seconds);
    }
    return whole;
}

static double simulate(const options *o, uint32_t threads, pool_cost cost)
{
    work w = prepare(o, threads);
    void (*run)(work *) = o->image ? predict : train_step;
    run(&w); /* the first allocates */
    for (uint32_t i = 0; i < o->rounds; i++) {
        recording_start();
        run(&w);
        recording_stop();
    }
    for (int i = 0; i < LABELS && threads > 1; i++) {
        shares[i].shared = 0;
        shares[i].jobs[0] = 0;
    }
    double seconds = schedule(threads, cost);
    recording_clear();
    release(&w);
    return seconds;
}

/* The library's pool, compiled under names of its own: see meson.build. */
cnn_pool *threads_create(uint32_t threads, uint32_t processors);
void threads_destroy(cnn_pool *pool);
void threads_run(cnn_pool *pool, uint32_t threads, size_t count, cnn_task task, void *argument);

static void do_nothing(void *argument, size_t task, uint32_t worker)
{
    (void)argument, (void)task, (void)worker;
}

/* Ends when both tasks of the job have begun. */
static void meet(void *argument, size_t task, uint32_t worker)
{
    (void)task, (void)worker;
    atomic_int *arrived = argument;
    for (int all = atomic_fetch_add(arrived, 1) / 2 * 2 + 2; all > atomic_load(arrived);)
        ;
}

/* Seconds of a job on two threads, at best. */
static double time_job(cnn_pool *pool, size_t tasks, cnn_task task)
{
    enum { BATCHES = 500, JOBS = 20 };
    double best = 1;
    for (int batch = 0; batch < BATCHES; batch++) {
        atomic_int arrived = 0;
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < JOBS; i++)
            threads_run(pool, 0, tasks, task, &arrived);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double seconds = ((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec)) / JOBS;
        best = seconds < best ? seconds : best;
    }
    return best;
}

/* A task's cost is that of a thread which takes many alone. */
static pool_cost measure_pool(void)
{
    enum { MANY = 1000 };
    cnn_pool *pool = threads_create(2, 2);
    if (!pool)
        exit(1);
    pool_cost cost = { .start = time_job(pool, 2, meet), .take = time_job(pool, MANY, do_nothing) / MANY };
    threads_destroy(pool);
    return cost;
}

static double lost(const share *s, uint32_t threads)
{
    return s->shared - s->alone / threads;
}

static uint32_t threads_to_compare;

static int compare_lost(const void *a, const void *b)
{
    double x = lost(*(share *const *)a, threads_to_compare), y = lost(*(share *const *)b, threads_to_compare);
    return (x < y) - (x > y);
}

/* Operations by what they lose, worst first. */
static void print_layers(uint32_t threads, double whole)
{
    enum { MOST_LINES = 25 };
    const share *sorted[LABELS];
    for (int i = 0; i < LABELS; i++)
        sorted[i] = &shares[i];
    shares[OTHER].name = "loss, optimizer";
    threads_to_compare = threads;
    qsort(sorted, LABELS, sizeof sorted[0], compare_lost);
    printf("%-28s %10s %10s %9s %7s  %s\n", "operation", "ms alone", "ms", "speed-up", "lost", "its jobs' tasks: ms");
    for (int i = 0; i < MOST_LINES && sorted[i]->shared > 0; i++) {
        const share *s = sorted[i];
        int label = (int)(s - shares);
        char name[64];
        snprintf(name, sizeof name, label == OTHER ? "%s" : "%s %d %s", s->name, label % MOST_OPERATIONS,
                 label < MOST_OPERATIONS ? "forward" : "backward");
        printf("%-28s %10.4f %10.4f %9.1f %6.1f%%  %s\n", name, 1e3 * s->alone, 1e3 * s->shared, s->alone / s->shared,
               100 * lost(s, threads) / whole, s->jobs);
    }
}

static uint32_t number(const char *text)
{
    long value = strtol(text, NULL, 10);
    if (value < 1 || value > 100000) {
        fprintf(stderr, "simulate_threads: %s is no number from 1 to 100000\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "net", required_argument, NULL, 'n' },
        { "batch", required_argument, NULL, 'b' },
        { "rounds", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },
        { "image", no_argument, NULL, 'i' },
        { "layers", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    options o = { .net = "four_conv", .batch = 32, .rounds = 3 };
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 'n': o.net = optarg; break;
        case 'b': o.batch = number(optarg); break;
        case 'r': o.rounds = number(optarg); break;
        case 't': o.threads = number(optarg); break;
        case 'i': o.image = true; break;
        case 'l': o.layers = true; break;
        default: exit(2);
        }
    if (o.threads > MOST_THREADS) {
        fprintf(stderr, "simulate_threads: at most %d threads are possible\n", MOST_THREADS);
        exit(2);
    }
    return o;
}

int main(int argc, char **argv)
{
    options o = read_options(argc, argv);
    pool_cost cost = measure_pool();
    double alone = simulate(&o, 1, cost);
    printf("%s, %s: %.3f ms on one thread; a job costs %.2f us to start, a task %.3f us\n", o.net,
           o.image ? "one image" : "a training step", 1e3 * alone, 1e6 * cost.start, 1e6 * cost.take);
    printf("%8s %10s %9s\n", "threads", "ms", "speed-up");
    for (uint32_t threads = o.threads ? o.threads : 2; threads <= (o.threads ? o.threads : 128); threads *= 2) {
        double seconds = simulate(&o, threads, cost);
        printf("%8u %10.3f %9.1f\n", threads, 1e3 * seconds, alone / seconds);
        if (o.layers)
            print_layers(threads, seconds);
    }
    return 0;
}
