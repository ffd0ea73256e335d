/* Long work that another thread may cancel. A public function that takes long marks its whole extent, those that it
 * calls are within it, and loops ask now and then. A cancellation ends the work that has begun before it. */
#ifndef CNN_CORE_CANCEL_H
#define CNN_CORE_CANCEL_H

#include <stdbool.h>

#include <cnn/context.h>
#include <cnn/status.h>

/* Lies on the stack of who begins it. */
typedef struct cnn_work cnn_work;
struct cnn_work {
    cnn_context *context;
    unsigned cancellations; /* when the outermost work on this context began */
    cnn_work *outer;        /* of the same thread */
};

void cnn_work_begin(cnn_work *work, cnn_context *context);
void cnn_work_end(cnn_work *work);

/* Whether that work was cancelled. May be asked on any thread that takes part in it. */
bool cnn_work_is_cancelled(const cnn_work *work);

/* CNN_ERROR_STOPPED if the calling thread's work was cancelled. `what` begins the sentence. */
cnn_status cnn_work_check(const char *what);

#endif
