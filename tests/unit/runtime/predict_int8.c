/* Quantises a net whose numbers of channels fill no vector and no group, and predicts: to be run under memcheck, which
 * sees what is used before it is set. Exits with 0. */
#include "models.h"
#include "runtime/model_internal.h"

static cnn_node convolve(cnn_graph *g, cnn_node x, int64_t filters, int32_t size, int32_t stride, int32_t groups)
{
    const cnn_conv2d_options options = { .struct_size = sizeof options,
                                         .kernel = { size, size },
                                         .stride = { stride, stride },
                                         .padding = CNN_PADDING_SAME,
                                         .groups = groups };
    return cnn_conv2d(g, x, filters, &options);
}

static cnn_graph *build(void)
{
    cnn_graph *g;
    if (cnn_graph_create(NULL, &g))
        return NULL;
    cnn_node x = cnn_relu(g, convolve(g, cnn_input(g, 13, 11, 3), 5, 3, 1, 1));
    x = cnn_relu(g, convolve(g, x, 5, 3, 1, 5));
    x = cnn_concat(g, (const cnn_node[]){ x, convolve(g, x, 5, 3, 1, 1) }, 2);
    x = cnn_max_pool2d(g, cnn_relu6(g, convolve(g, x, 6, 2, 1, 2)), NULL);
    x = cnn_relu(g, cnn_add(g, x, convolve(g, x, 6, 3, 1, 3)));
    x = convolve(g, x, 70, 5, 2, 1);
    x = convolve(g, cnn_relu(g, x), 70, 3, 1, 70);
    cnn_dense(g, cnn_dense(g, cnn_global_avg_pool(g, x), 7, NULL), 3, NULL);
    return g;
}

int main(void)
{
    enum { IMAGES = 9 };
    cnn_graph *graph = build();
    cnn_model *model = NULL, *quantized = NULL;
    if (!graph || cnn_model_create(NULL, graph, 1, &model))
        return 1;
    fill_parameters(model, 3);
    cnn_tensor *images = batch_of(IMAGES, cnn_model_input_shape(model), 5);
    cnn_tensor *outputs = batch_of(IMAGES, cnn_model_output_shape(model), 5);
    int result = cnn_model_quantize(model, images, &quantized) || cnn_model_predict(quantized, images, outputs);
    float sum = 0;
    for (int64_t i = 0; !result && i < outputs->count; i++)
        sum += ((float *)outputs->data)[i];
    result = result || !(sum > -1e6f); /* a branch on what was computed */
    cnn_tensor_destroy(outputs);
    cnn_tensor_destroy(images);
    cnn_model_destroy(quantized);
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return result;
}
