#include "core/parallel.h"

#include "core/context_internal.h"

void cnn_parallel(cnn_context *context, size_t count, cnn_task task, void *argument)
{
    context = cnn_context_or_default(context);
    cnn_pool_run(context ? context->pool : NULL, count, task, argument);
}
