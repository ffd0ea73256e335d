/* Threads, mutexes and condition variables: thin wrappers around POSIX's, so that another system's need only this
 * header and thread.c. */
#ifndef CNN_CORE_THREAD_H
#define CNN_CORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

typedef pthread_t cnn_thread;
typedef pthread_mutex_t cnn_mutex;
typedef pthread_cond_t cnn_condition;
typedef pthread_once_t cnn_once;

#define CNN_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define CNN_CONDITION_INIT PTHREAD_COND_INITIALIZER
#define CNN_ONCE_INIT PTHREAD_ONCE_INIT

/* Starts a thread on which the application's signals are blocked, so that its handlers run on threads of its own. False
 * if there are no more threads. */
bool cnn_thread_start(cnn_thread *thread, void *(*run)(void *argument), void *argument);
void cnn_thread_join(cnn_thread thread);

/* Lets another thread have the processor. */
void cnn_thread_yield(void);

/* False, with the error set, if there is no memory for it. */
bool cnn_mutex_init(cnn_mutex *mutex);
void cnn_mutex_destroy(cnn_mutex *mutex);
void cnn_mutex_lock(cnn_mutex *mutex);
void cnn_mutex_unlock(cnn_mutex *mutex);

/* `mutex` is held before and after a wait. It may end for no reason. */
void cnn_condition_init(cnn_condition *condition);
void cnn_condition_destroy(cnn_condition *condition);
void cnn_condition_wait(cnn_condition *condition, cnn_mutex *mutex);

/* False when so many seconds have passed. Only for conditions that cnn_condition_init has made. */
bool cnn_condition_wait_for(cnn_condition *condition, cnn_mutex *mutex, unsigned seconds);

void cnn_condition_signal(cnn_condition *condition);    /* one thread that waits */
void cnn_condition_broadcast(cnn_condition *condition); /* all of them */

/* Calls `function`, whoever comes first; the others wait until it is done. */
void cnn_call_once(cnn_once *once, void (*function)(void));

#endif
