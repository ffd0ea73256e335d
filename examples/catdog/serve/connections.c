#include "serve/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "cli/clock.h"

/* A credit for each client, so that those that have just connected are not the slowest. */
static const double credit_bytes = 1000, credit_seconds = 0.25;

void connections_init(connections *all, size_t most)
{
    *all = (connections){ .most = most };
    pthread_mutex_init(&all->mutex, NULL);
}

void connections_release(connections *all)
{
    pthread_mutex_destroy(&all->mutex);
}

/* Its thread finds it ended, and closes it. */
static void shut(connections *all, connection *one)
{
    if (one->is_shut)
        return;
    one->is_shut = 1;
    all->shut++;
    shutdown(one->socket, SHUT_RDWR);
}

/* The client's bytes per second. How much of a response it has received is unknown, so its rate only falls then. */
static double rate(const connection *one, double now)
{
    return ((double)one->bytes + credit_bytes) / (now - one->since + credit_seconds);
}

static void make_room(connections *all)
{
    const double now = clock_now();
    connection *slowest = NULL;
    for (connection *one = all->first; one; one = one->next)
        if (one->phase != CONNECTION_WORKS && !one->is_shut && (!slowest || rate(one, now) < rate(slowest, now)))
            slowest = one;
    if (slowest)
        shut(all, slowest);
}

connection *connections_add(connections *all, int socket)
{
    connection *one = malloc(sizeof *one);
    if (!one)
        return NULL;
    pthread_mutex_lock(&all->mutex);
    if (all->count - all->shut >= all->most)
        make_room(all);
    *one = (connection){ .next = all->first, .socket = socket, .since = clock_now() };
    if (one->next)
        one->next->previous = one;
    all->first = one;
    all->count++;
    pthread_mutex_unlock(&all->mutex);
    return one;
}

void connections_remove(connections *all, connection *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&all->mutex);
    if (one->next)
        one->next->previous = one->previous;
    if (one->previous)
        one->previous->next = one->next;
    else
        all->first = one->next;
    all->count--;
    all->shut -= (size_t)one->is_shut;
    pthread_mutex_unlock(&all->mutex);
    free(one);
}

void connections_set_phase(connections *all, connection *one, connection_phase phase)
{
    pthread_mutex_lock(&all->mutex);
    one->phase = phase;
    one->since = clock_now();
    one->bytes = 0;
    pthread_mutex_unlock(&all->mutex);
}

void connections_count_bytes(connections *all, connection *one, size_t size)
{
    pthread_mutex_lock(&all->mutex);
    one->bytes += size;
    pthread_mutex_unlock(&all->mutex);
}

void connections_shut_slow(connections *all, double seconds)
{
    const double now = clock_now();
    pthread_mutex_lock(&all->mutex);
    for (connection *one = all->first; one; one = one->next)
        if (one->phase != CONNECTION_WORKS && now - one->since > seconds)
            shut(all, one);
    pthread_mutex_unlock(&all->mutex);
}

size_t connections_count(connections *all)
{
    pthread_mutex_lock(&all->mutex);
    size_t count = all->count - all->shut;
    pthread_mutex_unlock(&all->mutex);
    return count;
}
