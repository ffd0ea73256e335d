/* The windows of convolutions and poolings in ONNX. */
#ifndef CNN_FORMATS_ONNX_WINDOW_ATTRIBUTES_H
#define CNN_FORMATS_ONNX_WINDOW_ATTRIBUTES_H

#include "formats/onnx/import.h"

/* A window as the file has it, its padding made explicit. */
typedef struct cnn_onnx_window {
    int32_t kernel[2], stride[2], dilation[2], pads[4];
} cnn_onnx_window;

/* From the attributes of the node, for its input. `kernel` is known for convolutions. */
cnn_status cnn_onnx_read_window(const cnn_onnx_import *import, const cnn_onnx_activation *x, cnn_onnx_window *w);
cnn_status cnn_onnx_check_window(const cnn_onnx_import *import, const cnn_onnx_window *w);

bool cnn_onnx_any_pads(const int32_t pads[4]);

/* Takes over what a Pad before has left. */
void cnn_onnx_join_pads(cnn_onnx_window *w, const cnn_onnx_activation *x);

#endif
