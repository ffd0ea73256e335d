/* Nets as JSON from strangers, read and then used. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_graph *graph;
    cnn_model *model;
    if (!cnn_graph_from_json(context, (const char *)data, size, &graph)) {
        if (!cnn_model_create(context, graph, choice, &model)) {
            fuzz_use_model(context, model, choice / 512);
            cnn_model_destroy(model);
        }
        cnn_graph_destroy(graph);
    }
    fuzz_allocations_succeed();
    return 0;
}
