#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "serve/answers.h"
#include "serve/server_internal.h"

/* The page loads nothing from other origins, has nothing inline, and can't be framed. */
static const char *const headers[][2] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
      "form-action 'none'; base-uri 'none'; frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
};

/* Pages of allowed origins may read the responses; others may not even load them. */
static void add_origin(const request *r, struct MHD_Response *response)
{
    const char *origin = access_allowed_origin(r->http, &r->server->rules);
    if (origin) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_EXPOSE_HEADERS, MHD_HTTP_HEADER_RETRY_AFTER);
    }
    if (r->server->rules.origins)
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ORIGIN);
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", origin ? "cross-origin" : "same-origin");
}

static enum MHD_Result send_response(request *r, unsigned code, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    add_origin(r, response);
    if (r->closes || atomic_load(&r->server->stopping))
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

/* Takes ownership of `text`, which is NULL if memory was short. */
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

enum MHD_Result respond_with_refusal(request *r)
{
    return send_json(r, r->refusal.code, answer_error(r->refusal.sentence));
}

/* A browser sends this request before it lets a page of another origin send a photograph. */
enum MHD_Result respond_to_preflight(request *r)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_METHODS, r->route->methods);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_HEADERS, MHD_HTTP_HEADER_CONTENT_TYPE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_MAX_AGE, "600");
    return send_response(r, MHD_HTTP_NO_CONTENT, response);
}

enum MHD_Result respond_with_page(request *r)
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

enum MHD_Result respond_with_model(request *r)
{
    return send_json(r, MHD_HTTP_OK, answer_model(r->server->classifier, r->server->model_name, &r->server->limits));
}

enum MHD_Result respond_with_health(request *r)
{
    int stopping = atomic_load(&r->server->stopping);
    return send_json(r, stopping ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, answer_health(stopping));
}

enum MHD_Result respond_with_metrics(request *r)
{
    metrics *m = &r->server->metrics;
    atomic_store(&m->connections, connections_count(&r->server->connections));
    return send_text(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", metrics_text(m));
}

/* The status code if no photograph was classified. */
static unsigned refusal_code(const photographs *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i]->prediction.status != CNN_ERROR_LIMIT)
            return MHD_HTTP_UNPROCESSABLE_CONTENT;
    return MHD_HTTP_CONTENT_TOO_LARGE;
}

enum MHD_Result respond_with_predictions(request *r)
{
    size_t refused, count = r->photographs.count;
    char *text = answer_predictions(r->server->classifier, &r->photographs, &refused);
    enum MHD_Result result = send_json(r, refused == count ? refusal_code(&r->photographs) : MHD_HTTP_OK, text);
    if (r->answered) {
        metrics_count_photographs(&r->server->metrics, count - refused, refused);
        metrics_count_prediction(&r->server->metrics, clock_now() - r->start);
    }
    return result;
}
