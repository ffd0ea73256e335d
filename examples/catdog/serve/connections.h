/* The connections that are open, so that none is held open for long by a client that sends, or takes, byte by byte. */
#ifndef CATDOG_SERVE_CONNECTIONS_H
#define CATDOG_SERVE_CONNECTIONS_H

#include <pthread.h>
#include <stddef.h>

#include "limits.h"

/* Whose turn it is. */
typedef enum connection_phase {
    CONNECTION_RECEIVES, /* the client's: its request isn't there yet */
    CONNECTION_WORKS,    /* ours */
    CONNECTION_ANSWERS   /* the client's: it hasn't taken its answer yet */
} connection_phase;

typedef struct connection {
    struct connection *previous, *next;
    int socket;
    connection_phase phase;
    double since;
} connection;

typedef struct connections {
    pthread_mutex_t mutex;
    connection *first;
    size_t count;
} connections;

void connections_init(connections *all);
void connections_release(connections *all);

/* NULL if memory is short. */
connection *connections_add(connections *all, int socket);
void connections_remove(connections *all, connection *one);

void connections_set_phase(connections *all, connection *one, connection_phase phase);

/* Shuts those down whose client takes too long. Where all that may be open are, those that took longest to make room.
 */
void connections_shut_slow(connections *all, const serve_limits *limits);

size_t connections_count(connections *all);

#endif
