#include "core/thread_pool.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/fork.h"
#include "core/thread.h"

/* Between two layers of a network microseconds pass: waking a sleeping thread costs more than it is worth waiting. */
enum { SPINS = 4000 };

/* Workers without work for so long end, and start again with the next job: a process whose own threads have ended,
 * main's by pthread_exit, ends too. */
enum { IDLE_SECONDS = 5 };

/* What different threads write lies in different lines. Threads are counted in groups, so that many of them don't
 * queue for one line at the beginning and end of each job, and none looks at all others for work. */
enum { CACHE_LINE = 64, GROUP = 8 };

/* Of `inside`: no worker may enter. */
#define CLOSED (1u << 31)

/* Of `generation`: the workers have ended or are about to. What else it counts are jobs. */
enum { GONE = 1, JOB = 2 };

typedef struct cnn_worker {
    _Alignas(CACHE_LINE) atomic_size_t next; /* of its own part of the current job's tasks, up to */
    size_t end;                              /* this one */
    cnn_pool *pool;
    uint32_t number;
    cnn_thread thread;
} cnn_worker;

/* Neighbouring threads. */
typedef struct cnn_worker_group {
    _Alignas(CACHE_LINE) atomic_uint inside; /* workers inside the current job; CLOSED when its tasks are taken */
    _Alignas(CACHE_LINE) atomic_uint left;   /* a bit for each thread that may have tasks of its own left */
} cnn_worker_group;

struct cnn_pool {
    uint32_t threads;    /* the caller among them, */
    cnn_worker *workers; /* whose place is the first */
    cnn_worker_group *groups;
    uint32_t running;  /* of the threads, in this process: those to be joined, and the caller */
    uint32_t spinners; /* threads besides the caller that have a processor to spin on */
    bool crowded;      /* more threads than processors */

    _Alignas(CACHE_LINE) atomic_bool busy; /* a caller is using the pool */

    _Alignas(CACHE_LINE) atomic_uint generation; /* of jobs, and GONE; a change wakes the workers */
    uint32_t active;                             /* threads that may take part in the current job: the first ones */
    cnn_task task;                               /* of the current job; written only while no worker is inside one */
    void *argument;

    _Alignas(CACHE_LINE) atomic_uint spinning; /* workers without work; counted where the pool is crowded */
    atomic_uint sleeping;
    atomic_bool caller_sleeps; /* until no worker is inside */
    cnn_mutex mutex;
    cnn_condition wake, done;
    cnn_fork_guard fork_guard;
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t group_count(uint32_t threads)
{
    return (threads + GROUP - 1) / GROUP;
}

/* Each thread has its own part of the tasks, the same from job to job: of what one layer of a network made, the next
 * one finds as much as can be in the caches of the thread that made it. Who is ready helps the others. */
static void share_out(cnn_pool *pool, size_t count)
{
    size_t each = count / pool->active, more = count % pool->active, first = 0;
    for (uint32_t i = 0; i < pool->active; i++) {
        cnn_worker *worker = &pool->workers[i];
        atomic_store_explicit(&worker->next, first, memory_order_relaxed);
        first += each + (i < more);
        worker->end = first;
    }
    assert(first == count);
    uint32_t owners = count < pool->active ? (uint32_t)count : pool->active;
    for (uint32_t i = 0; i < group_count(pool->active); i++) {
        uint32_t own = owners > i * GROUP ? owners - i * GROUP : 0;
        assert(atomic_load(&pool->groups[i].inside) == CLOSED);
        atomic_store_explicit(&pool->groups[i].left, own < GROUP ? (1u << own) - 1 : (1u << GROUP) - 1,
                              memory_order_relaxed);
    }
}

static void wake_one(cnn_pool *pool)
{
    if (!atomic_load(&pool->sleeping))
        return;
    cnn_mutex_lock(&pool->mutex);
    cnn_condition_signal(&pool->wake);
    cnn_mutex_unlock(&pool->mutex);
}

static void wake_all(cnn_pool *pool)
{
    if (!atomic_load(&pool->sleeping))
        return;
    cnn_mutex_lock(&pool->mutex);
    cnn_condition_broadcast(&pool->wake);
    cnn_mutex_unlock(&pool->mutex);
}

/* A thread of the group that has tasks left, the next from `first` on; GROUP if none has. */
static uint32_t find_owner(const cnn_worker_group *group, uint32_t first)
{
    uint32_t left = atomic_load_explicit(&group->left, memory_order_relaxed);
    for (uint32_t i = 0; left && i < GROUP; i++)
        if (left & (1u << ((first + i) % GROUP)))
            return (first + i) % GROUP;
    return GROUP;
}

/* All tasks that an owner has left. In a crowd each thread that finds work wakes one more, unless one is about to come
 * anyway: many short jobs are done before many threads are awake. */
static void run_tasks_of(cnn_pool *pool, uint32_t owner, uint32_t number, bool *wakes)
{
    cnn_worker *worker = &pool->workers[owner];
    size_t task;
    while ((task = atomic_fetch_add_explicit(&worker->next, 1, memory_order_relaxed)) < worker->end) {
        if (*wakes && !atomic_load(&pool->spinning))
            wake_one(pool);
        *wakes = false;
        pool->task(pool->argument, task, number);
    }
    atomic_fetch_and_explicit(&pool->groups[owner / GROUP].left, ~(1u << owner % GROUP), memory_order_relaxed);
}

/* A thread's own, then others', first of its own group. */
static void run_tasks(cnn_pool *pool, uint32_t number)
{
    bool wakes = pool->crowded;
    uint32_t groups = group_count(pool->active);
    run_tasks_of(pool, number, number, &wakes);
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t group = (number / GROUP + i) % groups, owner;
        while ((owner = find_owner(&pool->groups[group], number % GROUP)) < GROUP)
            run_tasks_of(pool, group * GROUP + owner, number, &wakes);
    }
}

