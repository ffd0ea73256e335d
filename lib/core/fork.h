/* What is shared by threads survives a fork: a child has copies of all objects, but of the threads only the one that
 * forked. For the time of a fork every lock is taken, so that no other thread is in the middle of a change; in the
 * child each owner then forgets the threads that are no more. */
#ifndef CNN_CORE_FORK_H
#define CNN_CORE_FORK_H

#include "core/thread.h"

typedef struct cnn_fork_guard cnn_fork_guard;
struct cnn_fork_guard {
    cnn_mutex *mutex;               /* taken for the time of a fork */
    void (*in_child)(void *object); /* called in the child with the mutex held; NULL: nothing is to be done */
    void *object;
    cnn_fork_guard *older, *newer;
};

/* The guard lies in the object. No lock that is guarded may be held when one is added or removed. While a lock is held,
 * another may be taken only if its guard was added earlier. */
void cnn_fork_guard_add(cnn_fork_guard *guard);
void cnn_fork_guard_remove(cnn_fork_guard *guard);

#endif
