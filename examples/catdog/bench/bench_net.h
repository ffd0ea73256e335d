/* How fast a network trains and predicts, on images of noise that are in memory. */
#ifndef CATDOG_BENCH_BENCH_NET_H
#define CATDOG_BENCH_BENCH_NET_H

#include "cli/net_options.h"

/* In the order of cnn_precision, and quantised. */
enum { BENCH_INT8 = CNN_PRECISION_BFLOAT16 + 1 };

typedef struct bench_net {
    net_arguments net;
    uint64_t batch, threads;
    int precision;
    const char *model; /* the file that bench_net_save writes and bench_net_start reads */
} bench_net;

/* Medians. */
typedef struct bench_net_times {
    double one, batch; /* seconds of a step of training, or of predictions of one image and of a batch */
    double flops;      /* of one prediction of one image */
} bench_net_times;

/* For subprocess_run: the setting is a bench_net. Training gives `batch`, with a step counted as three predictions: the
 * gradients by weights and by inputs cost as much as what they are of. */
int bench_net_train(const void *setting, void *times);
int bench_net_predict(const void *setting, void *times);

/* Writes a model's file; and what a program does before it can use one: makes a context, loads it, and predicts an
 * image. The result isn't used. */
int bench_net_save(const void *setting, void *nothing);
int bench_net_start(const void *setting, void *nothing);

#endif
