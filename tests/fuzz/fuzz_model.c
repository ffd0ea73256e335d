/* Model files, and networks as JSON, from strangers. The first byte says which. */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cnn/cnn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load_model(const uint8_t *data, size_t size)
{
    char path[64];
    cnn_model *model;
    int descriptor = memfd_create("model", 0);
    if (descriptor < 0)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (write(descriptor, data, size) == (ssize_t)size && !cnn_model_load(NULL, path, &model))
        cnn_model_destroy(model);
    close(descriptor);
}

static void read_graph(const uint8_t *data, size_t size)
{
    cnn_graph *graph;
    char *text = NULL;
    if (cnn_graph_from_json(NULL, (const char *)data, size, &graph))
        return;
    if (cnn_graph_to_json(graph, &text))
        __builtin_trap(); /* what was read can be written */
    cnn_text_free(text);
    cnn_graph_destroy(graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] & 1)
        read_graph(data + 1, size - 1);
    else if (size)
        load_model(data + 1, size - 1);
    return 0;
}
