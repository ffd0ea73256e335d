#include "image/decoding_budget.h"

#include <assert.h>

#include "core/fork.h"

/* Of the process. A photograph of a camera takes less than the small ones here: it is decoded in parts. */
static const uint64_t budget = (uint64_t)512 << 20, small = (uint64_t)16 << 20;

static cnn_mutex mutex = CNN_MUTEX_INIT;
static cnn_condition freed = CNN_CONDITION_INIT;
static cnn_once once = CNN_ONCE_INIT;
static uint64_t in_use;

/* The threads that hold some don't exist in the child of a fork. */
static void start_child(void *object)
{
    (void)object;
    cnn_condition_init(&freed);
    in_use = 0;
}

static void watch_forks(void)
{
    static cnn_fork_guard guard = { .mutex = &mutex, .in_child = start_child };
    cnn_fork_guard_add(&guard);
}

uint64_t cnn_decoding_begin(uint64_t bytes)
{
    if (bytes <= small)
        return 0;
    cnn_call_once(&once, watch_forks);
    cnn_mutex_lock(&mutex);
    while (in_use && (bytes > budget || in_use > budget - bytes))
        cnn_condition_wait(&freed, &mutex);
    in_use += bytes;
    cnn_mutex_unlock(&mutex);
    return bytes;
}

void cnn_decoding_end(uint64_t taken)
{
    if (!taken)
        return;
    cnn_mutex_lock(&mutex);
    assert(in_use >= taken);
    in_use -= taken;
    cnn_condition_broadcast(&freed);
    cnn_mutex_unlock(&mutex);
}
