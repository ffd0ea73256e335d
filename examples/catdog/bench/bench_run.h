/* One run of `catdog bench`: what it measures, and the results. */
#ifndef CATDOG_BENCH_BENCH_RUN_H
#define CATDOG_BENCH_BENCH_RUN_H

#include <stdbool.h>

#include "bench/bench_net.h"
#include "bench/roofline.h"
#include "bench/subprocess.h"
#include "cli/data.h"

enum { BENCH_ALL, BENCH_MACHINE, BENCH_NET, BENCH_LOADER };

/* What the library runs on, and its limits. */
typedef struct bench_machine {
    char instruction_set[32];
    unsigned threads;
    roofline_limits limits;
} bench_machine;

typedef struct bench_figure {
    char name[32], unit[32];
    double value;
} bench_figure;

typedef struct bench_loader {
    uint32_t size; /* of the network's input */
    unsigned count;
    bench_figure figures[8];
} bench_loader;

typedef struct bench_run {
    bench_net net;
    int part;          /* BENCH_ALL or one of those that follow it */
    data_options data; /* for the loader; path NULL: images in memory */

    /* The results. */
    bench_machine machine;
    bench_net_times train, predict;
    double train_memory_mb, predict_memory_mb;
    subprocess_cost start_up;
    bench_loader loader;
} bench_run;

/* Whether the run includes that part; and, as parts of it, training and prediction: bfloat16 is for training alone,
 * int8 for prediction alone. */
bool bench_run_has(const bench_run *b, int part);
bool bench_run_trains(const bench_run *b);
bool bench_run_predicts(const bench_run *b);

/* Each fills in a part of the results, in processes of its own. EXIT_DONE, or another status with a sentence printed.
 * `bench_run_find_machine` comes first. Start-up is from the start of a process to its first prediction. */
int bench_run_find_machine(bench_run *b);
int bench_run_measure_machine(bench_run *b);
int bench_run_measure_start_up(bench_run *b);
int bench_run_measure_net(bench_run *b);
int bench_run_measure_loader(bench_run *b);

#endif
