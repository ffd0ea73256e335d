#include "serve/queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "serve/batch.h"

/* A thread, and the photographs that wait for it. */
typedef struct lane {
    queue *queue;
    pthread_t thread;
    int has_thread;
    photograph *first;     /* in the order of their turns */
    uint64_t turn;         /* of the photograph taken last */
    uint64_t decode_limit; /* bytes that decoding a batch may take */
    int works;             /* on a batch */
    batch batch;           /* the thread's own */
} lane;

/* Photographs that are slow to decode have a lane of their own, so that the others need not wait for them. */
enum { QUICK_LANE, SLOW_LANE, LANES };

/* Of decoding that a batch may take: a second or two on one thread. */
static const uint64_t BATCH_WORK = 4 * (uint64_t)DECODE_COST_SLOW;

struct queue {
    const cnn_classifier *classifier;
    metrics *metrics;
    size_t capacity;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    lane lanes[LANES];
    size_t taken;      /* places */
    uint64_t arrivals; /* requests that came */
    int oldest_first;
    int closed;
};

static int is_abandoned(const photograph *one)
{
    return one->request->is_abandoned(one->request->user);
}

/* The place of the photograph that is next in the lane's list. */
static photograph **find_next(lane *l)
{
    photograph **found = &l->first;
    for (photograph **place = found; l->queue->oldest_first && *place; place = &(*place)->next_in_queue)
        if ((*place)->request->arrival < (*found)->request->arrival)
            found = place;
    return found;
}

static photograph *take(lane *l, photograph **place)
{
    photograph *one = *place;
    *place = one->next_in_queue;
    l->turn = one->turn;
    return one;
}

/* Takes at least one photograph, and more as far as the batch, the memory for decoding and BATCH_WORK allow. */
static size_t take_batch(lane *l)
{
    size_t count = 0;
    decode_cost all = { 0 };
    while (l->first && count < l->batch.capacity) {
        photograph **next = find_next(l);
        all.bytes += (*next)->cost.bytes;
        all.work += (*next)->cost.work;
        if (count && (all.bytes > l->decode_limit || all.work > BATCH_WORK))
            break;
        l->batch.photographs[count++] = take(l, next);
    }
    l->queue->taken -= count;
    metrics_set_waiting(l->queue->metrics, l->queue->taken);
    return count;
}

/* Waits for photographs. Returns 0 once none will come: the queue is closed and no place is reserved. */
static size_t wait_for_batch(lane *l)
{
    queue *q = l->queue;
    pthread_mutex_lock(&q->mutex);
    l->works = 0;
    while (!l->first && !(q->closed && !q->taken))
        pthread_cond_wait(&q->changed, &q->mutex);
    size_t count = take_batch(l);
    l->works = count > 0;
    if (q->closed && !q->taken)
        pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    return count;
}

/* Releases finished photographs, classified or dropped, and calls `done` for requests that have no others. */
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

/* Moves photographs of clients that have gone to the end. Returns the number of the others. */
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
    lane *l = argument;
    size_t count;
    while ((count = wait_for_batch(l)) > 0) {
        size_t wanted = set_abandoned_aside(l->batch.photographs, count);
        if (wanted) {
            batch_classify(&l->batch, wanted);
            metrics_count_batch(l->queue->metrics, wanted);
        }
        finish(l->queue, l->batch.photographs, count);
    }
    return NULL;
}

static int start_lane(queue *q, lane *l, size_t batch_size, uint64_t decode_limit)
{
    *l = (lane){ .queue = q, .decode_limit = decode_limit };
    if (batch_init(&l->batch, q->classifier, batch_size))
        return -1;
    l->has_thread = !pthread_create(&l->thread, NULL, work, l);
    return l->has_thread ? 0 : -1;
}

queue *queue_create(const cnn_classifier *classifier, const serve_limits *limits, metrics *counts)
{
    queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->classifier = classifier;
    q->metrics = counts;
    atomic_store(&counts->capacity, limits->waiting);
    q->capacity = (size_t)limits->waiting;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->changed, NULL);
    if (!start_lane(q, &q->lanes[QUICK_LANE], (size_t)limits->batch, serve_quick_bytes(limits)) &&
        !start_lane(q, &q->lanes[SLOW_LANE], 1, serve_slow_bytes(limits)))
        return q;
    queue_destroy(q);
    return NULL;
}

void queue_take_oldest_first(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->oldest_first = 1;
    pthread_mutex_unlock(&q->mutex);
}

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = 1;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

/* Moves photographs that are to be dropped (`is_dropped` NULL: all) from a lane to the front of a list. Returns the
 * list. */
static photograph *take_dropped(lane *l, int (*is_dropped)(const photograph *one), photograph *list)
{
    photograph **place = &l->first;
    while (*place) {
        photograph *one = *place;
        if (is_dropped && !is_dropped(one)) {
            place = &one->next_in_queue;
            continue;
        }
        *place = one->next_in_queue;
        one->next_in_queue = list;
        atomic_store(&one->request->dropped, 1);
        list = one;
        l->queue->taken--;
    }
    return list;
}

static void drop(queue *q, int (*is_dropped)(const photograph *one))
{
    photograph *dropped = NULL;
    pthread_mutex_lock(&q->mutex);
    for (int i = 0; i < LANES; i++)
        dropped = take_dropped(&q->lanes[i], is_dropped, dropped);
    metrics_set_waiting(q->metrics, q->taken);
    pthread_cond_broadcast(&q->changed);
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
    int idle = !q->taken;
    for (int i = 0; i < LANES; i++)
        idle &= !q->lanes[i].works;
    pthread_mutex_unlock(&q->mutex);
    return idle;
}

void queue_destroy(queue *q)
{
    if (!q)
        return;
    queue_close(q);
    for (int i = 0; i < LANES; i++) {
        if (q->lanes[i].has_thread)
            pthread_join(q->lanes[i].thread, NULL);
        batch_release(&q->lanes[i].batch);
    }
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
    free(q);
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

/* Inserts by turns: the first photographs of all requests precede their second ones, and so on. Searches from `place`
 * on. Returns the place from which to search for the request's next one. */
static photograph **insert(photograph **place, photograph *one, uint64_t turn)
{
    while (*place && (*place)->turn <= turn)
        place = &(*place)->next_in_queue;
    one->turn = turn;
    one->next_in_queue = *place;
    *place = one;
    return &one->next_in_queue;
}

void queue_push(queue *q, photographs *request)
{
    photograph **places[LANES];
    uint64_t turns[LANES];
    pthread_mutex_lock(&q->mutex);
    for (int i = 0; i < LANES; i++) {
        places[i] = &q->lanes[i].first;
        turns[i] = q->lanes[i].turn;
    }
    request->pending = 0;
    request->arrival = q->arrivals++;
    for (size_t i = 0; i < request->count; i++) {
        photograph *one = request->items[i];
        if (one->prediction.status)
            continue;
        int which = one->cost.work > DECODE_COST_SLOW ? SLOW_LANE : QUICK_LANE;
        places[which] = insert(places[which], one, turns[which]++);
        request->pending++;
    }
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}
