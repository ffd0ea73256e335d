#include "core/context_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/error.h"
#include "core/options.h"
#include "core/os.h"

static void *allocate_default(size_t size, void *user)
{
    enum { ALIGNMENT = 64 };
    (void)user;
    return cnn_os_allocate(ALIGNMENT, size);
}

static void release_default(void *memory, void *user)
{
    (void)user;
    free(memory);
}

/* What the variable says, 0 if it isn't a possible number. */
static uint32_t threads_of_environment(void)
{
    const char *variable = getenv("CNN_THREADS");
    char *end = NULL;
    long value = variable ? strtol(variable, &end, 10) : 0;
    return value > 0 && value <= CNN_MAX_THREADS && !*end ? (uint32_t)value : 0;
}

static uint32_t choose_threads(uint32_t wanted, uint32_t processors)
{
    if (!wanted)
        wanted = threads_of_environment();
    if (!wanted)
        wanted = processors;
    return wanted < CNN_MAX_THREADS ? wanted : CNN_MAX_THREADS;
}

/* What is given; else what the environment says, in `unit`s; else the default. */
static uint64_t choose_limit(uint64_t wanted, const char *name, uint64_t unit, uint64_t otherwise)
{
    const char *variable = wanted ? NULL : getenv(name);
    char *end = NULL;
    double value = variable ? strtod(variable, &end) * (double)unit : 0;
    bool sound = variable && end != variable && !*end && value >= 1;
    return wanted ? wanted : !sound ? otherwise : value < 0x1p63 ? (uint64_t)value : UINT64_MAX;
}

static cnn_tier choose_tier(cnn_instruction_set wanted)
{
    const char *variable = wanted == CNN_ISA_BEST ? getenv("CNN_CPU") : NULL;
    return cnn_cpu_tier(variable ? cnn_tier_from_name(variable) : cnn_highest_tier(wanted));
}

static cnn_log_level choose_least_level(void)
{
    const char *variable = getenv("CNN_LOG");
    return variable && !strcmp(variable, "2") ? CNN_LOG_DEBUG : CNN_LOG_WARNING;
}

cnn_status cnn_context_create(const cnn_context_options *given, cnn_context **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_context_create: the result has no place: NULL was given");
    *result = NULL;
    cnn_context_options options;
    cnn_context_options_init(&options);
    cnn_status status = cnn_options_read(&options, sizeof options, given, "cnn_context_options");
    if (status)
        return status;
    if (!options.allocate != !options.release)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_context_options: allocate and release must be given both or neither");
    if ((unsigned)options.instruction_set > CNN_ISA_NEON)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_context_options: %d is no instruction set; they are 0 to %d",
                        (int)options.instruction_set, CNN_ISA_NEON);
    if (options.threads > CNN_MAX_THREADS)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_context_options: %u threads were asked for; at most %d are possible",
                        options.threads, CNN_MAX_THREADS);
    cnn_context *context = calloc(1, sizeof *context);
    if (!context)
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a context can't be made");
    context->allocate = options.allocate ? options.allocate : allocate_default;
    context->release = options.release ? options.release : release_default;
    context->allocator_user = options.allocator_user;
    context->memory_limit =
        options.memory_limit && options.memory_limit < SIZE_MAX ? (size_t)options.memory_limit : SIZE_MAX;
    context->log = options.log;
    context->log_user = options.log_user;
    context->least_level = choose_least_level();
    context->tier = choose_tier(options.instruction_set);
    context->image_memory_limit =
        choose_limit(options.image_memory_limit, "CNN_IMAGE_MEMORY", 1 << 20, (uint64_t)1 << 30);
    context->image_operation_limit =
        choose_limit(options.image_operation_limit, "CNN_IMAGE_OPERATIONS", 1, (uint64_t)1e12);
    context->max_pixels = choose_limit(options.max_pixels, "CNN_MAX_PIXELS", 1, 200000000);
    uint32_t processors = options.threads == 1 ? 1 : cnn_cpu_count(); /* which reads files */
    context->threads = choose_threads(options.threads, processors);
    context->pool = cnn_pool_create(context->threads, processors);
    if (!context->pool) {
        free(context);
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: a context's threads can't be made");
    }
    *result = context;
    return CNN_OK;
}

void cnn_context_destroy(cnn_context *context)
{
    if (!context)
        return;
    cnn_pool_destroy(context->pool);
    free(context);
}

static _Atomic(cnn_context *) default_context;

/* Several threads may come here at once, and one of them may be the only one that a fork leaves: there is no lock, and
 * all but the first to be ready give up what they have made. */
static cnn_context *make_default(void)
{
    cnn_context *made, *other = NULL;
    if (cnn_context_create(NULL, &made))
        return NULL;
    if (atomic_compare_exchange_strong(&default_context, &other, made))
        return made;
    cnn_context_destroy(made);
    return other;
}

cnn_context *cnn_context_or_made_default(cnn_context *context)
{
    return context ? context : atomic_load_explicit(&default_context, memory_order_acquire);
}

cnn_context *cnn_context_or_default(cnn_context *context)
{
    context = cnn_context_or_made_default(context);
    return context ? context : make_default();
}

uint32_t cnn_context_threads(const cnn_context *context)
{
    context = cnn_context_or_default((cnn_context *)context);
    return context ? context->threads : 1;
}

const char *cnn_context_instruction_set(const cnn_context *context)
{
    context = cnn_context_or_default((cnn_context *)context);
    return cnn_tier_name(context ? context->tier : CNN_TIER_GENERIC);
}

uint64_t cnn_context_memory_in_use(const cnn_context *context)
{
    context = cnn_context_or_made_default((cnn_context *)context);
    return context ? atomic_load_explicit(&context->memory, memory_order_relaxed) : 0;
}

uint64_t cnn_context_memory_peak(const cnn_context *context)
{
    context = cnn_context_or_made_default((cnn_context *)context);
    return context ? atomic_load_explicit(&context->peak, memory_order_relaxed) : 0;
}

cnn_status cnn_context_set_log(cnn_context *context, void (*log)(cnn_log_level level, const char *message, void *user),
                               void *user)
{
    context = cnn_context_or_default(context);
    if (!context)
        return CNN_ERROR_OUT_OF_MEMORY;
    context->log = log;
    context->log_user = user;
    return CNN_OK;
}

bool cnn_logs(const cnn_context *context, cnn_log_level level)
{
    context = cnn_context_or_made_default((cnn_context *)context);
    return context && context->log && level >= context->least_level;
}

void cnn_log(cnn_context *context, cnn_log_level level, const char *format, ...)
{
    context = cnn_context_or_made_default(context);
    if (!cnn_logs(context, level))
        return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    context->log(level, text, context->log_user);
}
