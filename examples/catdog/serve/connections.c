#include "connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "../clock.h"

/* What a client is given where others wait for a connection: enough for a photograph by a slow phone. */
static const double crowded_seconds = 5;

void connections_init(connections *all)
{
    *all = (connections){ .first = NULL };
    pthread_mutex_init(&all->mutex, NULL);
}

void connections_release(connections *all)
{
    pthread_mutex_destroy(&all->mutex);
}

connection *connections_add(connections *all, int socket)
{
    connection *one = malloc(sizeof *one);
    if (!one)
        return NULL;
    pthread_mutex_lock(&all->mutex);
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
    pthread_mutex_unlock(&all->mutex);
    free(one);
}

void connections_set_phase(connections *all, connection *one, connection_phase phase)
{
    if (!one)
        return;
    pthread_mutex_lock(&all->mutex);
    one->phase = phase;
    one->since = clock_now();
    pthread_mutex_unlock(&all->mutex);
}

void connections_shut_slow(connections *all, const serve_limits *limits)
{
    const double now = clock_now();
    pthread_mutex_lock(&all->mutex);
    double most = (double)limits->request_seconds;
    if (all->count >= limits->connections && most > crowded_seconds)
        most = crowded_seconds;
    for (connection *one = all->first; one; one = one->next)
        if (one->phase != CONNECTION_WORKS && now - one->since > most)
            shutdown(one->socket, SHUT_RDWR);
    pthread_mutex_unlock(&all->mutex);
}

size_t connections_count(connections *all)
{
    pthread_mutex_lock(&all->mutex);
    size_t count = all->count;
    pthread_mutex_unlock(&all->mutex);
    return count;
}
