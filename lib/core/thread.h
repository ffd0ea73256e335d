/* The library's own threads. */
#ifndef CNN_CORE_THREAD_H
#define CNN_CORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread on which the application's signals are blocked, so that its handlers run on threads of its own. False
 * if there are no more threads. */
bool cnn_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
