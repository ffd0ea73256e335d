/* The server: requests come in by HTTP (libmicrohttpd), photographs go to the queue, answers go out. */
#ifndef CATDOG_SERVE_SERVER_H
#define CATDOG_SERVE_SERVER_H

#include <cnn/cnn.h>

#include "limits.h"

typedef struct server server;

/* Serves at a socket that listens. The classifier and the strings must outlive it. NULL: a sentence was printed. */
server *server_start(cnn_classifier *classifier, const char *model_name, const serve_limits *limits, int listener);

/* To be called every half second or so: shuts down connections whose clients are too slow. */
void server_watch(server *s);

/* Takes no new connections, and no new requests on those that there are. */
void server_stop_accepting(server *s);

/* Requests that have begun and haven't got their whole answer. */
size_t server_active_requests(const server *s);

/* Classifies what waits; requests that aren't there as a whole are refused from now on. */
void server_finish_queue(server *s);

/* Closes all connections, and frees it. */
void server_destroy(server *s);

#endif
