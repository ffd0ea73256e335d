/* The connections that are open, so that none is held open for long by a client that sends, or takes, byte by byte. */
#ifndef CATDOG_SERVE_CONNECTIONS_H
#define CATDOG_SERVE_CONNECTIONS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

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
    uint64_t bytes;    /* of the body of the request that comes in */
    int is_shut;       /* already */
    size_t uri_size;   /* of the request that comes in, as it was sent; its own thread's */
    int uri_is_broken; /* there is %00, or a blank, in it */
} connection;

typedef struct connections {
    pthread_mutex_t mutex;
    connection *first;
    size_t count, shut;
    size_t most; /* that aren't shut */
} connections;

void connections_init(connections *all, size_t most);
void connections_release(connections *all);

/* Where all that may be open are, the one whose client is slowest makes room. NULL if memory is short. */
connection *connections_add(connections *all, int socket);
void connections_remove(connections *all, connection *one);

void connections_set_phase(connections *all, connection *one, connection_phase phase);
void connections_count_bytes(connections *all, connection *one, size_t size);

/* Shuts those down whose client takes too long. */
void connections_shut_slow(connections *all, double seconds);

/* Those that aren't shut. */
size_t connections_count(connections *all);

#endif
