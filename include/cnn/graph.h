/* Building networks: a graph of layers, written as expressions.
 *
 *     cnn_status make_model(cnn_context *context, cnn_model **model)
 *     {
 *         cnn_graph *g;
 *         cnn_status status = cnn_graph_create(context, &g);
 *         cnn_node x = cnn_input(g, 150, 150, 3);
 *         x = cnn_max_pool2d(g, cnn_relu(g, cnn_conv2d(g, x, 32, NULL)), NULL);
 *         cnn_dense(g, cnn_flatten(g, x), 1, NULL);
 *         if (!status)
 *             status = cnn_model_create(context, g, 1, model);
 *         cnn_graph_destroy(g);
 *         return status;
 *     }
 *
 * Each call adds a layer and returns its node. Any directed acyclic graph can be built: a node may be used by several
 * layers. The first error (an impossible shape, say) sticks to the graph: later calls return CNN_NODE_ERROR and do
 * nothing, and cnn_graph_status or cnn_model_create reports it, with the layer's name and the shapes.
 *
 * Shapes are height × width × channels, without the batch, or just features after flatten or dense. Options may be NULL
 * for the defaults; a zero field means its default. A graph is used from one thread at a time. */
#ifndef CNN_GRAPH_H
#define CNN_GRAPH_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_graph cnn_graph;
typedef int32_t cnn_node;
#define CNN_NODE_ERROR ((cnn_node)-1)

typedef enum cnn_padding {
    CNN_PADDING_VALID = 0, /* none */
    CNN_PADDING_SAME = 1, /* output = ceil(input / stride), the odd pixel of padding at the end, as TensorFlow has it */
    CNN_PADDING_EXPLICIT = 2, /* as given in `pads` */
    CNN_PADDING_MAX_ENUM = 0x7fffffff
} cnn_padding;

typedef enum cnn_initializer {
    CNN_INIT_DEFAULT = 0,   /* He, normal, for weights */
    CNN_INIT_HE_NORMAL = 1, /* He et al. 2015, arXiv:1502.01852: deviation sqrt(2 / fan_in) */
    CNN_INIT_HE_UNIFORM = 2,
    CNN_INIT_GLOROT_NORMAL = 3, /* Glorot and Bengio 2010: deviation sqrt(2 / (fan_in + fan_out)) */
    CNN_INIT_GLOROT_UNIFORM = 4,
    CNN_INIT_ZEROS = 5,
    CNN_INITIALIZER_MAX_ENUM = 0x7fffffff
} cnn_initializer;

CNN_API cnn_status cnn_graph_create(cnn_context *context, cnn_graph **graph);
CNN_API void cnn_graph_destroy(cnn_graph *graph);

/* CNN_OK, or the error that stuck; the sentence is then in cnn_last_error() again. */
CNN_API cnn_status cnn_graph_status(const cnn_graph *graph);

/* The network's input (a graph has one). */
CNN_API cnn_node cnn_input(cnn_graph *graph, int64_t height, int64_t width, int64_t channels);

/* Names the layer of a node, in place of "conv2d_1" and the like, and returns the node. Names are unique in a graph. */
CNN_API cnn_node cnn_graph_set_name(cnn_graph *graph, cnn_node node, const char *name);

/* 2-D convolution (cross-correlation) to `filters` channels. Weights are kernel height × width × (input channels /
 * groups) × filters. */
typedef struct cnn_conv2d_options {
    uint32_t struct_size;
    int32_t kernel[2];   /* height, width; 0: 3 */
    int32_t stride[2];   /* down, across; 0: 1 */
    int32_t dilation[2]; /* 0: 1 */
    int32_t groups;      /* 0: 1; equal to the input's channels: depthwise */
    cnn_padding padding;
    int32_t pads[4];  /* top, left, bottom, right, for CNN_PADDING_EXPLICIT */
    uint32_t no_bias; /* not 0: no bias is added */
    cnn_initializer weight_init;
} cnn_conv2d_options;

