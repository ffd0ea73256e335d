/* The server: requests come in by HTTP (libmicrohttpd), photographs go to the queue, answers go out. */
#ifndef CATDOG_SERVE_SERVER_H
#define CATDOG_SERVE_SERVER_H

#include <cnn/cnn.h>

#include "serve/access.h"
#include "serve/limits.h"

typedef struct server server;

/* Serves at a socket that listens. The classifier and the strings must outlive it. NULL: a sentence was printed. */
server *server_start(cnn_classifier *classifier, const char *model_name, const serve_limits *limits,
                     const access_rules *rules, int listener);

/* To be called every half second or so: shuts down connections whose clients are too slow, and drops the photographs of
 * those that went away. */
void server_watch(server *s);

/* From now on the server says that it is being stopped: to who asks for its health, and to who sends photographs. */
void server_refuse_new(server *s);

/* Requests that have begun and haven't got their whole answer. */
size_t server_active_requests(const server *s);

/* Refuses those whose photographs wait for the classifier. */
void server_refuse_waiting(server *s);

/* Whether it can be destroyed without waiting for the classifier or for clients. */
int server_is_idle(server *s);

/* Closes all connections, and frees it. */
void server_destroy(server *s);

#endif
