/* The nets that have names. */
#ifndef CNN_GRAPH_NETS_H
#define CNN_GRAPH_NETS_H

#include <stdbool.h>

#include <cnn/graph.h>

typedef struct cnn_net {
    const char *name;
    uint32_t size; /* height and width of the input, */
    float dropout; /* and dropout, unless options say else */
    cnn_node (*body)(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan); /* to features */
    const void *plan;                                                                                 /* the body's */
} cnn_net;

/* One convolution of a block of layers. */
typedef struct cnn_convolution {
    int64_t filters;
    int32_t kernel, stride;
    const char *name;
    int32_t groups; /* 0: 1 */
} cnn_convolution;

/* Convolution without bias, padded so that a stride of 1 keeps the size, and batch normalisation; the layers are named
 * "block.name" and "block.name_norm". */
cnn_node cnn_normed_conv2d(cnn_graph *graph, cnn_node x, const cnn_convolution *wanted, const char *block);

/* As many filters or units as the options make of `width`: a multiple of 8 if they change it. */
int64_t cnn_scaled_width(const cnn_net_options *options, int64_t width);

/* A chain of convolutions with pooling between them, then a dense layer. */
typedef struct cnn_plain_plan {
    int64_t filters[4]; /* 0: no more */
    cnn_padding padding;
    int64_t units;
} cnn_plain_plan;
cnn_node cnn_plain_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan);

/* VGG-16; it has no plan. */
#define CNN_VGG16_DROPOUT 0.5f
cnn_node cnn_vgg16_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan);

/* Residual networks. */
enum { CNN_RESNET_STAGES = 4 };
typedef struct cnn_resnet_plan {
    int blocks[CNN_RESNET_STAGES];
    bool bottleneck;
} cnn_resnet_plan;
cnn_node cnn_resnet_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan);

/* Nets of inverted residual blocks. */
enum { CNN_MOBILE_STAGES = 7 };
typedef struct cnn_mobile_stage {
    int expansion;
    int64_t width;
    int blocks;
    int32_t stride, kernel; /* the stride is the first block's */
} cnn_mobile_stage;
typedef struct cnn_mobile_plan {
    cnn_mobile_stage stages[CNN_MOBILE_STAGES];
    cnn_padding padding;     /* CNN_PADDING_SAME, or CNN_PADDING_EXPLICIT: half the kernel on each side */
    float momentum, epsilon; /* of batch normalisation; 0: the usual ones */
} cnn_mobile_plan;
cnn_node cnn_mobile_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan);

/* catdog_net; it has no plan. */
cnn_node cnn_catdog_body(cnn_graph *graph, cnn_node x, const cnn_net_options *options, const void *plan);

#endif