/* The generation after `seen`, or `seen` if none came. */
static unsigned spin_for_job(cnn_pool *pool, unsigned seen)
{
    unsigned generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
    for (int spin = 0; spin < SPINS && generation == seen; spin++) {
        pause_briefly();
        generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
    }
    return generation;
}

/* In a crowd only as many spin as have a processor for it. */
static unsigned spin_in_crowd(cnn_pool *pool, unsigned seen)
{
    unsigned generation = seen;
    if (atomic_fetch_add(&pool->spinning, 1) < pool->spinners)
        generation = spin_for_job(pool, seen);
    atomic_fetch_sub(&pool->spinning, 1);
    return generation;
}

/* If the job comes at the moment when a worker has waited for too long, either the worker sees the job here, or
 * open_job sees GONE. */
static unsigned sleep_until_job(cnn_pool *pool, unsigned seen)
{
    unsigned generation = seen;
    bool in_time = true;
    cnn_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (in_time && (generation = atomic_load(&pool->generation)) == seen)
        in_time = cnn_condition_wait_for(&pool->wake, &pool->mutex, IDLE_SECONDS);
    atomic_fetch_sub(&pool->sleeping, 1);
    if (!in_time && atomic_compare_exchange_strong(&pool->generation, &generation, seen | GONE)) {
        generation |= GONE;
        cnn_condition_broadcast(&pool->wake);
    }
    cnn_mutex_unlock(&pool->mutex);
    return generation;
}

static unsigned wait_for_job(cnn_pool *pool, unsigned seen)
{
    unsigned generation = pool->crowded ? spin_in_crowd(pool, seen) : spin_for_job(pool, seen);
    return generation == seen ? sleep_until_job(pool, seen) : generation;
}

