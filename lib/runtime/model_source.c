/* What a program is made from, of a model. */
#include "runtime/model_internal.h"

cnn_program_source cnn_model_source(const cnn_model *model)
{
    return (cnn_program_source){ .context = model->context,
                                 .graph = model->graph,
                                 .nodes = model->nodes,
                                 .weights = model->weights,
                                 .weights_count = model->weights_count,
                                 .quantized = model->quantized,
                                 .fuse = model->fuse,
                                 .share_memory = model->share_memory,
                                 .differentiates_input = model->differentiates_input };
}
