#include "operations_parallel.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../child.h"
#include "../unit/context_of_tier.h"

enum { MOST_CALLERS = 4, CALLS = 3, CHILD_SECONDS = 10 };

typedef struct caller {
    case_trial trial; /* with a `why` of its own */
    const cnn_tensor *expected;
    bool right;
    char why[256];
} caller;

static bool call_model(case_trial *trial, const cnn_tensor *expected)
{
    for (int i = 0; i < CALLS; i++)
        if (!trial_same_bits(trial, "at once", expected, 0, trial_predict(trial, trial->model, 0, trial->it->images)))
            return false;
    return true;
}

static bool call_own_context(case_trial *trial, const cnn_tensor *expected)
{
    uint32_t threads = cnn_context_threads(trial->context) % 4 + 1;
    cnn_context *context;
    if (!trial_ok(trial, context_of_tier(trial->it->tier, threads, &context), "cnn_context_create"))
        return false;
    bool right =
        trial_predicts_same_bits(trial, "another context", expected, trial_clone(trial, trial->model, context));
    if (right)
        cnn_context_destroy(context);
    return right;
}

static void *run_caller(void *argument)
{
    caller *it = argument;
    it->right = call_model(&it->trial, it->expected);
    return NULL;
}

static void *run_caller_in_context(void *argument)
{
    caller *it = argument;
    it->right = call_own_context(&it->trial, it->expected);
    return NULL;
}

static bool run_callers(case_trial *trial, int32_t count, void *(*run)(void *))
{
    caller callers[MOST_CALLERS];
    pthread_t threads[MOST_CALLERS];
    cnn_tensor *expected = trial_predict(trial, trial->model, 0, trial->it->images);
    bool right = expected != NULL;
    for (int32_t i = 0; i < count && right; i++) {
        callers[i] = (caller){ .trial = *trial, .expected = expected };
        callers[i].trial.why = callers[i].why;
        callers[i].trial.why_size = sizeof callers[i].why;
        if (pthread_create(&threads[i], NULL, run, &callers[i]))
            return trial_fail(trial, "a thread can't be made");
    }
    for (int32_t i = 0; i < count && expected; i++) {
        pthread_join(threads[i], NULL);
        if (!callers[i].right)
            right = trial_fail(trial, "%s", callers[i].why);
    }
    cnn_tensor_destroy(expected);
    return right;
}

bool operation_at_once(case_trial *trial, int32_t argument)
{
    return run_callers(trial, 2 + argument % (MOST_CALLERS - 1), run_caller);
}

bool operation_contexts(case_trial *trial, int32_t argument)
{
    if (cnn_model_is_quantized(trial->model)) /* copies go by way of a file, of which there is one */
        return true;
    return run_callers(trial, 2 + argument % (MOST_CALLERS - 1), run_caller_in_context);
}

typedef struct forked {
    case_trial *trial;
    const cnn_tensor *expected;
} forked;

static bool predict_in_child(void *argument)
{
    const forked *f = argument;
    case_trial *trial = f->trial;
    if (trial_same_bits(trial, "after fork", f->expected, 0, trial_predict(trial, trial->model, 0, trial->it->images)))
        return true;
    fprintf(stderr, "random: %s\n", trial->why);
    return false;
}

bool operation_fork(case_trial *trial, int32_t argument)
{
    (void)argument;
    cnn_tensor *expected = trial_predict(trial, trial->model, 0, trial->it->images);
    if (!expected)
        return false;
    int status = child_status(predict_in_child, &(forked){ trial, expected }, CHILD_SECONDS);
    cnn_tensor_destroy(expected);
    return !status || trial_fail(trial, "a child predicts otherwise, or not at all: status %d", status);
}
