#include "runtime/session_pool.h"

#include <stdatomic.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/memory.h"
#include "runtime/model_state.h"

struct cnn_session_pool {
    cnn_context *context;
    cnn_node *outputs; /* NULL: the model's */
    int32_t output_count;
    _Atomic(cnn_program *) program; /* NULL before the first prediction */
    atomic_uint_least64_t version;  /* of the model's values that are packed in it */
    atomic_uint asked;              /* how often cnn_session_pool_is_second was called */
    cnn_mutex mutex;                /* held while it is made, or its weights are packed anew */
    cnn_fork_guard fork_guard;
    _Atomic(cnn_session *) idle[CNN_MAX_THREADS]; /* NULL: none in this place */
};

static bool copy_outputs(cnn_session_pool *pool, const cnn_node *outputs, int32_t count)
{
    if (!outputs)
        return true;
    pool->outputs = cnn_allocate_zeroed(pool->context, (size_t)count, sizeof *outputs);
    pool->output_count = count;
    if (pool->outputs)
        memcpy(pool->outputs, outputs, (size_t)count * sizeof *outputs);
    return pool->outputs;
}

cnn_status cnn_session_pool_create(cnn_context *context, const cnn_node *outputs, int32_t count,
                                   cnn_session_pool **result)
{
    cnn_session_pool *pool = cnn_allocate_zeroed(context, 1, sizeof *pool);
    if (!pool)
        return CNN_ERROR_OUT_OF_MEMORY;
    pool->context = context;
    if (!copy_outputs(pool, outputs, count) || !cnn_mutex_init(&pool->mutex)) {
        cnn_release(context, pool->outputs);
        cnn_release(context, pool);
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    pool->fork_guard = (cnn_fork_guard){ .mutex = &pool->mutex };
    cnn_fork_guard_add(&pool->fork_guard);
    *result = pool;
    return CNN_OK;
}

void cnn_session_pool_destroy(cnn_session_pool *pool)
{
    if (!pool)
        return;
    for (int i = 0; i < CNN_MAX_THREADS; i++)
        cnn_session_destroy(pool->idle[i]);
    cnn_program_destroy(pool->program);
    cnn_fork_guard_remove(&pool->fork_guard);
    cnn_mutex_destroy(&pool->mutex);
    cnn_release(pool->context, pool->outputs);
    cnn_release(pool->context, pool);
}

static cnn_program *find_program(cnn_session_pool *pool, const cnn_model *model)
{
    cnn_program *program = atomic_load_explicit(&pool->program, memory_order_acquire);
    bool current = program && atomic_load_explicit(&pool->version, memory_order_acquire) == model->version;
    return current ? program : NULL;
}

/* With the mutex held. Nobody runs a program whose weights are packed anew: a model isn't changed while it predicts. */
static cnn_status make_program(cnn_session_pool *pool, const cnn_model *model)
{
    cnn_program *program = atomic_load(&pool->program);
    cnn_status status = CNN_OK;
    if (program)
        cnn_program_pack(program);
    else {
        cnn_program_source source = cnn_model_source(model);
        source.outputs = pool->outputs;
        source.output_count = pool->output_count;
        status = cnn_program_create(&source, (cnn_purpose){ 0 }, &program);
    }
    if (status)
        return status;
    atomic_store_explicit(&pool->version, model->version, memory_order_release);
    atomic_store_explicit(&pool->program, program, memory_order_release);
    return CNN_OK;
}

cnn_status cnn_session_pool_program(cnn_session_pool *pool, const cnn_model *model, const cnn_program **program)
{
    *program = find_program(pool, model);
    if (*program)
        return CNN_OK;
    cnn_mutex_lock(&pool->mutex);
    bool first = !atomic_load(&pool->program);
    cnn_status status = find_program(pool, model) ? CNN_OK : make_program(pool, model);
    cnn_mutex_unlock(&pool->mutex);
    if (status)
        return status;
    *program = atomic_load(&pool->program);
    if (first)
        cnn_log_program(*program);
    return CNN_OK;
}

bool cnn_session_pool_is_second(cnn_session_pool *pool)
{
    return atomic_fetch_add(&pool->asked, 1) == 1;
}

/* Each place is taken and filled by itself, so that a fork finds nothing half done, and a session is never in two
 * hands. */
cnn_session *cnn_session_pool_take(cnn_session_pool *pool)
{
    for (int i = 0; i < CNN_MAX_THREADS; i++) {
        if (!atomic_load_explicit(&pool->idle[i], memory_order_relaxed))
            continue;
        cnn_session *session = atomic_exchange_explicit(&pool->idle[i], NULL, memory_order_acquire);
        if (session)
            return session;
    }
    return cnn_session_create(pool->context);
}

void cnn_session_pool_put(cnn_session_pool *pool, cnn_session *session)
{
    for (int i = 0; i < CNN_MAX_THREADS; i++) {
        cnn_session *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&pool->idle[i], &none, session, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    cnn_session_destroy(session); /* more callers at once than there are places */
}
