/* What layers share. */
#ifndef CNN_LAYERS_LAYER_INTERNAL_H
#define CNN_LAYERS_LAYER_INTERNAL_H

#include "kernels/conv/conv.h"
#include "kernels/pool/pool.h"
#include "layers/layer.h"

/* Elements of one image's value, or of one array of weights, at most: every size in bytes then fits, for any batch
 * that fits memory. With addresses of 32 bits there is room for a kernel's copies, eight times as large. */
#define CNN_LAYER_MAX_ELEMENTS ((int64_t)(SIZE_MAX > UINT32_MAX ? INT32_MAX : INT32_MAX / 16))

enum { CNN_SHAPE_TEXT_SIZE = 80 };

/* The names of cnn_padding and cnn_initializer in JSON. */
extern const char *const cnn_padding_names[], *const cnn_initializer_names[];

/* "150×150×3"; returns `text`, which has CNN_SHAPE_TEXT_SIZE bytes. */
const char *cnn_shape_text(const cnn_shape *shape, char *text);

int64_t cnn_shape_channels(const cnn_shape *shape); /* the last dimension */

/* Fails unless the number of inputs is one that the type takes, and their shapes are possible. Every `shape` begins
 * with it. */
cnn_status cnn_layer_check_inputs(const cnn_layer *layer);
cnn_status cnn_layer_check_image(const cnn_layer *layer); /* and inputs[0] is height × width × channels */

/* Fails if a value of that shape is too large. */
cnn_status cnn_layer_set_output(cnn_layer *layer, const cnn_shape *output);
cnn_status cnn_layer_set_features(cnn_layer *layer, int64_t count);

/* `shape` of layers whose output has the shape of their first input, and which have nothing else to check. */
cnn_status cnn_layer_keep_shape(cnn_layer *layer);

/* Adds an array of weights. Fails if it is too large. */
cnn_status cnn_layer_add_parameter(cnn_layer *layer, const cnn_layer_parameter *parameter);
/* Adds one that starts as `value` throughout, of one number per channel. */
cnn_status cnn_layer_add_constant(cnn_layer *layer, const char *name, int64_t count, float value, bool trainable);
cnn_status cnn_check_initializer(int32_t initializer);
/* `initializer` with the default resolved. */
cnn_initializer cnn_weight_initializer(int32_t initializer);

/* What kernels need to know of a layer. */
cnn_conv_shape cnn_conv2d_shape(const cnn_conv2d_attributes *attributes, const cnn_shape *input, int64_t batch);
cnn_pool_shape cnn_pool2d_shape(const cnn_pool2d_attributes *attributes, const cnn_shape *input, int64_t batch);

/* Elements of the value of a batch. */
size_t cnn_layer_output_count(const cnn_layer *layer, int64_t batch);
size_t cnn_layer_input_count(const cnn_layer *layer, int32_t input, int64_t batch);

#endif
