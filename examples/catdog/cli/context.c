#include "cli/context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

/* Warnings that were printed: a command that opens its data twice would print them twice. */
typedef struct said {
    struct said *next;
    char *message;
} said;

static said *all_said;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int is_new(const char *message)
{
    for (const said *s = all_said; s; s = s->next)
        if (!strcmp(s->message, message))
            return 0;
    said *s = malloc(sizeof *s);
    char *copy = s ? strdup(message) : NULL;
    if (!copy) {
        free(s);
        return 1;
    }
    *s = (said){ all_said, copy };
    all_said = s;
    return 1;
}

static void print_message(cnn_log_level level, const char *message, void *user)
{
    (void)user;
    pthread_mutex_lock(&mutex);
    if (level < CNN_LOG_WARNING) /* as CNN_LOG=2 wants it */
        output_error("%s", message);
    else if (is_new(message))
        output_error("warning: %s", message);
    pthread_mutex_unlock(&mutex);
}

static void forget_all_said(void)
{
    while (all_said) {
        said *first = all_said;
        all_said = first->next;
        free(first->message);
        free(first);
    }
}

cnn_status context_create(const context_options *options, cnn_context **context)
{
    static int registered;
    if (!registered)
        registered = !atexit(forget_all_said);
    cnn_context_options all;
    cnn_context_options_init(&all);
    all.threads = (uint32_t)options->threads;
    all.memory_limit = options->memory_mb << 20;
    all.max_pixels = options->max_pixels;
    all.log = print_message;
    cnn_status status = cnn_context_create(&all, context);
    if (status)
        output_library_error();
    return status;
}
