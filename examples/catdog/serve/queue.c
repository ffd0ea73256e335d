#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    const cnn_classifier *classifier;
    metrics *metrics;
    size_t capacity, batch_size;
    uint64_t decode_limit; /* bytes that decoding a batch may take */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    photograph *first, **end;
    size_t taken; /* places */
    int closed;
    int works; /* on a batch */

    /* The thread's own, for one batch. */
    photograph **batch;
    const void **bytes;
    size_t *sizes;
    cnn_prediction *predictions;
};

static int is_abandoned(const photograph *one)
{
    return one->request->is_abandoned(one->request->user);
}

static photograph *take_first(queue *q)
{
    photograph *one = q->first;
    q->first = one->next_in_queue;
    if (!q->first)
        q->end = &q->first;
    return one;
}

/* Moves photographs out, as many as a batch may have and memory allows to decode at once; but one at least. */
static size_t take_batch(queue *q)
{
    size_t count = 0;
    uint64_t decode_bytes = 0;
    while (q->first && count < q->batch_size) {
        decode_bytes += q->first->decode_bytes;
        if (count && decode_bytes > q->decode_limit)
            break;
        q->batch[count++] = take_first(q);
    }
    q->taken -= count;
    metrics_set_waiting(q->metrics, q->taken);
    return count;
}

/* Waits for photographs. 0: there are none, and there will be none. Where places are taken, photographs follow. */
static size_t wait_for_batch(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->works = 0;
    while (!q->first && !(q->closed && !q->taken))
        pthread_cond_wait(&q->changed, &q->mutex);
    size_t count = take_batch(q);
    q->works = count > 0;
    pthread_mutex_unlock(&q->mutex);
    return count;
}

/* Photographs that are done with, classified or not. Their memory goes, and requests that have no others are told. */
static void finish(queue *q, photograph *const *some, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        photographs *request = some[i]->request;
        photograph_release_bytes(some[i]);
        pthread_mutex_lock(&q->mutex);
        int last = --request->pending == 0;
        pthread_mutex_unlock(&q->mutex);
        if (last)
            request->done(request->user);
    }
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
static size_t gather_plain(photograph **some, size_t count)
{
    size_t plain = 0;
    for (size_t i = 0; i < count; i++) {
        photograph *one = some[i];
        if (one->request->heat_maps)
            continue;
        some[i] = some[plain];
        some[plain++] = one;
    }
    return plain;
}

static void classify_batch(queue *q, size_t count)
{
    size_t plain = gather_plain(q->batch, count);
    if (plain)
        classify_plain(q, q->batch, plain);
    for (size_t i = plain; i < count; i++)
        classify_with_heat_map(q, q->batch[i]);
    metrics_count_batch(q->metrics, count);
}

/* Moves those that nobody waits for any more to the end, and gives the number of the others. */
static size_t set_abandoned_aside(photograph **some, size_t count)
{
    for (size_t i = 0; i < count;) {
        photograph *one = some[i];
        if (!is_abandoned(one)) {
            i++;
            continue;
        }
        atomic_store(&one->request->dropped, 1);
        some[i] = some[--count];
        some[count] = one;
    }
    return count;
}

static void *work(void *argument)
{
    queue *q = argument;
    size_t count;
    while ((count = wait_for_batch(q)) > 0) {
        size_t wanted = set_abandoned_aside(q->batch, count);
        if (wanted)
            classify_batch(q, wanted);
        finish(q, q->batch, count);
    }
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
    q->decode_limit = serve_decode_bytes(limits);
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

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = 1;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

static void drop(queue *q, int (*is_dropped)(const photograph *one))
{
    photograph *dropped = NULL;
    pthread_mutex_lock(&q->mutex);
    photograph **place = &q->first;
    while (*place) {
        photograph *one = *place;
        if (is_dropped && !is_dropped(one)) {
            place = &one->next_in_queue;
            continue;
        }
        *place = one->next_in_queue;
        one->next_in_queue = dropped;
        atomic_store(&one->request->dropped, 1);
        dropped = one;
        q->taken--;
    }
    q->end = place;
    metrics_set_waiting(q->metrics, q->taken);
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    while (dropped) {
        photograph *one = dropped;
        dropped = one->next_in_queue;
        finish(q, &one, 1);
    }
}

void queue_drop_abandoned(queue *q)
{
    drop(q, is_abandoned);
}

void queue_drop_all(queue *q)
{
    drop(q, NULL);
}

int queue_is_idle(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    int idle = !q->works && !q->taken;
    pthread_mutex_unlock(&q->mutex);
    return idle;
}

void queue_destroy(queue *q)
{
    if (!q)
        return;
    queue_close(q);
    pthread_join(q->thread, NULL);
    release(q);
}

int queue_reserve(queue *q, size_t count)
{
    pthread_mutex_lock(&q->mutex);
    int full = q->closed || count > q->capacity - q->taken;
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
