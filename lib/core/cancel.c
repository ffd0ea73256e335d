#include "core/cancel.h"

#include <stdatomic.h>

#include "core/context_internal.h"
#include "core/error.h"

static _Thread_local cnn_work *innermost;

void cnn_work_begin(cnn_work *work, cnn_context *context)
{
    context = cnn_context_or_default(context);
    *work = (cnn_work){ .context = context, .outer = innermost };
    if (context)
        work->cancellations = atomic_load(&context->cancellations);
    for (const cnn_work *outer = innermost; outer; outer = outer->outer)
        if (outer->context == context)
            work->cancellations = outer->cancellations;
    innermost = work;
}

void cnn_work_end(cnn_work *work)
{
    innermost = work->outer;
}

bool cnn_work_is_cancelled(const cnn_work *work)
{
    for (; work; work = work->outer)
        if (work->context && atomic_load(&work->context->cancellations) != work->cancellations)
            return true;
    return false;
}

cnn_status cnn_work_check(const char *what)
{
    return cnn_work_is_cancelled(innermost) ? cnn_fail(CNN_ERROR_STOPPED, "%s: was cancelled", what) : CNN_OK;
}

void cnn_context_cancel(cnn_context *context)
{
    context = cnn_context_or_made_default(context);
    if (context)
        atomic_fetch_add(&context->cancellations, 1);
}
