/* What one image may cost a model: limits that the context has, so that a small file from a stranger can't ask for a
 * machine's memory or for hours. */
#ifndef CNN_COMPILE_BUDGET_H
#define CNN_COMPILE_BUDGET_H

#include "graph/graph_internal.h"

/* Before anything is allocated: the values of each layer by themselves, and the operations of all. */
cnn_status cnn_graph_check_budget(const cnn_context *context, const cnn_graph *graph);

/* What running a program holds at once for each image. */
cnn_status cnn_check_image_memory(const cnn_context *context, size_t image_bytes, bool training);

#endif
