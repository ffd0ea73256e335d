#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    const cnn_classifier *classifier;
    metrics *metrics;
    size_t capacity, batch_size;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    photograph *first, **end;
    size_t taken; /* places */
    int stop;

    /* The thread's own, for one batch. */
    photograph **batch;
    const void **bytes;
    size_t *sizes;
    cnn_prediction *predictions;
};

/* Waits for photographs and moves a batch of them out. 0: there are none, and there will be none. Where places are
 * taken, photographs follow. */
static size_t take_batch(queue *q)
{
    size_t count = 0;
    pthread_mutex_lock(&q->mutex);
    while (!q->first && !(q->stop && !q->taken))
        pthread_cond_wait(&q->changed, &q->mutex);
    while (q->first && count < q->batch_size) {
        q->batch[count++] = q->first;
        q->first = q->first->next_in_queue;
    }
    if (!q->first)
        q->end = &q->first;
    q->taken -= count;
    metrics_set_waiting(q->metrics, q->taken);
    pthread_mutex_unlock(&q->mutex);
    return count;
}

static void classify_plain(queue *q, photograph *const *some, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        q->bytes[i] = some[i]->bytes;
        q->sizes[i] = some[i]->size;
    }
    memset(q->predictions, 0, count * sizeof *q->predictions);
    q->predictions[0].struct_size = sizeof *q->predictions;
    cnn_status status = cnn_classifier_predict_memories(q->classifier, q->bytes, q->sizes, count, q->predictions);
    for (size_t i = 0; i < count; i++) {
        if (status)
            photograph_refuse(some[i], status, cnn_last_error());
        else
            some[i]->prediction = q->predictions[i];
    }
}

/* One that is wanted with a heat map and can't get one is classified without. */
static void classify_with_heat_map(queue *q, photograph *one)
{
    cnn_status status =
        cnn_classifier_explain_memory(q->classifier, one->bytes, one->size, -1, &one->prediction, &one->heat_map);
    if (status == CNN_ERROR_UNSUPPORTED)
        classify_plain(q, &one, 1);
    else if (status)
        photograph_refuse(one, status, cnn_last_error());
}

/* Moves those without a heat map to the front, and gives their number. */
static size_t gather_plain(queue *q, size_t count)
{
    size_t plain = 0;
    for (size_t i = 0; i < count; i++) {
        photograph *one = q->batch[i];
        if (one->request->heat_maps)
            continue;
        q->batch[i] = q->batch[plain];
        q->batch[plain++] = one;
    }
    return plain;
}

static void classify_batch(queue *q, size_t count)
{
    size_t plain = gather_plain(q, count);
    if (plain)
        classify_plain(q, q->batch, plain);
    for (size_t i = plain; i < count; i++)
        classify_with_heat_map(q, q->batch[i]);
    metrics_count_batch(q->metrics, count);
    for (size_t i = 0; i < count; i++) {
        photographs *request = q->batch[i]->request;
        photograph_release_bytes(q->batch[i]);
        if (--request->pending == 0)
            request->done(request->user);
    }
}

static void *work(void *argument)
{
    queue *q = argument;
    size_t count;
    while ((count = take_batch(q)) > 0)
        classify_batch(q, count);
    return NULL;
}

static void release(queue *q)
{
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
    free(q->batch);
    free(q->bytes);
    free(q->sizes);
    free(q->predictions);
    free(q);
}

queue *queue_create(const cnn_classifier *classifier, const serve_limits *limits, metrics *counts)
{
    queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->classifier = classifier;
    q->metrics = counts;
    atomic_store(&counts->capacity, limits->waiting);
    q->capacity = limits->waiting;
    q->batch_size = limits->batch;
    q->end = &q->first;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->batch = calloc(q->batch_size, sizeof(photograph *));
    q->bytes = calloc(q->batch_size, sizeof *q->bytes);
    q->sizes = calloc(q->batch_size, sizeof *q->sizes);
    q->predictions = calloc(q->batch_size, sizeof *q->predictions);
    if (!q->batch || !q->bytes || !q->sizes || !q->predictions || pthread_create(&q->thread, NULL, work, q)) {
        release(q);
        return NULL;
    }
    return q;
}

void queue_finish(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    int finished = q->stop;
    q->stop = 1;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    if (!finished)
        pthread_join(q->thread, NULL);
}

void queue_destroy(queue *q)
{
    if (!q)
        return;
    queue_finish(q);
    release(q);
}

int queue_reserve(queue *q, size_t count)
{
    pthread_mutex_lock(&q->mutex);
    int full = q->stop || count > q->capacity - q->taken;
    if (!full)
        q->taken += count;
    metrics_set_waiting(q->metrics, q->taken);
    pthread_mutex_unlock(&q->mutex);
    return full;
}

void queue_push(queue *q, photographs *request)
{
    pthread_mutex_lock(&q->mutex);
    request->pending = 0;
    for (size_t i = 0; i < request->count; i++) {
        photograph *one = request->items[i];
        if (one->prediction.status)
            continue;
        one->next_in_queue = NULL;
        *q->end = one;
        q->end = &one->next_in_queue;
        request->pending++;
    }
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}
