#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "cli/clock.h"
#include "cli/context.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/shipped.h"
#include "commands/commands.h"
#include "serve/listener.h"
#include "serve/server.h"

enum { MEGABYTE = 1 << 20 };

typedef struct serving {
    const char *model, *address;
    uint64_t port;
    context_options resources; /* without memory_mb: photographs have a limit of their own */
    inference_options inference;
    uint64_t body_megabytes, memory_megabytes;
    serve_limits limits;
    access_rules rules;
    sigset_t signals; /* that stop the server */
    cnn_context *context;
    cnn_classifier *classifier;
    int listener; /* −1: none */
} serving;

/* How long stopping waits for photographs to be classified and for clients to send their requests and take their
 * responses; and then for the clients that are refused because that was too short. */
static const double patience_seconds = 7, last_seconds = 1;

static const char *model_name(const serving *s)
{
    const char *slash = strrchr(s->model, '/');
    return slash ? slash + 1 : s->model;
}

/* Waits for a signal to stop; not 0 if there was one. */
static int wait_for_signal(const serving *s, double seconds)
{
    const struct timespec time = { (time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds)) };
    return sigtimedwait(&s->signals, NULL, &time) > 0;
}

/* Not 0 if there was another signal to stop. */
static int wait_for_requests(const serving *s, server *web, double seconds)
{
    const double tick = 0.01, until = clock_now() + seconds;
    while (server_active_requests(web) && clock_now() < until) {
        if (wait_for_signal(s, tick))
            return 1;
        server_watch(web);
    }
    return 0;
}

static int print_start(const serving *s)
{
    int is_ipv6 = strchr(s->address, ':') != NULL;
    printf("catdog: serving ");
    output_text(stdout, model_name(s));
    printf(" at http://%s%s%s:%u/ - press Ctrl-C to stop\n", is_ipv6 ? "[" : "", s->address, is_ipv6 ? "]" : "",
           listener_port(s->listener));
    return output_flush();
}

/* If photographs are still being classified or clients remain, the process exits without releasing anything. */
static int stop(const serving *s, server *web)
{
    server_refuse_new(web);
    int at_once = wait_for_requests(s, web, patience_seconds);
    if (!at_once) {
        server_refuse_waiting(web);
        at_once = wait_for_requests(s, web, last_seconds);
    }
    puts("catdog: stopped");
    int result = output_finish();
    if (at_once || !server_is_idle(web))
        _exit(result);
    server_destroy(web);
    return result;
}

static int serve_until_signal(const serving *s, server *web)
{
    if (print_start(s)) {
        server_destroy(web);
        return output_finish();
    }
    while (!wait_for_signal(s, 0.5))
        server_watch(web);
    return stop(s, web);
}

