/* The struct behind cnn_loader, which loader.c and loader_create.c share. */
#ifndef CNN_DATA_LOADER_INTERNAL_H
#define CNN_DATA_LOADER_INTERNAL_H

#include "core/fork.h"
#include "core/thread.h"
#include "data/dataset_internal.h"
#include "data/pixel_cache.h"

enum { CNN_LOADER_CHANNELS = 3 };

/* A batch, being filled or in use. */
typedef struct cnn_loader_slot {
    cnn_tensor *images;
    int32_t *labels;
    uint64_t *indices;
    uint32_t count;   /* images in its batch */
    uint32_t pending; /* of them not yet prepared */
    cnn_status status;
    uint32_t failed_row; /* the first, whichever failed first in time */
    char error[1024];
} cnn_loader_slot;

struct cnn_loader {
    cnn_context *context;
    const cnn_dataset *dataset;
    cnn_loader_options options; /* its pointers are to the copies below */
    cnn_augment augment;
    cnn_preprocess preprocess;
    cnn_image_options decoding;
    int fit;           /* for it; unknown where augmentation moves the photograph about */
    size_t image_size; /* floats in one network input */
    uint32_t *order;   /* of the epoch: indices into the dataset */
    cnn_pixel_cache *cache;
    cnn_loader_slot *slots;
    uint32_t slot_count;
    cnn_thread *workers;
    uint32_t worker_count;

    cnn_mutex mutex;     /* guards all below, and the slots' counts and errors */
    cnn_condition work;  /* there may be images to take */
    cnn_condition ready; /* a slot is filled, or busy has become 0 */
    cnn_fork_guard fork_guard;
    bool stop, started, failed;
    bool draining; /* a new epoch waits for busy to be 0 */
    uint32_t epoch;
    uint64_t next, limit; /* places in the order: the next to take, and where to stop for now */
    uint64_t taken;       /* batches handed out in this epoch */
    uint32_t busy;        /* images being prepared */
};

/* Fewer threads than asked for give the same results, later. */
cnn_status cnn_loader_start_workers(cnn_loader *loader);

/* After a fork, in the child. There are no workers, and nobody has the images that they had taken: the epoch under way
 * has ended. The next one starts them again. */
void cnn_loader_forget_workers(void *loader);

#endif
