/* The time of each of the loader's stages, and the loader's images per second.
 *
 * A stage is measured on one thread over the same images again and again; the shortest time counts. The whole loader is
 * measured over epochs, of which the median counts: from files and from decoded bytes, as it is and augmented. */
#ifndef CATDOG_BENCH_LOADER_BENCHMARK_H
#define CATDOG_BENCH_LOADER_BENCHMARK_H

#include <cnn/cnn.h>

enum { LOADER_BENCHMARK_MOST_EPOCHS = 32 };

typedef struct loader_benchmark_settings {
    cnn_context *context;
    const cnn_dataset *dataset;
    int pixels;           /* the dataset is of images in memory: there are no files to read and decode */
    const char *augment;  /* a list for cnn_augment_parse */
    uint32_t size;        /* height and width of the network's input */
    uint32_t workers;     /* 0: the context's threads */
    uint32_t epochs;      /* 1 to LOADER_BENCHMARK_MOST_EPOCHS */
    uint64_t cache_bytes; /* 0: decoded bytes aren't kept, and that isn't measured */
} loader_benchmark_settings;

/* Receives one result: its name, its unit ("us", for an image, or "images_per_second") and its value. */
typedef void (*loader_benchmark_taker)(void *user, const char *name, const char *unit, double value);

cnn_status loader_benchmark_measure(const loader_benchmark_settings *settings, loader_benchmark_taker take, void *user);

#endif
