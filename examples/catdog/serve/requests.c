#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/clock.h"
#include "serve/head.h"
#include "serve/server_internal.h"

static void resume(void *user)
{
    request *r = user;
    MHD_resume_connection(r->http);
}

/* Nothing is read from a client while its photographs are classified, but this shows whether it has closed. */
static int is_abandoned(void *user)
{
    const request *r = user;
    char byte;
    ssize_t size = recv(r->connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

/* `?heat_map` and `?heat_map=1` ask for them. */
static int wants_heat_maps(const request *r)
{
    static const char name[] = "heat_map";
    const char *value = NULL;
    return MHD_lookup_connection_value_n(r->http, MHD_GET_ARGUMENT_KIND, name, sizeof name - 1, &value, NULL) &&
           (!value || strcmp(value, "0") != 0);
}

/* The connection sleeps until the queue has classified its photographs; then the request is answered. */
static enum MHD_Result begin_classifying(request *r)
{
    r->photographs.heat_maps = wants_heat_maps(r);
    r->photographs.done = resume;
    r->photographs.is_abandoned = is_abandoned;
    r->photographs.user = r;
    r->classified = 1;
    connections_set_phase(&r->server->connections, r->connection, CONNECTION_WORKS);
    MHD_suspend_connection(r->http);
    queue_push(r->server->queue, &r->photographs);
    return MHD_YES;
}

static enum MHD_Result end_classifying(request *r)
{
    if (!atomic_load(&r->photographs.dropped))
        return respond_with_predictions(r);
    if (!atomic_load(&r->server->stopping))
        return MHD_NO; /* nobody waits for it */
    refuse(&r->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping");
    return respond_with_refusal(r);
}

/* Connections beyond the limit only get short responses. */
static int is_busy(server *s, size_t count)
{
    return connections_count(&s->connections) > s->limits.connections || queue_reserve(s->queue, count);
}

/* Called when the body is complete, and again when its photographs are classified. */
static enum MHD_Result classify(request *r)
{
    if (r->classified)
        return end_classifying(r);
    size_t sound = upload_end(&r->upload);
    if (!r->refusal.code && sound && is_busy(r->server, sound))
        refuse(&r->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is busy; try again in a moment");
    if (r->refusal.code)
        return respond_with_refusal(r);
    return sound ? begin_classifying(r) : respond_with_predictions(r);
}

static const route routes[] = {
    { "/v1/predict", "POST", classify },
    { "/v1/model", "GET, HEAD", respond_with_model },
    { "/healthz", "GET, HEAD", respond_with_health },
    { "/metrics", "GET, HEAD", respond_with_metrics },
};

static void find_route(request *r, const char *url)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (!strcmp(url, routes[i].path))
            r->route = &routes[i];
    for (const page *p = pages; p->path; p++)
        if (!strcmp(url, p->path))
            r->page = p;
}

static void refuse_by_method(request *r, const char *method)
{
    int posts = r->route && r->route->answer == classify;
    if (!r->route && !r->page)
        refuse(&r->refusal, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
    else if (posts ? strcmp(method, "POST") != 0 : strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        refuse(&r->refusal, MHD_HTTP_METHOD_NOT_ALLOWED, "this address only takes %s", posts ? "POST" : "GET and HEAD");
    else if (atomic_load(&r->server->stopping) && posts)
        refuse(&r->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping");
    else if (posts && !access_is_welcome(r->http, &r->server->rules))
        refuse(&r->refusal, MHD_HTTP_FORBIDDEN, "pages of other origins may not use this server (see --allow-origin)");
    else
        r->uploads = posts;
}

/* After an ambiguous header nothing else on the connection can be trusted, so it is closed. */
static void refuse_by_head(request *r, const char *path, const char *method, const char *version)
{
    const char *fault = head_fault(r->http, method, version, r->connection->uri_size);
    if (!fault && r->connection->uri_is_broken)
        fault = "the address contains a zero byte or a blank";
    if (!fault && !path)
        fault = "the address and the Host header name different hosts";
    if (fault)
        refuse(&r->refusal, MHD_HTTP_BAD_REQUEST, "%s", fault);
    else if (!access_is_for_us(r->http, &r->server->rules))
        refuse(&r->refusal, MHD_HTTP_MISDIRECTED_REQUEST, "this server does not answer to that host name (see --host)");
    r->closes = r->refusal.code != 0;
}

static const char *header(const request *r, const char *name)
{
    return MHD_lookup_connection_value(r->http, MHD_HEADER_KIND, name);
}

static void refuse_for_size(request *r)
{
    refuse(&r->refusal, MHD_HTTP_CONTENT_TOO_LARGE, "the request exceeds this server's limit of %.6g MB",
           (double)r->server->limits.body_bytes / (1 << 20));
}

/* Not 0 if the request is to be refused before its body arrives. Otherwise the body of a refused request is read and
 * dropped, because a client that is still sending would miss the response. */
static int refuse_by_length(request *r)
{
    const char *text = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const unsigned long long length = text ? strtoull(text, NULL, 10) : 0;
    if (!r->refusal.code && length > r->server->limits.body_bytes)
        refuse_for_size(r);
    return r->refusal.code && (length / 2 > r->server->limits.body_bytes || header(r, MHD_HTTP_HEADER_EXPECT));
}

static request *create(server *s, struct MHD_Connection *http)
{
    connection *own = MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request *r = own ? calloc(1, sizeof *r) : NULL;
    if (!r)
        return NULL;
    r->server = s;
    r->http = http;
    r->connection = own;
    r->start = clock_now();
    r->photographs.budget = &s->budget;
    r->photographs.classes = cnn_classifier_class_count(s->classifier);
    atomic_fetch_add(&s->active, 1);
    connections_set_phase(&s->connections, own, CONNECTION_RECEIVES);
    return r;
}

static enum MHD_Result begin(server *s, struct MHD_Connection *http, const char *url, const char *method,
                             const char *version, void **user)
{
    request *r = *user = create(s, http);
    if (!r)
        return MHD_NO;
    const char *path = head_path(http, url);
    refuse_by_head(r, path, method, version);
    if (r->closes)
        return respond_with_refusal(r);
    find_route(r, path);
    if (!strcmp(method, "OPTIONS") && r->route && access_allowed_origin(http, &s->rules))
        return respond_to_preflight(r);
    refuse_by_method(r, method);
    int at_once = refuse_by_length(r);
    if (r->uploads && !r->refusal.code) {
        upload_begin(&r->upload, http, &s->limits, cnn_classifier_preprocess(s->classifier), &r->photographs,
                     &r->refusal);
        at_once = r->refusal.code && header(r, MHD_HTTP_HEADER_EXPECT);
    }
    return at_once ? respond_with_refusal(r) : MHD_YES;
}

static enum MHD_Result receive(request *r, const char *data, size_t size)
{
    r->received += size;
    connections_count_bytes(&r->server->connections, r->connection, size);
    if (r->received / 2 > r->server->limits.body_bytes)
        return MHD_NO; /* there may be no end of it */
    if (!r->refusal.code && r->received > r->server->limits.body_bytes)
        refuse_for_size(r);
    else if (!r->refusal.code && r->uploads)
        upload_receive(&r->upload, data, size);
    if (r->refusal.code)
        photographs_release(&r->photographs); /* their memory is for others, while the rest is dropped */
    return MHD_YES;
}

enum MHD_Result request_handle(void *user, struct MHD_Connection *http, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request_user)
{
    request *r = *request_user;
    if (!r)
        return begin(user, http, url, method, version, request_user);
    if (*size) {
        const size_t received = *size;
        *size = 0;
        return receive(r, data, received);
    }
    if (r->refusal.code)
        return respond_with_refusal(r);
    return r->page ? respond_with_page(r) : r->route->answer(r);
}

void request_end(void *user, struct MHD_Connection *http, void **request_user, enum MHD_RequestTerminationCode code)
{
    (void)http, (void)code;
    server *s = user;
    request *r = *request_user;
    if (!r)
        return;
    if (!r->answered)
        metrics_count_dropped(&s->metrics);
    connections_set_phase(&s->connections, r->connection, CONNECTION_RECEIVES);
    upload_release(&r->upload);
    photographs_release(&r->photographs);
    free(r);
    *request_user = NULL;
    atomic_fetch_sub(&s->active, 1);
}
