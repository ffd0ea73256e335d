#include "image/budget.h"

#include <assert.h>
#include <pthread.h>

/* Of the process. A photograph of a camera takes less than the small ones here: it is decoded in parts. */
static const uint64_t budget = (uint64_t)512 << 20, small = (uint64_t)16 << 20;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t in_use;

static void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

/* The threads that hold some don't exist in the child of a fork. */
static void start_child(void)
{
    mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    freed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    in_use = 0;
}

static void watch_forks(void)
{
    pthread_atfork(lock, unlock, start_child);
}

uint64_t cnn_decoding_begin(uint64_t bytes)
{
    if (bytes <= small)
        return 0;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&mutex);
    while (in_use && (bytes > budget || in_use > budget - bytes))
        pthread_cond_wait(&freed, &mutex);
    in_use += bytes;
    pthread_mutex_unlock(&mutex);
    return bytes;
}

void cnn_decoding_end(uint64_t taken)
{
    if (!taken)
        return;
    pthread_mutex_lock(&mutex);
    assert(in_use >= taken);
    in_use -= taken;
    pthread_cond_broadcast(&freed);
    pthread_mutex_unlock(&mutex);
}