/* False if the job's tasks are all taken: who comes late must not touch what may be the next job's already. */
static bool enter_job(cnn_worker_group *group)
{
    unsigned inside = atomic_load_explicit(&group->inside, memory_order_relaxed);
    while (!(inside & CLOSED))
        if (atomic_compare_exchange_weak_explicit(&group->inside, &inside, inside + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void leave_job(cnn_pool *pool, cnn_worker_group *group)
{
    if (atomic_fetch_sub(&group->inside, 1) != (CLOSED | 1) || !atomic_load(&pool->caller_sleeps))
        return;
    cnn_mutex_lock(&pool->mutex);
    cnn_condition_signal(&pool->done);
    cnn_mutex_unlock(&pool->mutex);
}

static void *work(void *argument)
{
    cnn_worker *worker = argument;
    cnn_pool *pool = worker->pool;
    cnn_worker_group *group = &pool->groups[worker->number / GROUP];
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_job(pool, seen);
        if (seen & GONE)
            return NULL;
        if (!enter_job(group))
            continue;
        if (worker->number < pool->active)
            run_tasks(pool, worker->number);
        leave_job(pool, group);
    }
}

static void join_workers(cnn_pool *pool)
{
    for (uint32_t i = 1; i < pool->running; i++)
        cnn_thread_join(pool->workers[i].thread);
    pool->running = 1;
}

/* Fewer threads give the same results, later. */
static void start_workers(cnn_pool *pool)
{
    join_workers(pool);
    atomic_fetch_and(&pool->generation, ~(unsigned)GONE);
    while (pool->running < pool->threads) {
        cnn_worker *worker = &pool->workers[pool->running];
        worker->pool = pool;
        worker->number = pool->running;
        if (!cnn_thread_start(&worker->thread, work, worker))
            return;
        pool->running++;
    }
}

/* Without its threads, and without the job that another thread of the parent may have run. */
static void make_idle(cnn_pool *pool)
{
    pool->running = 1;
    atomic_init(&pool->generation, GONE);
    atomic_init(&pool->busy, false);
    for (uint32_t i = 0; i < group_count(pool->threads); i++)
        atomic_init(&pool->groups[i].inside, CLOSED);
    atomic_init(&pool->spinning, 0);
    atomic_init(&pool->sleeping, 0);
    atomic_init(&pool->caller_sleeps, false);
    cnn_condition_init(&pool->wake);
    cnn_condition_init(&pool->done);
}

static void make_idle_in_child(void *pool)
{
    make_idle(pool);
}

/* Zeroed; of whole cache lines. */
static void *allocate_lines(size_t bytes)
{
    void *memory = aligned_alloc(CACHE_LINE, bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

static void release(cnn_pool *pool)
{
    free(pool->groups);
    free(pool->workers);
    free(pool);
}

cnn_pool *cnn_pool_create(uint32_t threads, uint32_t processors)
{
    assert(threads > 0 && processors > 0);
    cnn_pool *pool = allocate_lines(sizeof *pool);
    if (!pool)
        return NULL;
    pool->workers = allocate_lines(threads * sizeof *pool->workers);
    pool->groups = allocate_lines(group_count(threads) * sizeof *pool->groups);
    if (!pool->workers || !pool->groups || !cnn_mutex_init(&pool->mutex)) {
        release(pool);
        return NULL;
    }
    pool->threads = threads;
    pool->crowded = threads > processors;
    pool->spinners = processors - 1;
    make_idle(pool);
    pool->fork_guard = (cnn_fork_guard){ .mutex = &pool->mutex, .in_child = make_idle_in_child, .object = pool };
    cnn_fork_guard_add(&pool->fork_guard);
    return pool;
}

static void stop_workers(cnn_pool *pool)
{
    atomic_fetch_or(&pool->generation, GONE);
    wake_all(pool);
    join_workers(pool);
}

void cnn_pool_destroy(cnn_pool *pool)
{
    if (!pool)
        return;
    assert(!atomic_load(&pool->busy));
    stop_workers(pool);
    cnn_fork_guard_remove(&pool->fork_guard);
    cnn_condition_destroy(&pool->wake);
    cnn_condition_destroy(&pool->done);
    cnn_mutex_destroy(&pool->mutex);
    release(pool);
}

static void run_alone(size_t count, cnn_task task, void *argument)
{
    for (size_t i = 0; i < count; i++)
        task(argument, i, 0);
}

static void open_job(cnn_pool *pool, uint32_t threads, size_t count, cnn_task task, void *argument)
{
    pool->active = threads && threads < pool->threads ? threads : pool->threads;
    pool->task = task;
    pool->argument = argument;
    share_out(pool, count);
    for (uint32_t i = 0; i < group_count(pool->active); i++)
        atomic_store_explicit(&pool->groups[i].inside, 0, memory_order_release);
    if (atomic_fetch_add(&pool->generation, JOB) & GONE)
        start_workers(pool);
    else if (!pool->crowded)
        wake_all(pool);
}

/* Lets no more workers enter. */
static void close_groups(cnn_pool *pool)
{
    for (uint32_t i = 0; i < group_count(pool->active); i++)
        atomic_fetch_or(&pool->groups[i].inside, CLOSED);
}

static bool all_have_left(const cnn_pool *pool)
{
    for (uint32_t i = 0; i < group_count(pool->active); i++)
        if (atomic_load(&pool->groups[i].inside) != CLOSED)
            return false;
    return true;
}

/* All tasks are taken. Those that workers are still at are short as a rule; but a worker may have lost its processor,
 * perhaps to this very thread. */
static void close_job(cnn_pool *pool)
{
    close_groups(pool);
    for (int spin = 0; spin < 2 * SPINS; spin++) {
        if (all_have_left(pool))
            return;
        if (spin < SPINS && !pool->crowded)
            pause_briefly();
        else
            cnn_thread_yield();
    }
    cnn_mutex_lock(&pool->mutex);
    atomic_store(&pool->caller_sleeps, true);
    while (!all_have_left(pool))
        cnn_condition_wait(&pool->done, &pool->mutex);
    atomic_store(&pool->caller_sleeps, false);
    cnn_mutex_unlock(&pool->mutex);
}

void cnn_pool_run(cnn_pool *pool, uint32_t threads, size_t count, cnn_task task, void *argument)
{
    bool idle = false;
    if (!pool || pool->threads == 1 || threads == 1 || count <= 1 ||
        !atomic_compare_exchange_strong(&pool->busy, &idle, true)) {
        run_alone(count, task, argument);
        return;
    }
    open_job(pool, threads, count, task, argument);
    run_tasks(pool, 0);
    close_job(pool);
    atomic_store(&pool->busy, false);
}
