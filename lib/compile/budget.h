/* What one image may cost a model: limits that the context has, so that a small file from a stranger can't ask for a
 * machine's memory or for hours. */
#ifndef CNN_COMPILE_BUDGET_H
#define CNN_COMPILE_BUDGET_H

#include "compile/plan.h"
#include "graph/graph_internal.h"

/* Before anything is allocated: the values of each layer by themselves, and the operations of all. */
cnn_status cnn_graph_check_budget(const cnn_context *context, const cnn_graph *graph);

/* What a plan's arena holds at once. */
cnn_status cnn_plan_check_budget(const cnn_context *context, const cnn_plan *plan, bool training);

#endif
