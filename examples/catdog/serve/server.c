#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "../output.h"
#include "answers.h"
#include "connections.h"
#include "metrics.h"
#include "pages.h"
#include "queue.h"
#include "upload.h"

/* For the head of a request and what is read of its body at once. */
enum { CONNECTION_BUFFER = 48 << 10 };

struct server {
    cnn_classifier *classifier;
    const char *model_name;
    serve_limits limits;
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
    unsigned answered; /* the status code; 0: not yet */
};

/* Nothing of the page comes from elsewhere, nothing in it is inline, and no other page shows it in a frame. */
static const char *const headers[][2] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
      "form-action 'none'; base-uri 'none'; frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
};

static enum MHD_Result send_response(request *r, unsigned code, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (atomic_load(&r->server->stopping))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (code == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->route ? r->route->methods : "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(r->http, code, response);
    MHD_destroy_response(response);
    if (result == MHD_YES) {
        r->answered = code;
        metrics_count_request(&r->server->metrics, code);
        connections_set_phase(&r->server->connections, r->connection, CONNECTION_ANSWERS);
    }
    return result;
}

/* Takes `text`, which may be NULL if memory was short. */
static enum MHD_Result send_text(request *r, unsigned code, const char *type, char *text)
{
    if (!text)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return send_response(r, code, response);
}

static enum MHD_Result send_json(request *r, unsigned code, char *text)
{
    return send_text(r, code, "application/json", text);
}

static enum MHD_Result send_refusal(request *r)
{
    return send_json(r, r->refusal.code, answer_error(r->refusal.sentence));
}

static enum MHD_Result send_page(request *r)
{
    const char *have = MHD_lookup_connection_value(r->http, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    int unchanged = have && !strcmp(have, r->page->tag);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        unchanged ? 0 : r->page->size, (void *)(uintptr_t)r->page->bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->page->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, r->page->tag);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    return send_response(r, unchanged ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result send_model(request *r)
{
    return send_json(r, MHD_HTTP_OK, answer_model(r->server->classifier, r->server->model_name, &r->server->limits));
}

static enum MHD_Result send_health(request *r)
{
    int stopping = atomic_load(&r->server->stopping);
    return send_json(r, stopping ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, answer_health(stopping));
}

static enum MHD_Result send_metrics(request *r)
{
    metrics *m = &r->server->metrics;
    atomic_store(&m->connections, connections_count(&r->server->connections));
    return send_text(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", metrics_text(m));
}

static enum MHD_Result send_predictions(request *r)
{
    size_t refused, count = r->photographs.count;
    char *text = answer_predictions(r->server->classifier, &r->photographs, &refused);
    enum MHD_Result result = send_json(r, refused == count ? MHD_HTTP_UNPROCESSABLE_CONTENT : MHD_HTTP_OK, text);
    if (r->answered) {
        metrics_count_photographs(&r->server->metrics, count - refused, refused);
        metrics_count_prediction(&r->server->metrics, connections_now() - r->start);
    }
    return result;
}

static void resume(void *user)
{
    request *r = user;
    MHD_resume_connection(r->http);
}

/* The body is there. The connection sleeps until the queue has classified its photographs; then this is called again.
 */
static enum MHD_Result classify(request *r)
{
    if (r->classified)
        return send_predictions(r);
    size_t sound = upload_end(&r->upload);
    if (!r->refusal.code && sound && queue_reserve(r->server->queue, sound))
        refuse(&r->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is busy; try again in a moment");
    if (r->refusal.code)
        return send_refusal(r);
    if (!sound)
        return send_predictions(r);
    const char *wanted = MHD_lookup_connection_value(r->http, MHD_GET_ARGUMENT_KIND, "heat_map");
    r->photographs.heat_maps = wanted && strcmp(wanted, "0") != 0;
    r->photographs.done = resume;
    r->photographs.user = r;
    r->classified = 1;
    connections_set_phase(&r->server->connections, r->connection, CONNECTION_WORKS);
    MHD_suspend_connection(r->http);
    queue_push(r->server->queue, &r->photographs);
    return MHD_YES;
}

static const route routes[] = {
    { "/v1/predict", "POST", classify },
    { "/v1/model", "GET, HEAD", send_model },
    { "/healthz", "GET, HEAD", send_health },
    { "/metrics", "GET, HEAD", send_metrics },
};

static void find_route(request *r, const char *url, const char *method)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (!strcmp(url, routes[i].path))
            r->route = &routes[i];
    for (const page *p = pages; p->path; p++)
        if (!strcmp(url, p->path))
            r->page = p;
    int posts = r->route && r->route->answer == classify;
    if (!r->route && !r->page)
        refuse(&r->refusal, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
    else if (posts ? strcmp(method, "POST") != 0 : strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        refuse(&r->refusal, MHD_HTTP_METHOD_NOT_ALLOWED, "this address takes %s alone",
               posts ? "POST" : "GET and HEAD");
    else if (atomic_load(&r->server->stopping) && posts)
        refuse(&r->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is being stopped");
    else
        r->uploads = posts;
}

static const char *header(const request *r, const char *name)
{
    return MHD_lookup_connection_value(r->http, MHD_HEADER_KIND, name);
}

static void refuse_for_size(request *r)
{
    refuse(&r->refusal, MHD_HTTP_CONTENT_TOO_LARGE, "the request is larger than the %.6g MB that this server takes",
           (double)r->server->limits.body_bytes / (1 << 20));
}

/* Not 0: the request is refused, and its body had better not come at all. Else the body of one that is refused is read
 * and dropped: a client that is still sending would miss the answer. */
static int refuse_by_length(request *r)
{
    const char *text = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const unsigned long long length = text ? strtoull(text, NULL, 10) : 0;
    if (!r->refusal.code && length > r->server->limits.body_bytes)
        refuse_for_size(r);
    return r->refusal.code && (length / 2 > r->server->limits.body_bytes || header(r, MHD_HTTP_HEADER_EXPECT));
}

static enum MHD_Result begin_request(server *s, struct MHD_Connection *http, const char *url, const char *method,
                                     void **user)
{
    request *r = calloc(1, sizeof *r);
    if (!r)
        return MHD_NO;
    *user = r;
    r->server = s;
    r->http = http;
    r->start = connections_now();
    r->photographs.budget = &s->budget;
    r->connection = MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    atomic_fetch_add(&s->active, 1);
    find_route(r, url, method);
    int at_once = refuse_by_length(r);
    if (r->uploads && !r->refusal.code) {
        upload_begin(&r->upload, http, &s->limits, &r->photographs, &r->refusal);
        at_once = r->refusal.code && header(r, MHD_HTTP_HEADER_EXPECT);
    }
    return at_once ? send_refusal(r) : MHD_YES;
}

static enum MHD_Result receive(request *r, const char *data, size_t size)
{
    r->received += size;
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

static enum MHD_Result handle(void *user, struct MHD_Connection *http, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request_user)
{
    (void)version;
    request *r = *request_user;
    if (!r)
        return begin_request(user, http, url, method, request_user);
    if (*size) {
        const size_t received = *size;
        *size = 0;
        return receive(r, data, received);
    }
    if (r->refusal.code)
        return send_refusal(r);
    return r->page ? send_page(r) : r->route->answer(r);
}

static void end_request(void *user, struct MHD_Connection *http, void **request_user,
                        enum MHD_RequestTerminationCode code)
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

static void note_connection(void *user, struct MHD_Connection *http, void **socket_user,
                            enum MHD_ConnectionNotificationCode code)
{
    server *s = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_user = info ? connections_add(&s->connections, info->connect_fd) : NULL;
    } else {
        connections_remove(&s->connections, *socket_user);
        *socket_user = NULL;
    }
}

/* One thread reads and writes for some hundred photographs a second; that is as much as several processors classify. */
static unsigned choose_threads(const serve_limits *limits)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = processors >= 32 ? 4 : processors >= 8 ? 2 : 1;
    return threads > limits->connections ? 1 : threads;
}

static struct MHD_Daemon *start_daemon(server *s)
{
    unsigned threads = choose_threads(&s->limits);
    const struct MHD_OptionItem pool[] = {
        { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    /* Not epoll: with it, libmicrohttpd 0.9.75 misses that a client has closed just after what it sent. */
    return MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL, handle, s,
        MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->limits.connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->limits.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BUFFER, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, end_request, s,
        MHD_OPTION_NOTIFY_CONNECTION, note_connection, s, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

server *server_start(cnn_classifier *classifier, const char *model_name, const serve_limits *limits, int listener)
{
    server *s = calloc(1, sizeof *s);
    if (!s) {
        output_error("serve: out of memory");
        return NULL;
    }
    s->classifier = classifier;
    s->model_name = model_name;
    s->limits = *limits;
    s->listener = listener;
    s->budget.limit = limits->memory_bytes;
    s->metrics.held = &s->budget.used;
    connections_init(&s->connections);
    s->queue = queue_create(classifier, limits, &s->metrics);
    s->daemon = s->queue ? start_daemon(s) : NULL;
    if (s->daemon)
        return s;
    output_error("serve: the server can't be started: %s", strerror(errno));
    server_destroy(s);
    return NULL;
}

void server_watch(server *s)
{
    connections_shut_slow(&s->connections, &s->limits);
}

void server_stop_accepting(server *s)
{
    atomic_store(&s->stopping, 1);
    MHD_quiesce_daemon(s->daemon);
}

size_t server_active_requests(const server *s)
{
    return atomic_load(&s->active);
}

void server_finish_queue(server *s)
{
    queue_finish(s->queue);
}

void server_destroy(server *s)
{
    if (!s)
        return;
    if (s->queue)
        queue_finish(s->queue); /* no connection may sleep when the daemon is stopped */
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    queue_destroy(s->queue);
    connections_release(&s->connections);
    free(s);
}
