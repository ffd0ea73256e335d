/* How long each layer of a prediction takes. */
#include <string.h>

#include "core/error.h"
#include "core/os.h"
#include "runtime/model_state.h"

typedef struct stopwatch {
    double *seconds; /* of each node */
    double last;     /* when the operation before ended */
} stopwatch;

static void note(void *user, cnn_node node, const float *values, int64_t count)
{
    stopwatch *watch = user;
    double time = cnn_os_seconds();
    (void)values;
    (void)count;
    if (node > 0) /* the first is the input, which isn't computed */
        watch->seconds[node] += time - watch->last;
    watch->last = time;
}

cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds, int32_t count)
{
    if (!model || !seconds || count != cnn_graph_node_count(model->graph))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "cnn_model_time_layers: NULL was given, or a count that isn't that of the graph's nodes");
    cnn_shape shape = cnn_model_input_shape(model);
    cnn_status status = cnn_check_batch(input, &shape, "cnn_model_time_layers: the input");
    if (status)
        return status;
    memset(seconds, 0, (size_t)count * sizeof *seconds);
    stopwatch watch = { seconds, 0 };
    return cnn_model_observe(model, input, &(const cnn_observer){ note, &watch });
}
