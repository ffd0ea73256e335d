#include "core/parallel.h"

#include "core/context_internal.h"

static _Thread_local uint32_t thread_limit; /* of the calling thread; 0: none */

uint32_t cnn_limit_threads(uint32_t threads)
{
    uint32_t before = thread_limit;
    thread_limit = threads;
    return before;
}

uint32_t cnn_threads_now(cnn_context *context)
{
    uint32_t threads = cnn_context_threads(context);
    return thread_limit && thread_limit < threads ? thread_limit : threads;
}

void cnn_parallel(cnn_context *context, size_t count, cnn_task task, void *argument)
{
    context = cnn_context_or_default(context);
    cnn_pool_run(context ? context->pool : NULL, thread_limit, count, task, argument);
}
