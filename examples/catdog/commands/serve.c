#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/clock.h"
#include "cli/context.h"
#include "cli/idle.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/shipped.h"
#include "serve/listener.h"
#include "serve/server.h"

enum { MEGABYTE = 1 << 20, MEGAPIXEL = 1000000 };

typedef struct serving {
    const char *model, *address;
    uint64_t port, threads;
    double threshold; /* negative: the model's own */
    inference_options use;
    uint64_t body_megabytes, memory_megabytes, megapixels;
    serve_limits limits;
    access_rules rules;
    sigset_t signals; /* that end it */
    cnn_context *context;
    cnn_classifier *classifier;
    int listener; /* −1: none */
} serving;

/* How long the end waits for photographs to be classified, and for clients that haven't sent their request, or taken
 * their answer; and then for those that are told that it was too short. */
static const double patience_seconds = 7, last_seconds = 1;

static const char *model_name(const serving *s)
{
    const char *slash = strrchr(s->model, '/');
    return slash ? slash + 1 : s->model;
}

/* Waits for a signal to end; not 0 if there was one. */
static int wait_for_signal(const serving *s, double seconds)
{
    const struct timespec time = { (time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds)) };
    return sigtimedwait(&s->signals, NULL, &time) > 0;
}

/* Not 0 if there was another signal to end. */
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
    printf(" at http://%s%s%s:%u/ - Ctrl-C ends it\n", is_ipv6 ? "[" : "", s->address, is_ipv6 ? "]" : "",
           listener_port(s->listener));
    return output_flush();
}

/* Where photographs are still being classified, or clients don't go, nothing is waited for: the process ends without
 * tidying up. */
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

/* The signals are blocked before there are threads, so that they reach this one alone. */
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
    if (context_create(s->threads, &s->context) || inference_load(s->context, s->model, &s->use, &s->classifier))
        return EXIT_FAILED;
    if (idle_check_threshold(&serve_command, s->classifier))
        return EXIT_USAGE;
    if (s->threshold > 0 && cnn_classifier_set_threshold(s->classifier, (float)s->threshold))
        return output_library_error();
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
        .threshold = -1,
        .body_megabytes = 32,
        .memory_megabytes = 1024,
        .megapixels = 64,
        .limits = { .photographs = 32,
                    .waiting = 256,
                    .batch = 16,
                    .connections = 256,
                    .idle_seconds = 15,
                    .request_seconds = 60 },
        .listener = -1,
    };
    const option options[] = {
        { "model", "FILE", "the trained model (the one of cats and dogs that comes with catdog)", OPTION_TEXT,
          &s.model },
        { "port", "N", "the port to listen at; 0: any that is free (8080)", OPTION_WHOLE, &s.port, 0, 65535 },
        { "bind", "ADDRESS", "the address to listen at; 0.0.0.0: all of this machine (127.0.0.1)", OPTION_TEXT,
          &s.address },
        { "host", "NAME[,NAME]", "names by which others reach it; addresses and localhost always do", OPTION_TEXT,
          &s.rules.hosts },
        { "allow-origin", "ORIGIN[,ORIGIN]", "pages of elsewhere that may use the API, as https://pets.example.org",
          OPTION_TEXT, &s.rules.origins },
        { "threshold", "X", "call it the second class from this probability on (0.5)", OPTION_NUMBER, &s.threshold,
          1e-6, 0.999999 },
        INFERENCE_OPTIONS(s.use),
        { "threads", "N", "threads that classify (all processors)", OPTION_WHOLE, &s.threads, 1, 256 },
        { "batch", "N", "photographs classified together, at most (16)", OPTION_WHOLE, &s.limits.batch, 1, 1024 },
        { "queue", "N", "photographs that may wait; more are answered with 503 (256)", OPTION_WHOLE, &s.limits.waiting,
          1, 1000000 },
        { "photos", "N", "photographs in a request, at most (32)", OPTION_WHOLE, &s.limits.photographs, 1, 10000 },
        { "body", "MB", "size of a request, at most (32)", OPTION_WHOLE, &s.body_megabytes, 1, 4096 },
        { "megapixels", "N", "size of a photograph, at most (64)", OPTION_WHOLE, &s.megapixels, 1, 100 },
        { "memory", "MB", "half for photographs that wait or are being sent, half to decode them (1024)", OPTION_WHOLE,
          &s.memory_megabytes, 2, 1 << 20 },
        { "connections", "N", "open at once; one more makes the slowest go (256)", OPTION_WHOLE, &s.limits.connections,
          1, 65536 },
        { "idle-time", "S", "seconds without a byte after which a connection is closed (15)", OPTION_WHOLE,
          &s.limits.idle_seconds, 1, 86400 },
        { "request-time", "S", "seconds that sending a request may take, and taking its answer (60)", OPTION_WHOLE,
          &s.limits.request_seconds, 1, 86400 },
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (!access_hosts_are_sound(s.rules.hosts))
        return arguments_wrong(command, "serve: --host takes names such as pets.example.org, without a port");
    if (!access_origins_are_sound(s.rules.origins))
        return arguments_wrong(command, "serve: --allow-origin takes origins such as https://pets.example.org");
    if (s.limits.photographs > s.limits.waiting)
        s.limits.photographs = s.limits.waiting; /* more would never find a place */
    s.limits.body_bytes = s.body_megabytes * MEGABYTE;
    s.limits.memory_bytes = s.memory_megabytes * MEGABYTE;
    s.limits.pixels = s.megapixels * MEGAPIXEL;
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
    "Serves a web page that tells what is in photographs, and the same as a JSON API:\n"
    "POST /v1/predict, GET /v1/model, /healthz, and /metrics for Prometheus.\n\n"
    "  catdog serve\n"
    "  catdog serve --model pets.safetensors --port 9000\n"
    "  catdog serve --bind 0.0.0.0               for the phones in the same network\n"
    "  curl -F photo=@cat.jpg -F photo=@dog.jpg http://127.0.0.1:8080/v1/predict\n\n"
    "Photographs are kept in memory until they are answered, and nowhere else.\n",
    run,
};
