/* The speed of a network in training and prediction, on images of noise in memory. */
#ifndef CATDOG_BENCH_BENCH_NET_H
#define CATDOG_BENCH_BENCH_NET_H

#include "cli/context.h"
#include "cli/net_options.h"

/* In the order of cnn_precision, and quantised. */
enum { BENCH_INT8 = CNN_PRECISION_BFLOAT16 + 1 };

typedef struct bench_net {
    net_arguments net;
    context_options resources;
    uint64_t batch;
    int precision;
    const char *model; /* the file that bench_net_save writes, and the others read; NULL: they make the model */
} bench_net;

/* Medians. */
typedef struct bench_net_times {
    double one, batch; /* seconds for one image and for a batch */
    double flops;      /* of one prediction of one image */
} bench_net_times;

/* For subprocess_run: the setting is a bench_net. A step of training, of which only `batch` is measured, counts as
 * three predictions: the gradients by weights and by inputs each take as many operations as the forward pass. */
int bench_net_train(const void *setting, void *times);
int bench_net_predict(const void *setting, void *times);

/* Writes a model's file; and starts up with it: makes a context, loads the model and predicts an image. */
int bench_net_save(const void *setting, void *nothing);
int bench_net_start(const void *setting, void *nothing);

#endif