CNN_INLINE void cnn_conv2d_options_init(cnn_conv2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_conv2d(cnn_graph *graph, cnn_node input, int64_t filters, const cnn_conv2d_options *options);

/* Pooling over windows. Padding never counts: a maximum or average is over the pixels inside the image. */
typedef struct cnn_pool2d_options {
    uint32_t struct_size;
    int32_t kernel[2]; /* 0: 2 */
    int32_t stride[2]; /* 0: the kernel's size */
    cnn_padding padding;
    int32_t pads[4];
} cnn_pool2d_options;

CNN_INLINE void cnn_pool2d_options_init(cnn_pool2d_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_max_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);
CNN_API cnn_node cnn_avg_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);

/* The mean of each channel: H×W×C to C features. */
CNN_API cnn_node cnn_global_avg_pool(cnn_graph *graph, cnn_node input);

/* A fully connected layer on features (flatten comes first). Weights are inputs × units. */
typedef struct cnn_dense_options {
    uint32_t struct_size;
    uint32_t no_bias;
    cnn_initializer weight_init;
} cnn_dense_options;

CNN_INLINE void cnn_dense_options_init(cnn_dense_options *options)
{
    cnn_options_clear(options, sizeof *options);
}
CNN_API cnn_node cnn_dense(cnn_graph *graph, cnn_node input, int64_t units, const cnn_dense_options *options);

/* H×W×C to H·W·C features, in that order. */
CNN_API cnn_node cnn_flatten(cnn_graph *graph, cnn_node input);

/* Batch normalisation per channel: Ioffe and Szegedy 2015, arXiv:1502.03167. Training uses the batch's mean and
 * variance and keeps running ones (running = momentum × running + (1 − momentum) × batch), which prediction uses. */
typedef struct cnn_batch_norm_options {
    uint32_t struct_size;
    float momentum; /* above 0 and below 1; 0.9 */
    float epsilon;  /* above 0; 1e-5 */
} cnn_batch_norm_options;

CNN_INLINE void cnn_batch_norm_options_init(cnn_batch_norm_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (options) {
        options->momentum = 0.9f;
        options->epsilon = 1e-5f;
    }
}
CNN_API cnn_node cnn_batch_norm(cnn_graph *graph, cnn_node input, const cnn_batch_norm_options *options);

/* In training, zeroes each value with probability `rate` (0 to below 1) and scales the rest by 1 / (1 − rate). */
CNN_API cnn_node cnn_dropout(cnn_graph *graph, cnn_node input, float rate);

