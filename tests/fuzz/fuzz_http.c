/* What strangers send to the web server's socket. A zero byte in the input stands for a moment's wait, so that what
 * follows comes in a packet of its own. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "serve/listener.h"
#include "serve/server.h"

enum { SIDE = 8, IMAGES = 4, SECONDS = 5, PAUSES = 80 };

static cnn_context *context;
static cnn_classifier *classifier;
static server *web;
static unsigned port;

static void check(cnn_status status)
{
    if (status)
        fuzz_fail("the classifier can't be made");
}

static void make_classifier(void)
{
    static uint8_t pixels[IMAGES][SIDE * SIDE * 3];
    cnn_context_options one_thread;
    cnn_context_options_init(&one_thread);
    one_thread.threads = 1;
    check(cnn_context_create(&one_thread, &context));
    cnn_graph *graph;
    cnn_dataset *dataset;
    cnn_tensor *images[IMAGES];
    cnn_train_options options;
    check(cnn_graph_create(context, &graph));
    cnn_node x = cnn_relu(graph, cnn_conv2d(graph, cnn_input(graph, SIDE, SIDE, 3), 2, NULL));
    cnn_dense(graph, cnn_global_avg_pool(graph, x), 1, NULL);
    check(cnn_classifier_create_from_graph(context, graph, NULL, &classifier));
    for (int i = 0; i < IMAGES; i++) {
        memset(pixels[i], i * 60, sizeof pixels[i]);
        check(cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIDE, SIDE, 3 }, pixels[i], &images[i]));
    }
    check(cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)images, (const int32_t[]){ 0, 1, 0, 1 },
                                         IMAGES, (const char *const[]){ "a", "b" }, 2, &dataset));
    cnn_train_options_init(&options);
    options.epochs = 1;
    check(cnn_classifier_fit(classifier, dataset, NULL, &options));
    cnn_dataset_destroy(dataset);
    for (int i = 0; i < IMAGES; i++)
        cnn_tensor_destroy(images[i]);
    cnn_graph_destroy(graph);
}

static void stop_server(void)
{
    server_refuse_new(web);
    server_destroy(web);
    cnn_classifier_destroy(classifier);
    cnn_context_destroy(context);
}

static void start_server(void)
{
    static const serve_limits limits = { .body_bytes = 1 << 16,
                                         .photographs = 4,
                                         .pixels = 1 << 16,
                                         .waiting = 16,
                                         .batch = 4,
                                         .memory_bytes = 16 << 20,
                                         .connections = 16,
                                         .idle_seconds = SECONDS,
                                         .request_seconds = SECONDS };
    static const access_rules rules = { "pets.example.org", "https://pets.example.org" };
    signal(SIGPIPE, SIG_IGN);
    make_classifier();
    int listener = listener_open("127.0.0.1", 0);
    web = listener < 0 ? NULL : server_start(classifier, "pets", &limits, &rules, listener);
    if (!web)
        fuzz_fail("the server can't be started");
    port = listener_port(listener);
    atexit(stop_server);
}

static int connect_to_server(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct timeval limit = { .tv_sec = SECONDS };
    const struct timespec pause = { .tv_nsec = 100000000 };
    for (int i = 0; i < PAUSES; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (!connect(client, (const struct sockaddr *)&address, sizeof address))
            return client;
        int problem = errno;
        close(client);
        if (problem != EADDRNOTAVAIL && problem != EINTR)
            break;
        nanosleep(&pause, NULL); /* every port has just been in use, or libFuzzer's clock interrupted */
    }
    fuzz_fail("the server takes no connection");
}

/* A call that has a time limit isn't begun again by the system when libFuzzer's clock interrupts it. */
static ssize_t receive(int client, char *answer, size_t size)
{
    ssize_t got;
    while ((got = recv(client, answer, size, 0)) < 0 && errno == EINTR)
        continue;
    return got;
}

static void send_in_packets(int client, const uint8_t *data, size_t size)
{
    const struct timespec moment = { .tv_nsec = 50000 };
    for (size_t at = 0, end; at < size; at = end + 1) {
        const uint8_t *wait = memchr(data + at, 0, size - at);
        end = wait ? (size_t)(wait - data) : size;
        if (send(client, data + at, end - at, MSG_NOSIGNAL) < 0)
            return;
        if (wait)
            nanosleep(&moment, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_server);
    char answer[4096];
    const struct linger at_once = { .l_onoff = 1 };
    int client = connect_to_server();
    send_in_packets(client, data, size);
    shutdown(client, SHUT_WR);
    ssize_t got = 0, total = 0;
    while ((got = receive(client, answer + (total < 16 ? total : 16), sizeof answer - 16)) > 0)
        total += got;
    if (got < 0 && errno != ECONNRESET)
        fuzz_fail("the server neither answers nor closes the connection");
    if (total >= 9 && memcmp(answer, "HTTP/1.", 7))
        fuzz_fail("the answer isn't HTTP");
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* else ports run out */
    close(client);
    server_watch(web);
    return 0;
}
