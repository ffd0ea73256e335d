/* The struct behind cnn_context, for the room that owns it and those that read its limits. */
#ifndef CNN_CORE_CONTEXT_INTERNAL_H
#define CNN_CORE_CONTEXT_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <cnn/context.h>

#include "core/cpu.h"
#include "core/thread_pool.h"

enum { CNN_MAX_THREADS = 256 };

struct cnn_context {
    void *(*allocate)(size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *allocator_user;
    size_t memory_limit;        /* SIZE_MAX: none */
    atomic_size_t memory, peak; /* bytes in use, and the most at any time */
    atomic_uint cancellations;  /* so far: see core/cancel.h */
    void (*log)(cnn_log_level level, const char *message, void *user);
    void *log_user;
    cnn_log_level least_level; /* of the messages that the log is given */
    cnn_tier tier;
    uint32_t threads;
    uint64_t image_memory_limit, image_operation_limit, max_pixels; /* resolved */
    cnn_pool *pool;
};

/* `context`, or the default one for NULL; NULL, with the error set, if that can't be made: the next call tries again.
 */
cnn_context *cnn_context_or_default(cnn_context *context);

/* The same, but NULL if nobody has needed the default context yet. */
cnn_context *cnn_context_or_made_default(cnn_context *context);

/* Whether anybody is told messages of a level. */
bool cnn_logs(const cnn_context *context, cnn_log_level level);

__attribute__((format(printf, 3, 4))) void cnn_log(cnn_context *context, cnn_log_level level, const char *format, ...);

#endif
