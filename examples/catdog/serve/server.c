#include "serve/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/output.h"
#include "serve/server_internal.h"

/* For a request's header and the part of its body read at once. */
enum { CONNECTION_BUFFER = 48 << 10 };

/* Connections beyond the limit, so that a new client gets a response at once or displaces the slowest one. */
enum { SPARE_CONNECTIONS = 32 };

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

/* Records facts about the address that libmicrohttpd's decoded one no longer shows. */
static void *note_address(void *user, const char *uri, struct MHD_Connection *http)
{
    (void)user;
    connection *one = MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (one) {
        one->uri_size = strlen(uri);
        one->uri_is_broken = strstr(uri, "%00") || strpbrk(uri, " \t");
    }
    return NULL;
}

/* One thread reads and writes for some hundred photographs a second; that is as much as several processors classify. */
static unsigned choose_threads(const serve_limits *limits)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = processors >= 32 ? 4 : processors >= 8 ? 2 : 1;
    return threads > limits->connections ? 1 : threads;
}

static unsigned most_connections(const serve_limits *limits)
{
    return (unsigned)limits->connections + choose_threads(limits) * SPARE_CONNECTIONS;
}

/* Not 0 with a sentence printed: the system doesn't let the process have as many connections. */
static int allow_connections(const serve_limits *limits)
{
    enum { OTHER_FILES = 64 };
    struct rlimit files;
    rlim_t needed = most_connections(limits) + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= needed)
        return 0;
    files.rlim_cur = needed;
    if (files.rlim_max >= needed && !setrlimit(RLIMIT_NOFILE, &files))
        return 0;
    output_error("serve: --connections %llu needs %llu open files, and the system allows %llu (see ulimit -n)",
                 (unsigned long long)limits->connections, (unsigned long long)needed,
                 (unsigned long long)files.rlim_max);
    return -1;
}

static struct MHD_Daemon *start_daemon(server *s)
{
    unsigned threads = choose_threads(&s->limits);
    const struct MHD_OptionItem pool[] = {
        { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    /* Not epoll: with it, libmicrohttpd 0.9.75 misses that a client has closed just after what it sent. Not stricter:
     * it sends the head of its own refusals twice. head.c looks at what clients send. */
    return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
                            request_handle, s, MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_CONNECTION_LIMIT,
                            most_connections(&s->limits), MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)s->limits.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_BUFFER, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_URI_LOG_CALLBACK,
                            note_address, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_end, s,
                            MHD_OPTION_NOTIFY_CONNECTION, note_connection, s, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

server *server_start(cnn_classifier *classifier, const char *model_name, const serve_limits *limits,
                     const access_rules *rules, int listener)
{
    server *s = NULL;
    if (allow_connections(limits))
        return NULL;
    s = calloc(1, sizeof *s);
    if (!s) {
        output_error("serve: out of memory");
        return NULL;
    }
    s->classifier = classifier;
    s->model_name = model_name;
    s->limits = *limits;
    s->rules = *rules;
    s->listener = listener;
    s->budget.limit = (size_t)serve_held_bytes(limits);
    s->metrics.held = &s->budget.used;
    connections_init(&s->connections, (size_t)limits->connections);
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
    connections_shut_slow(&s->connections, (double)s->limits.request_seconds);
    queue_drop_abandoned(s->queue);
}

void server_refuse_new(server *s)
{
    atomic_store(&s->stopping, 1);
    queue_take_oldest_first(s->queue);
}

size_t server_active_requests(const server *s)
{
    return atomic_load(&s->active);
}

void server_refuse_waiting(server *s)
{
    queue_close(s->queue);
    queue_drop_all(s->queue);
}

int server_is_idle(server *s)
{
    return !server_active_requests(s) && queue_is_idle(s->queue);
}

void server_destroy(server *s)
{
    if (!s)
        return;
    if (s->daemon) {
        MHD_quiesce_daemon(s->daemon); /* or it would close the listener, which the caller owns */
        MHD_stop_daemon(s->daemon);
    }
    queue_destroy(s->queue);
    connections_release(&s->connections);
    free(s);
}
