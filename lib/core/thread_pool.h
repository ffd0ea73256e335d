/* Threads that wait for work. A context has one pool: cnn_parallel is how work comes here. */
#ifndef CNN_CORE_THREAD_POOL_H
#define CNN_CORE_THREAD_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct cnn_pool cnn_pool;

/* `task` counts from 0; `worker` is below the number of threads and no two tasks run on one worker at once, so it may
 * choose scratch memory. */
typedef void (*cnn_task)(void *argument, size_t task, uint32_t worker);

/* `threads` counts the caller of cnn_pool_run; the others start when there is work for them, end when there was none
 * for some seconds, and start again, also in a process that was forked. `processors` is how many there are for them.
 * NULL if there is no memory. */
cnn_pool *cnn_pool_create(uint32_t threads, uint32_t processors);
void cnn_pool_destroy(cnn_pool *pool); /* NULL is ignored */

/* Runs `count` tasks on at most `threads` of the threads (0: all) and returns when all are done; without a pool (NULL),
 * or with one that is in use, as worker 0. */
void cnn_pool_run(cnn_pool *pool, uint32_t threads, size_t count, cnn_task task, void *argument);

#endif
