/* The open connections, none of which a client can hold open for long by sending or receiving byte by byte. */
#ifndef CATDOG_SERVE_CONNECTIONS_H
#define CATDOG_SERVE_CONNECTIONS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* Who has to act next. */
typedef enum connection_phase {
    CONNECTION_RECEIVES, /* the client, which is sending its request */
    CONNECTION_WORKS,    /* the server */
    CONNECTION_ANSWERS   /* the client, which is receiving its response */
} connection_phase;

typedef struct connection {
    struct connection *previous, *next;
    int socket;
    connection_phase phase;
    double since;
    uint64_t bytes;    /* received of the request's body */
    int is_shut;       /* already */
    size_t uri_size;   /* of the request's address as it was sent; used by one thread */
    int uri_is_broken; /* it contains %00 or a blank */
} connection;

typedef struct connections {
    pthread_mutex_t mutex;
    connection *first;
    size_t count, shut;
    size_t most; /* that may be open at once */
} connections;

void connections_init(connections *all, size_t most);
void connections_release(connections *all);

/* Adds a connection. If too many are open, shuts down the one whose client is slowest. NULL if memory is short. */
connection *connections_add(connections *all, int socket);
void connections_remove(connections *all, connection *one);

void connections_set_phase(connections *all, connection *one, connection_phase phase);
void connections_count_bytes(connections *all, connection *one, size_t size);

/* Shuts down connections whose clients have taken longer than `seconds`. */
void connections_shut_slow(connections *all, double seconds);

/* The number of connections that are not shut down. */
size_t connections_count(connections *all);

#endif
