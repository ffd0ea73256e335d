#include "core/fork.h"

#include <pthread.h>

static cnn_once once = CNN_ONCE_INIT;
static cnn_mutex mutex = CNN_MUTEX_INIT; /* guards the list */
static cnn_fork_guard *newest, *oldest;

/* An object made later may hold its lock while it uses one made earlier, so its lock is taken first. */
static void take_all(void)
{
    cnn_mutex_lock(&mutex);
    for (cnn_fork_guard *guard = newest; guard; guard = guard->older)
        cnn_mutex_lock(guard->mutex);
}

static void free_all(void)
{
    for (cnn_fork_guard *guard = oldest; guard; guard = guard->newer)
        cnn_mutex_unlock(guard->mutex);
    cnn_mutex_unlock(&mutex);
}

static void free_all_in_child(void)
{
    for (cnn_fork_guard *guard = oldest; guard; guard = guard->newer)
        if (guard->in_child)
            guard->in_child(guard->object);
    free_all();
}

static void watch_forks(void)
{
    pthread_atfork(take_all, free_all, free_all_in_child);
}

void cnn_fork_guard_add(cnn_fork_guard *guard)
{
    cnn_call_once(&once, watch_forks);
    cnn_mutex_lock(&mutex);
    guard->older = newest;
    guard->newer = NULL;
    *(newest ? &newest->newer : &oldest) = guard;
    newest = guard;
    cnn_mutex_unlock(&mutex);
}

void cnn_fork_guard_remove(cnn_fork_guard *guard)
{
    cnn_mutex_lock(&mutex);
    *(guard->newer ? &guard->newer->older : &newest) = guard->older;
    *(guard->older ? &guard->older->newer : &oldest) = guard->newer;
    cnn_mutex_unlock(&mutex);
}
