#include <cnn/onnx.h>

void cnn_onnx_options_init(cnn_onnx_options *options)
{
    *options = (cnn_onnx_options){ .struct_size = sizeof *options };
}
