/* From a graph to operations, one for each node. */
#include "compile/passes.h"
#include "core/memory.h"

/* What is known of a node. */
typedef struct node_info {
    cnn_node source;    /* whose value it has: itself, or for layers that do nothing when predicting, their input's */
    bool live;          /* an output depends on it */
    int32_t operation;  /* that gives its value */
    int32_t parameters; /* index of its first */
} node_info;

/* Frozen layers are computed as in prediction. */
static bool is_training(const cnn_program *program, cnn_node node)
{
    return program->purpose.training && !program->source.nodes[node].frozen;
}

static void find_sources(const cnn_program *program, node_info *nodes)
{
    const cnn_graph *graph = program->source.graph;
    int32_t parameters = 0;
    for (cnn_node i = 0; i < graph->count; i++) {
        const cnn_graph_node *node = &graph->nodes[i];
        bool nothing = !is_training(program, i) && node->layer.type == &cnn_layer_dropout;
        nodes[i] = (node_info){ .source = nothing ? nodes[node->inputs[0]].source : i,
                                .operation = -1,
                                .parameters = parameters };
        parameters += node->layer.parameter_count;
    }
}

static void mark_live(const cnn_graph *graph, node_info *nodes)
{
    for (cnn_node i = graph->count - 1; i >= 0; i--)
        for (int32_t k = 0; nodes[i].live && k < graph->nodes[i].layer.input_count; k++)
            nodes[nodes[graph->nodes[i].inputs[k]].source].live = true;
}

static void add_operation(cnn_program *program, node_info *nodes, cnn_node i)
{
    const cnn_graph_node *node = &program->source.graph->nodes[i];
    cnn_operation *operation = &program->operations[program->count];
    operation->layer = node->layer;
    operation->node = i;
    operation->training = is_training(program, i);
    for (int32_t k = 0; k < node->layer.input_count; k++)
        operation->inputs[k] = nodes[nodes[node->inputs[k]].source].operation;
    for (int32_t k = 0; k < node->layer.parameter_count; k++)
        operation->parameters[k] = nodes[i].parameters + k;
    nodes[i].operation = program->count++;
}

static void lower(cnn_program *program, node_info *nodes, const cnn_node *wanted)
{
    const cnn_graph *graph = program->source.graph;
    find_sources(program, nodes);
    for (int32_t i = 0; i < program->output_count; i++)
        nodes[nodes[wanted[i]].source].live = true;
    mark_live(graph, nodes);
    for (cnn_node i = 0; i < graph->count; i++)
        if (nodes[i].live)
            add_operation(program, nodes, i);
    for (int32_t i = 0; i < program->output_count; i++)
        program->outputs[i] = nodes[nodes[wanted[i]].source].operation;
}

cnn_status cnn_lower_graph(cnn_program *program)
{
    const cnn_program_source *source = &program->source;
    cnn_node output = cnn_graph_output(source->graph);
    size_t count = (size_t)source->graph->count;
    program->output_count = source->outputs ? source->output_count : 1;
    program->outputs = cnn_allocate_zeroed(source->context, (size_t)program->output_count, sizeof *program->outputs);
    program->operations = cnn_allocate_zeroed(source->context, count, sizeof *program->operations);
    node_info *nodes = cnn_allocate_zeroed(source->context, count, sizeof *nodes);
    bool allocated = program->outputs && program->operations && nodes;
    if (allocated)
        lower(program, nodes, source->outputs ? source->outputs : &output);
    cnn_release(source->context, nodes);
    return allocated ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}
