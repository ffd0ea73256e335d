/* Heat maps by Grad-CAM: Selvaraju et al. 2017, arXiv:1610.02391. The net is predicted up to its last image; what
 * follows, the head, is run forward and backward as a small model over the same weights. */
#include <cnn/explain.h>

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/tensor_internal.h"
#include "runtime/model_state.h"

typedef struct explanation {
    const cnn_model *model;
    cnn_node node;     /* the last image */
    cnn_shape shape;   /* its */
    cnn_tensor *image; /* its value, */
    bool seen;         /* which is there */
    float *gradient;   /* the logit's, by it */
} explanation;

/* The source of the last image's value: dropout does nothing, and of an image of one pixel that which it was pooled
 * from is wanted. */
static cnn_node find_source(const cnn_graph *graph, cnn_node node)
{
    for (;;) {
        const cnn_graph_node *it = &graph->nodes[node];
        bool small = it->layer.output.dims[0] * it->layer.output.dims[1] == 1;
        if (it->layer.input_count != 1 || (it->layer.type != &cnn_layer_dropout && !small))
            return node;
        node = it->inputs[0];
    }
}

static cnn_status find_last_image(explanation *e)
{
    const cnn_graph *graph = e->model->graph;
    for (cnn_node i = cnn_graph_output(graph); i > 0; i--) {
        const cnn_layer *layer = &graph->nodes[i].layer;
        if (layer->output.rank == 3 || layer->inputs[0].rank != 3)
            continue;
        e->node = find_source(graph, graph->nodes[i].inputs[0]);
        e->shape = graph->nodes[e->node].layer.output;
        if (e->node > 0 && e->shape.dims[0] * e->shape.dims[1] > 1)
            return CNN_OK;
    }
    return cnn_fail(CNN_ERROR_UNSUPPORTED,
                    "cnn_model_heat_map: the net computes no image that its output is made from");
}

static void keep_image(void *user, const cnn_operation *operation, const float *values, int64_t count)
{
    explanation *e = user;
    if (operation->node != e->node)
        return;
    memcpy(e->image->data, values, (size_t)count * sizeof *values);
    e->seen = true;
}

static cnn_status compute_image(explanation *e, const cnn_tensor *input)
{
    const cnn_observer observer = { keep_image, e };
    cnn_status status = cnn_tensor_create(e->model->context, CNN_FLOAT32, 3, e->shape.dims, &e->image);
    if (!status)
        status = cnn_model_observe(e->model, input, &observer);
    if (!status && !e->seen)
        status = cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_model_heat_map: %s: its value is only computed within another's",
                          e->model->graph->nodes[e->node].name);
    return status;
}

/* A model of what follows the last image. It runs as in prediction, but so that its layers can go backward: unfused,
 * dropout and batch normalisation as if frozen. */
static cnn_status make_head(const explanation *e, cnn_model **head)
{
    const cnn_weight_memory memory = cnn_weights_of_model(e->model);
    cnn_graph *graph;
    cnn_status status = cnn_graph_rest(e->model->context, e->model->graph, e->node, &graph);
    if (status == CNN_ERROR_ARGUMENT) /* to part the net there wasn't the caller's wish */
        return CNN_ERROR_UNSUPPORTED;
    if (!status) {
        status = cnn_model_create_over(e->model->context, graph, &memory, head);
        cnn_graph_destroy(graph);
    }
    if (status)
        return status;
    (*head)->fuse = false;
    (*head)->differentiates_input = true;
    for (cnn_node i = 0; i < (*head)->graph->count; i++) {
        const cnn_layer_type *type = (*head)->graph->nodes[i].layer.type;
        (*head)->nodes[i].frozen = type == &cnn_layer_dropout || type == &cnn_layer_batch_norm;
    }
    for (int32_t i = 0; i < (*head)->weights_count; i++)
        (*head)->weights[i].trainable = false;
    return CNN_OK;
}

