#include "job_schedule.h"

/* Tasks next to last - 1 are a thread's own that nobody has taken; at `ready` it takes the next one. */
typedef struct simulated_thread {
    size_t next, last;
    double ready;
} simulated_thread;

static void share_out(simulated_thread *thread, uint32_t threads, size_t tasks)
{
    size_t first = 0;
    for (uint32_t i = 0; i < threads; i++) {
        size_t count = tasks / threads + (i < tasks % threads);
        thread[i] = (simulated_thread){ .next = first, .last = first + count };
        first += count;
    }
}

static simulated_thread *first_ready(simulated_thread *thread, uint32_t threads)
{
    simulated_thread *first = thread;
    for (uint32_t i = 1; i < threads; i++)
        if (thread[i].ready < first->ready)
            first = &thread[i];
    return first;
}

static simulated_thread *owner_of_next(simulated_thread *thread, uint32_t threads, uint32_t taker)
{
    for (uint32_t i = 0; i < threads; i++) {
        simulated_thread *owner = &thread[(taker + i) % threads];
        if (owner->next < owner->last)
            return owner;
    }
    return NULL;
}

double schedule_job(const double *seconds, size_t tasks, uint32_t threads, pool_cost cost)
{
    double end = 0;
    if (threads == 1 || tasks <= 1) {
        for (size_t i = 0; i < tasks; i++)
            end += seconds[i];
        return end;
    }
    simulated_thread thread[MOST_THREADS];
    share_out(thread, threads, tasks);
    for (size_t i = 0; i < tasks; i++) {
        simulated_thread *taker = first_ready(thread, threads);
        simulated_thread *owner = owner_of_next(thread, threads, (uint32_t)(taker - thread));
        taker->ready += cost.take + seconds[owner->next++];
        end = taker->ready > end ? taker->ready : end;
    }
    return cost.start + end;
}
