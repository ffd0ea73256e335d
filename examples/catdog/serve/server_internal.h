/* What the server's files share: the server and its requests. */
#ifndef CATDOG_SERVE_SERVER_INTERNAL_H
#define CATDOG_SERVE_SERVER_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>

#include <microhttpd.h>

#include "serve/access.h"
#include "serve/connections.h"
#include "serve/metrics.h"
#include "serve/pages.h"
#include "serve/photographs.h"
#include "serve/queue.h"
#include "serve/server.h"
#include "serve/upload.h"

struct server {
    cnn_classifier *classifier;
    const char *model_name;
    serve_limits limits;
    access_rules rules;
    struct MHD_Daemon *daemon;
    int listener;
    queue *queue;
    connections connections;
    memory_budget budget;
    metrics metrics;
    atomic_size_t active; /* requests */
    atomic_int stopping;
};

typedef struct request request;

typedef struct route {
    const char *path;
    const char *methods; /* for the header Allow */
    enum MHD_Result (*answer)(request *r);
} route;

struct request {
    server *server;
    struct MHD_Connection *http;
    connection *connection;
    const route *route; /* NULL: there is none, or a page */
    const page *page;
    double start;
    refusal refusal; /* code 0: none */
    upload upload;
    photographs photographs;
    uint64_t received; /* bytes of the body */
    int uploads, classified;
    int closes;        /* the connection, after the answer */
    unsigned answered; /* the status code; 0: not yet */
};

/* requests.c: libmicrohttpd's callbacks while a request arrives and when it has ended. `user` is the server. */
enum MHD_Result request_handle(void *user, struct MHD_Connection *http, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request_user);
void request_end(void *user, struct MHD_Connection *http, void **request_user, enum MHD_RequestTerminationCode code);

/* responses.c: the responses. MHD_NO if memory is short, which closes the connection. */
enum MHD_Result respond_with_refusal(request *r);
enum MHD_Result respond_to_preflight(request *r);
enum MHD_Result respond_with_page(request *r);
enum MHD_Result respond_with_model(request *r);
enum MHD_Result respond_with_health(request *r);
enum MHD_Result respond_with_metrics(request *r);
enum MHD_Result respond_with_predictions(request *r);

#endif
