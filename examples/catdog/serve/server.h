/* The server: receives requests by HTTP (libmicrohttpd), queues their photographs, and sends responses. */
#ifndef CATDOG_SERVE_SERVER_H
#define CATDOG_SERVE_SERVER_H

#include <cnn/cnn.h>

#include "serve/access.h"
#include "serve/limits.h"

typedef struct server server;

/* Serves on a listening socket. The classifier and the strings must outlive the server. NULL with a sentence printed.
 */
server *server_start(cnn_classifier *classifier, const char *model_name, const serve_limits *limits,
                     const access_rules *rules, int listener);

/* To be called about every half second: shuts down connections whose clients are too slow, and drops the photographs of
 * clients that have gone. */
void server_watch(server *s);

/* From now on health checks report that the server is stopping, and new photographs are refused. */
void server_refuse_new(server *s);

/* The number of requests that have begun and not received their whole response. */
size_t server_active_requests(const server *s);

/* Refuses requests whose photographs are still waiting. */
void server_refuse_waiting(server *s);

/* Whether server_destroy would wait neither for the classifier nor for clients. */
int server_is_idle(server *s);

/* Closes all connections and releases the server. */
void server_destroy(server *s);

#endif
