/* Photographs wait here, by turns of their requests, for the thread that classifies what there is, as many together as
 * a batch takes. The library's own threads work inside. So requests from many connections share batches, and nobody
 * waits for others to come. Those that are slow to decode wait for another thread, which takes one at a time. */
#ifndef CATDOG_SERVE_QUEUE_H
#define CATDOG_SERVE_QUEUE_H

#include <cnn/cnn.h>

#include "serve/limits.h"
#include "serve/metrics.h"
#include "serve/photographs.h"

typedef struct queue queue;

/* NULL if memory or threads are short. */
queue *queue_create(const cnn_classifier *classifier, const serve_limits *limits, metrics *counts);

/* Requests no longer take turns, but are finished one after another: where time is short, some are answered in whole
 * rather than all in part. */
void queue_take_oldest_first(queue *queue);

/* Takes no more. */
void queue_close(queue *queue);

/* Drops those that wait for a client that went away; all that wait. Their requests' `done`s are called. */
void queue_drop_abandoned(queue *queue);
void queue_drop_all(queue *queue);

/* Whether there is nothing in it, and nothing being classified. */
int queue_is_idle(queue *queue);

void queue_destroy(queue *queue); /* NULL is ignored; else it is closed, and what is in it classified */

/* Takes places for `count` photographs. Not 0 if there aren't as many, or it is closed. */
int queue_reserve(queue *queue, size_t count);

/* Adds those of a request that were not refused, for which places were reserved. When all of them are classified, or
 * dropped, its `done` is called, on another thread; from now on until then the request is the queue's. */
void queue_push(queue *queue, photographs *request);

#endif
