#include "report/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

enum { REPEATS = 15, MOST_INPUTS = 16 };

static void describe(const cnn_model *model, layer *l, cnn_node node)
{
    const cnn_graph *graph = cnn_model_graph(model);
    int64_t dims[CNN_MAX_RANK];
    int32_t rank = cnn_graph_node_dims(graph, node, dims, CNN_MAX_RANK);
    l->name = cnn_graph_node_name(graph, node);
    l->type = cnn_graph_node_type(graph, node);
    int length = 0;
    for (int32_t i = 0; i < rank; i++)
        length += snprintf(l->shape + length, sizeof l->shape - (size_t)length, "%s%lld", i ? " \xc3\x97 " : "",
                           (long long)dims[i]);
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        cnn_parameter parameter = { .struct_size = sizeof parameter };
        size_t name = strlen(l->name);
        if (!cnn_model_parameter(model, i, &parameter) && !strncmp(parameter.name, l->name, name) &&
            parameter.name[name] == '.' && !strchr(parameter.name + name + 1, '.'))
            l->parameters += (uint64_t)cnn_tensor_count(parameter.value);
    }
}

/* The least time of several predictions of a grey image. */
static cnn_status time_all(cnn_context *context, const cnn_model *model, layers *l, double *seconds)
{
    int64_t dims[CNN_MAX_RANK] = { 1 };
    int32_t rank = cnn_model_input_dims(model, dims + 1, CNN_MAX_RANK - 1);
    cnn_tensor *image;
    cnn_status status = cnn_tensor_create(context, CNN_FLOAT32, rank + 1, dims, &image);
    for (int i = 0; i < REPEATS && !status; i++) {
        status = cnn_model_time_layers(model, image, seconds, (int32_t)l->count);
        for (size_t k = 0; k < l->count; k++)
            if (i == 1 || 1e3 * seconds[k] < l->list[k].milliseconds) /* the first warms up */
                l->list[k].milliseconds = 1e3 * seconds[k];
    }
    cnn_tensor_destroy(image);
    return status;
}

/* Layers that are computed together have their time in the last; people look for it at the one with the weights, which
 * is the first. */
static void move_times(const cnn_model *model, const double *timed, layers *l)
{
    const cnn_graph *graph = cnn_model_graph(model);
    for (size_t i = 0; i < l->count; i++) {
        cnn_node first = (cnn_node)i, before = timed[i] > 0 ? first : CNN_NODE_ERROR, inputs[MOST_INPUTS];
        while (before != CNN_NODE_ERROR) {
            first = before;
            before = CNN_NODE_ERROR;
            int32_t count = cnn_graph_node_inputs(graph, first, inputs, MOST_INPUTS);
            for (int32_t k = 0; k < count; k++)
                if (!(timed[inputs[k]] > 0) && strcmp(l->list[inputs[k]].type, "input") != 0 &&
                    strcmp(l->list[inputs[k]].type, "dropout") != 0)
                    before = inputs[k];
        }
        if (first != (cnn_node)i) {
            l->list[first].milliseconds = l->list[i].milliseconds;
            l->list[i].milliseconds = 0;
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = ((const bar *)a)->value, y = ((const bar *)b)->value;
    return (x < y) - (x > y);
}

static int pick_slowest(layers *l)
{
    bar *all = calloc(l->count, sizeof *all);
    if (!all)
        return -1;
    for (size_t i = 0; i < l->count; i++) {
        l->milliseconds += l->list[i].milliseconds;
        all[i] = (bar){ .name = l->list[i].name, .value = l->list[i].milliseconds };
        snprintf(all[i].text, sizeof all[i].text, "%.3f ms", all[i].value);
    }
    qsort(all, l->count, sizeof *all, compare);
    for (; l->bars.count < SLOWEST && l->bars.count < l->count && all[l->bars.count].value > 0; l->bars.count++)
        l->slowest[l->bars.count] = all[l->bars.count];
    l->bars.list = l->slowest;
    free(all);
    return 0;
}

int layers_measure(cnn_context *context, const cnn_model *model, layers *l)
{
    *l = (layers){ .count = (size_t)cnn_graph_node_count(cnn_model_graph(model)) };
    l->list = calloc(l->count, sizeof *l->list);
    double *seconds = calloc(l->count, sizeof *seconds);
    int wrong = !l->list || !seconds;
    for (size_t i = 0; i < l->count && !wrong; i++)
        describe(model, &l->list[i], (cnn_node)i);
    if (!wrong && time_all(context, model, l, seconds)) {
        free(seconds);
        output_library_error();
        return -1;
    }
    if (!wrong)
        move_times(model, seconds, l);
    wrong = wrong || pick_slowest(l);
    free(seconds);
    if (wrong)
        output_error("out of memory: the layers can't be measured");
    return wrong ? -1 : 0;
}

void layers_release(layers *l)
{
    free(l->list);
    *l = (layers){ 0 };
}