/* The signals are blocked before there are threads, so that only this one receives them. */
static void block_signals(serving *s)
{
    sigemptyset(&s->signals);
    sigaddset(&s->signals, SIGINT);
    sigaddset(&s->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
}

static int serve(serving *s)
{
    block_signals(s);
    if (context_create(&s->resources, &s->context))
        return EXIT_FAILED;
    int wrong = inference_load(&serve_command, s->context, s->model, &s->inference, &s->classifier);
    if (wrong)
        return wrong;
    s->listener = listener_open(s->address, s->port);
    if (s->listener < 0)
        return EXIT_FAILED;
    server *web = server_start(s->classifier, model_name(s), &s->limits, &s->rules, s->listener);
    return web ? serve_until_signal(s, web) : EXIT_FAILED;
}

static int run(const catdog_command *command, int argc, char **argv)
{
    serving s = {
        .address = "127.0.0.1",
        .port = 8080,
        .body_megabytes = 32,
        .memory_megabytes = 1024,
        .resources.max_pixels = 64000000,
        .limits = { .photographs = 32,
                    .waiting = 256,
                    .batch = 16,
                    .connections = 256,
                    .idle_seconds = 15,
                    .request_seconds = 60 },
        .listener = -1,
    };
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &s.model, .initial = SHIPPED_MODEL },
        { "port", "N", "TCP port to listen on; 0 picks a free one", OPTION_WHOLE, &s.port, 0, 65535,
          .initial = "8080" },
        { "bind", "ADDRESS", "IP address to listen on; 0.0.0.0 accepts other machines", OPTION_TEXT, &s.address,
          .initial = "127.0.0.1" },
        { "host", "NAME[,NAME]", "host names of this server, besides localhost and its IP addresses", OPTION_TEXT,
          &s.rules.hosts },
        { "allow-origin", "ORIGIN[,ORIGIN]", "other web pages that may use the API, such as https://pets.example.org",
          OPTION_TEXT, &s.rules.origins },
        THRESHOLD_OPTION(s.inference),
        INFERENCE_OPTIONS(s.inference),
        THREADS_OPTION(s.resources),
        { "batch", "N", "limit on photographs classified together", OPTION_WHOLE, &s.limits.batch, 1, 1024,
          .initial = "16" },
        { "queue", "N", "limit on waiting photographs; requests beyond it get status 503", OPTION_WHOLE,
          &s.limits.waiting, 1, 1000000, .initial = "256" },
        { "photos", "N", "limit on photographs in a request", OPTION_WHOLE, &s.limits.photographs, 1, 10000,
          .initial = "32" },
        { "body", "MB", "limit on the size of a request, in MB", OPTION_WHOLE, &s.body_megabytes, 1, 4096,
          .initial = "32" },
        { "max-pixels", "N", "limit on the width times height of a photograph, in pixels", OPTION_WHOLE,
          &s.resources.max_pixels, 1, 100000000, .initial = "64000000" },
        { "memory", "MB", "memory for photographs in MB: half for those waiting, half for decoding", OPTION_WHOLE,
          &s.memory_megabytes, 2, 1 << 20, .initial = "1024" },
        { "connections", "N", "limit on open connections; a further one replaces the slowest", OPTION_WHOLE,
          &s.limits.connections, 1, 65536, .initial = "256" },
        { "idle-time", "SECONDS", "close a connection after this many seconds without traffic", OPTION_WHOLE,
          &s.limits.idle_seconds, 1, 86400, .initial = "15" },
        { "request-time", "SECONDS", "limit on the time for sending a request, and on that for receiving its response",
          OPTION_WHOLE, &s.limits.request_seconds, 1, 86400, .initial = "60" },
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (!listener_is_address(s.address))
        return arguments_wrong(command, "serve: --bind takes an address such as 127.0.0.1, 0.0.0.0 or ::1, not '%s'",
                               s.address);
    if (!access_hosts_are_sound(s.rules.hosts))
        return arguments_wrong(command, "serve: --host takes names such as pets.example.org, without a port");
    if (!access_origins_are_sound(s.rules.origins))
        return arguments_wrong(command, "serve: --allow-origin takes origins such as https://pets.example.org");
    if (s.limits.photographs > s.limits.waiting)
        s.limits.photographs = s.limits.waiting; /* more would never find a place */
    s.limits.body_bytes = s.body_megabytes * MEGABYTE;
    s.limits.memory_bytes = s.memory_megabytes * MEGABYTE;
    if (s.limits.memory_bytes > SIZE_MAX)
        s.limits.memory_bytes = SIZE_MAX; /* of 32 bits */
    s.limits.pixels = s.resources.max_pixels;
    s.model = shipped_model_unless(s.model);
    if (!s.model)
        return EXIT_FAILED;
    int result = serve(&s);
    if (s.listener >= 0)
        close(s.listener);
    cnn_classifier_destroy(s.classifier);
    cnn_context_destroy(s.context);
    return result;
}

const catdog_command serve_command = {
    "serve",
    "serve a web page and a JSON API",
    "[OPTION]...",
    "Serves a web page that classifies photographs, and a JSON API that does the same:\n"
    "POST /v1/predict, GET /v1/model, GET /healthz, and GET /metrics for Prometheus.\n\n"
    "  catdog serve\n"
    "  catdog serve --model pets.safetensors --port 9000\n"
    "  catdog serve --bind 0.0.0.0               for phones in the same network\n"
    "  curl -F photo=@cat.jpg -F photo=@dog.jpg http://127.0.0.1:8080/v1/predict\n\n"
    "Photographs are kept in memory until they are classified. They are never stored.\n",
    run,
};