static cnn_status run_head(explanation *e, const cnn_model *head, cnn_session *session, int32_t class_index)
{
    cnn_shape shape = cnn_model_output_shape(head);
    cnn_program_source source = cnn_model_source(head);
    float *direction = cnn_allocate_zeroed(head->context, (size_t)shape.dims[0], sizeof *direction);
    cnn_program *program = NULL;
    cnn_status status = direction && session ? cnn_program_create(&source, (cnn_purpose){ .training = true }, &program)
                                             : CNN_ERROR_OUT_OF_MEMORY;
    if (!status)
        status = cnn_session_reserve(session, program, 1);
    if (!status) {
        direction[shape.dims[0] > 1 ? class_index : 0] = shape.dims[0] > 1 || class_index ? 1 : -1;
        const cnn_run run = {
            .program = program, .session = session, .images = 1, .input = e->image->data, .output_gradient = direction
        };
        cnn_run_forward(&run);
        cnn_run_backward(&run);
        memcpy(e->gradient, cnn_run_input_gradient(&run), (size_t)e->image->count * sizeof *e->gradient);
    }
    cnn_program_destroy(program);
    cnn_release(head->context, direction);
    return status;
}

static cnn_status compute_gradient(explanation *e, int32_t class_index)
{
    cnn_model *head = NULL;
    e->gradient = cnn_allocate_zeroed(e->model->context, (size_t)e->image->count, sizeof *e->gradient);
    cnn_status status = e->gradient ? make_head(e, &head) : CNN_ERROR_OUT_OF_MEMORY;
    if (status)
        return status;
    cnn_session *session = cnn_session_create(head->context);
    status = run_head(e, head, session, class_index);
    cnn_session_destroy(session);
    cnn_model_destroy(head);
    return status;
}

/* A channel's weight is the mean of its gradient; the map is the weighted sum of the channels, where positive. */
static cnn_status combine(explanation *e, float *map)
{
    int64_t channels = e->shape.dims[2], pixels = e->image->count / channels;
    const float *image = e->image->data;
    float *weights = e->gradient, largest = 0; /* the first pixel's become the sums */
    for (int64_t i = channels; i < e->image->count; i++)
        weights[i % channels] += e->gradient[i];
    for (int64_t i = 0; i < pixels; i++) {
        double sum = 0;
        for (int64_t c = 0; c < channels; c++)
            sum += (double)weights[c] * (double)image[i * channels + c];
        if (!isfinite(sum))
            return cnn_fail(CNN_ERROR_NOT_FINITE,
                            "cnn_model_heat_map: the model's values for this image aren't finite");
        map[i] = sum > 0 ? (float)sum : 0;
        largest = map[i] > largest ? map[i] : largest;
    }
    for (int64_t i = 0; i < pixels && largest > 0; i++)
        map[i] /= largest;
    return CNN_OK;
}

static cnn_status check(const cnn_model *model, const cnn_tensor *input, int32_t class_index)
{
    cnn_shape in = cnn_model_input_shape(model), out = cnn_model_output_shape(model);
    if (model->quantized)
        return cnn_fail(CNN_ERROR_UNSUPPORTED,
                        "cnn_model_heat_map: the model is quantised; use the one that it was made from");
    cnn_status status = cnn_check_batch(input, &in, 1, "cnn_model_heat_map: the input");
    if (!status && input->dims[0] != 1)
        status = cnn_fail(CNN_ERROR_SHAPE, "cnn_model_heat_map: the input has %lld images; a map is of one",
                          (long long)input->dims[0]);
    if (!status && out.rank != 1)
        status = cnn_fail(CNN_ERROR_UNSUPPORTED, "cnn_model_heat_map: the net's output is an image, no classes");
    int64_t classes = out.dims[0] > 1 ? out.dims[0] : 2;
    if (!status && (class_index < 0 || class_index >= classes))
        status = cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_heat_map: there is no class %d; they are 0 to %lld",
                          (int)class_index, (long long)classes - 1);
    return status;
}

cnn_status cnn_model_heat_map(const cnn_model *model, const cnn_tensor *input, int32_t class_index, cnn_tensor **map)
{
    if (map)
        *map = NULL;
    if (!model || !map)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_heat_map: the model is NULL, or the result has no place");
    explanation e = { .model = model };
    cnn_status status = check(model, input, class_index);
    if (!status)
        status = find_last_image(&e);
    if (!status)
        status = compute_image(&e, input);
    if (!status)
        status = compute_gradient(&e, class_index);
    if (!status)
        status = cnn_tensor_create(model->context, CNN_FLOAT32, 2, e.shape.dims, map);
    if (!status)
        status = combine(&e, (*map)->data);
    if (status && *map) {
        cnn_tensor_destroy(*map);
        *map = NULL;
    }
    cnn_release(model->context, e.gradient);
    cnn_tensor_destroy(e.image);
    return status;
}
