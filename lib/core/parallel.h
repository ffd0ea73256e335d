/* Work split over a context's threads.
 *
 * For results to be the same bits at any number of threads, the split into tasks must depend on shapes alone, and tasks
 * must write to places apart; sums across tasks are taken afterwards in task order. */
#ifndef CNN_CORE_PARALLEL_H
#define CNN_CORE_PARALLEL_H

#include <cnn/context.h>

#include "core/thread_pool.h"

/* How many threads work on the calling thread's calls: the context's, or cnn_limit_threads's if those are fewer. */
uint32_t cnn_threads_now(cnn_context *context);

/* Runs `count` tasks and returns when all are done. Called from several threads at once, or from within a task, the
 * later caller runs its tasks by itself, as worker 0: scratch must therefore belong to the call, not to the context. */
void cnn_parallel(cnn_context *context, size_t count, cnn_task task, void *argument);

#endif
