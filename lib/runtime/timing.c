/* How long each layer of a prediction takes. */
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "runtime/model_state.h"
#include "runtime/session_pool.h"

cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds, int32_t count)
{
    if (!model || !seconds || count != cnn_graph_node_count(model->graph))
        return cnn_fail(CNN_ERROR_ARGUMENT,
                        "cnn_model_time_layers: NULL was given, or a count that isn't that of the graph's nodes");
    cnn_shape shape = cnn_model_input_shape(model);
    const cnn_program *program;
    cnn_status status = cnn_check_batch(input, &shape, 1, "cnn_model_time_layers: the input");
    if (!status)
        status = cnn_session_pool_program(model->sessions, model, &program);
    if (status)
        return status;
    double *own = cnn_allocate(model->context, (size_t)program->count * sizeof *own);
    status = own ? cnn_time_operations(model, program, input, own) : CNN_ERROR_OUT_OF_MEMORY;
    memset(seconds, 0, (size_t)count * sizeof *seconds);
    for (int32_t i = 1; i < program->count && !status; i++)
        seconds[program->operations[i].node] += own[i];
    seconds[0] = 0; /* the input may be converted, but is no layer's work */
    cnn_release(model->context, own);
    return status;
}
