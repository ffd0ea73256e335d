#include "core/fork.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static cnn_fork_guard *newest, *oldest;

/* An object made later may hold its lock while it uses one made earlier, so its lock is taken first. */
static void take_all(void)
{
    pthread_mutex_lock(&mutex);
    for (cnn_fork_guard *guard = newest; guard; guard = guard->older)
        pthread_mutex_lock(guard->mutex);
}

static void free_all(void)
{
    for (cnn_fork_guard *guard = oldest; guard; guard = guard->newer)
        pthread_mutex_unlock(guard->mutex);
    pthread_mutex_unlock(&mutex);
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
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&mutex);
    guard->older = newest;
    guard->newer = NULL;
    *(newest ? &newest->newer : &oldest) = guard;
    newest = guard;
    pthread_mutex_unlock(&mutex);
}

void cnn_fork_guard_remove(cnn_fork_guard *guard)
{
    pthread_mutex_lock(&mutex);
    *(guard->newer ? &guard->newer->older : &newest) = guard->older;
    *(guard->older ? &guard->older->newer : &oldest) = guard->newer;
    pthread_mutex_unlock(&mutex);
}
