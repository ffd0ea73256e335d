#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Between two layers of a network microseconds pass: waking a sleeping thread costs more than it is worth waiting. */
enum { SPINS = 4000 };

enum { CACHE_LINE = 64 };

typedef struct cnn_worker {
    _Alignas(CACHE_LINE) atomic_size_t next; /* of its own part of the current job's tasks, up to */
    size_t end;                              /* this one */
    cnn_pool *pool;
    uint32_t number;
    pthread_t thread;
} cnn_worker;

struct cnn_pool {
    uint32_t threads;    /* the caller among them, */
    cnn_worker *workers; /* whose place is the first */
    atomic_bool busy;    /* a caller is using the pool */

    cnn_task task; /* of the current job; written only while no worker is inside one */
    void *argument;
    atomic_uint generation; /* of jobs; a change starts the workers */
    atomic_uint running;    /* workers that haven't finished the current job */
    atomic_bool stop;

    atomic_uint sleeping;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Each thread has its own part of the tasks, the same from job to job: of what one layer of a network made, the next
 * one finds as much as can be in the caches of the thread that made it. Who is ready helps the others. */
static void share_out(cnn_pool *pool, size_t count)
{
    size_t each = count / pool->threads, more = count % pool->threads, first = 0;
    for (uint32_t i = 0; i < pool->threads; i++) {
        cnn_worker *worker = &pool->workers[i];
        atomic_store_explicit(&worker->next, first, memory_order_relaxed);
        first += each + (i < more);
        worker->end = first;
    }
}

static void run_tasks(cnn_pool *pool, uint32_t number)
{
    for (uint32_t i = 0; i < pool->threads; i++) {
        cnn_worker *owner = &pool->workers[(number + i) % pool->threads];
        size_t task;
        while ((task = atomic_fetch_add_explicit(&owner->next, 1, memory_order_relaxed)) < owner->end)
            pool->task(pool->argument, task, number);
    }
}

static unsigned wait_for_job(cnn_pool *pool, unsigned seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        unsigned generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (generation != seen)
            return generation;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (atomic_load(&pool->generation) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->generation);
}

static void *work(void *argument)
{
    cnn_worker *worker = argument;
    cnn_pool *pool = worker->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_job(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        run_tasks(pool, worker->number);
        atomic_fetch_sub_explicit(&pool->running, 1, memory_order_release);
    }
}

static void announce(cnn_pool *pool)
{
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->sleeping)) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
}

cnn_pool *cnn_pool_create(uint32_t threads)
{
    cnn_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->workers = aligned_alloc(CACHE_LINE, threads * sizeof *pool->workers);
    if (!pool->workers) {
        free(pool);
        return NULL;
    }
    memset(pool->workers, 0, threads * sizeof *pool->workers);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->threads = 1;
    for (uint32_t i = 1; i < threads; i++) {
        cnn_worker *worker = &pool->workers[i];
        worker->pool = pool;
        worker->number = i;
        if (pthread_create(&worker->thread, NULL, work, worker))
            break; /* fewer threads give the same results, later */
        pool->threads++;
    }
    return pool;
}

void cnn_pool_destroy(cnn_pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->stop, true);
    announce(pool);
    for (uint32_t i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}

static void run_alone(size_t count, cnn_task task, void *argument)
{
    for (size_t i = 0; i < count; i++)
        task(argument, i, 0);
}

/* On a busy machine a worker may have lost its processor, perhaps to this very thread. */
static void wait_for_workers(cnn_pool *pool)
{
    for (int spin = 0; atomic_load_explicit(&pool->running, memory_order_acquire); spin++) {
        if (spin < SPINS)
            pause_briefly();
        else
            sched_yield();
    }
}

void cnn_pool_run(cnn_pool *pool, size_t count, cnn_task task, void *argument)
{
    bool idle = false;
    if (!pool || pool->threads == 1 || count <= 1 || !atomic_compare_exchange_strong(&pool->busy, &idle, true)) {
        run_alone(count, task, argument);
        return;
    }
    pool->task = task;
    pool->argument = argument;
    share_out(pool, count);
    atomic_store(&pool->running, pool->threads - 1);
    announce(pool);
    run_tasks(pool, 0);
    wait_for_workers(pool);
    atomic_store(&pool->busy, false);
}