CNN_API cnn_node cnn_relu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_leaky_relu(cnn_graph *graph, cnn_node input, float slope);
CNN_API cnn_node cnn_relu6(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_sigmoid(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_tanh(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softmax(cnn_graph *graph, cnn_node input); /* over the last dimension */

/* Element by element; both inputs have one shape. */
CNN_API cnn_node cnn_add(cnn_graph *graph, cnn_node a, cnn_node b);
/* Along the channels; heights and widths agree. `count` is 2 to 16. */
CNN_API cnn_node cnn_concat(cnn_graph *graph, const cnn_node *inputs, int32_t count);

/* x × scale + offset, the same for all. */
CNN_API cnn_node cnn_rescale(cnn_graph *graph, cnn_node input, float scale, float offset);
/* (x − mean[c]) / deviation[c] for each of the input's channels (at most 16). */
CNN_API cnn_node cnn_normalize(cnn_graph *graph, cnn_node input, const float *mean, const float *deviation);

/* Declares the node whose value the model gives. Without it, the last layer added is the output. */
CNN_API void cnn_graph_set_output(cnn_graph *graph, cnn_node node);

/* Looking into a graph. Nodes are numbered from 0 in the order in which they were added. Strings belong to the graph;
 * they are "" for a node that is none. */
CNN_API int32_t cnn_graph_node_count(const cnn_graph *graph);
CNN_API const char *cnn_graph_node_name(const cnn_graph *graph, cnn_node node);
CNN_API const char *cnn_graph_node_type(const cnn_graph *graph, cnn_node node); /* "conv2d", "relu", ... */

/* Gives the shape of one image's value at a node and returns its rank: 3 (height, width, channels) or 1 (features); 0
 * for a node that is none. `dims` has room for `capacity` numbers and gets so many at most; it may be NULL if
 * `capacity` is 0. */
CNN_API int32_t cnn_graph_node_dims(const cnn_graph *graph, cnn_node node, int64_t *dims, int32_t capacity);

/* Gives the nodes that a node is computed from, in the order in which they were given, and returns their number: 0 for
 * the input and for a node that is none. `inputs` has room for `capacity` nodes and gets so many at most; it may be
 * NULL if `capacity` is 0. */
CNN_API int32_t cnn_graph_node_inputs(const cnn_graph *graph, cnn_node node, cnn_node *inputs, int32_t capacity);

/* The node of that name; CNN_NODE_ERROR if there is none. */
CNN_API cnn_node cnn_graph_find(const cnn_graph *graph, const char *name);

/* A new graph of the layers that lead to the one named `layer`, which is its last node: more may be added to it, for
 * transfer learning (see cnn_model_copy_weights). `layer` NULL: the one that the last layer with weights, the head of
 * a classifier, is computed from. */
CNN_API cnn_status cnn_graph_truncate(cnn_context *context, const cnn_graph *graph, const char *layer,
                                      cnn_graph **truncated);

/* A graph as JSON, in the schema of docs/net-json.md, which is also that in a model file. The text is from the graph's
 * context; it is freed with cnn_text_free, while there is that context. */
CNN_API cnn_status cnn_graph_to_json(const cnn_graph *graph, char **text);
CNN_API cnn_status cnn_graph_from_json(cnn_context *context, const char *text, size_t length, cnn_graph **graph);

/* The nets that people use for this, by name; each ends in `outputs` logits.
 *   two_conv     64 px; conv 64, conv 64 (valid), each with ReLU and max-pool; dense 64
 *   three_conv  128 px; conv 32, 64, 128 (same), each with ReLU and max-pool; dense 128
 *   four_conv   150 px; conv 32, 64, 128, 128 (valid), each with ReLU and max-pool; dense 512; dropout 0.5
 *   catdog_net  128 px; ours, for learning from scratch on a few cores: seven residual blocks; any size
 *   vgg16       224 px; Simonyan and Zisserman 2014, arXiv:1409.1556
 *   resnet18    128 px; He et al. 2015, arXiv:1512.03385
 *   resnet50    224 px; the same with blocks of three convolutions
 *   mobilenet_v2        224 px; Sandler et al. 2018, arXiv:1801.04381
 *   efficientnet_lite0  224 px; after Tan and Le 2019, arXiv:1905.11946
 * Those with a global average take images of any size. */
typedef struct cnn_net_options {
    uint32_t struct_size;
    uint32_t size;       /* height and width of the input; 0: the net's own */
    uint32_t outputs;    /* 1 */
    uint32_t batch_norm; /* not 0: batch normalisation after each convolution; catdog_net, resnet18 and those below it
                            always have it */
    float dropout;       /* before the last layer, below 1; 0: none; negative, as it is at first: the net's own */
    float width;         /* filters and units (not outputs) times this, in multiples of 8; 1: as they are */
} cnn_net_options;
CNN_INLINE void cnn_net_options_init(cnn_net_options *options)
{
    cnn_options_clear(options, sizeof *options);
    if (!options)
        return;
    options->outputs = 1;
    options->dropout = -1;
    options->width = 1;
}
CNN_API cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *options,
                                        cnn_graph **graph);
/* The names that cnn_graph_create_net knows; NULL past the last. */
CNN_API const char *cnn_net_name(uint32_t index);

CNN_END_DECLS

#endif
