/* Photographs waiting to be classified. Requests take turns, so that one with many photographs does not hold up the
 * others. A thread classifies whatever waits, up to a batch, without waiting for more; requests from many connections
 * so share batches. Photographs that are slow to decode are left to a second thread, one at a time. */
#ifndef CATDOG_SERVE_QUEUE_H
#define CATDOG_SERVE_QUEUE_H

#include <cnn/cnn.h>

#include "serve/limits.h"
#include "serve/metrics.h"
#include "serve/photographs.h"

typedef struct queue queue;

/* NULL if memory or threads are short. */
queue *queue_create(const cnn_classifier *classifier, const serve_limits *limits, metrics *counts);

/* Ends the turns: from now on requests are finished one after another, so that at least some are answered if time is
 * short. */
void queue_take_oldest_first(queue *queue);

/* Accepts no more photographs. */
void queue_close(queue *queue);

/* Drops waiting photographs: those of clients that have gone, or all. Calls their requests' `done`. */
void queue_drop_abandoned(queue *queue);
void queue_drop_all(queue *queue);

/* Whether no photograph is waiting or being classified. */
int queue_is_idle(queue *queue);

void queue_destroy(queue *queue); /* closes it and classifies what waits; ignores NULL */

/* Reserves places for `count` photographs. Not 0 if there are not enough, or if the queue is closed. */
int queue_reserve(queue *queue, size_t count);

/* Adds a request's photographs that were not refused, in the places reserved for them. Once all are classified or
 * dropped, calls the request's `done` on another thread; until then the queue owns the request. */
void queue_push(queue *queue, photographs *request);

#endif
