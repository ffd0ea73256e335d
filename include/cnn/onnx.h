/* Models of other libraries: ONNX files in and out.
 *
 * Both functions give CNN_ERROR_UNSUPPORTED in a build without protobuf-c (the meson feature `onnx`). docs/onnx.md
 * lists the operators. */
#ifndef CNN_ONNX_H
#define CNN_ONNX_H

#include <stdint.h>

#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/model.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_onnx_options {
    uint32_t struct_size;
    uint32_t height, width; /* of the input, for files that leave it open; 0: the file's */
} cnn_onnx_options;

CNN_INLINE void cnn_onnx_options_init(cnn_onnx_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Reads an image classifier in ONNX, opset 9 to 21, as PyTorch and Keras export it. The model's input is N×H×W×C, in
 * whichever layout the file has it, and weights are laid out for this library once, here. The file's metadata become
 * the model's notes. Weights in other files are read from the model's folder and below it, and from nowhere else.
 * Nothing in the file is trusted; an operator that isn't supported is named with its node.
 * cnn_model_load reads ONNX files too, with the default options. */
CNN_API cnn_status cnn_model_load_onnx(cnn_context *context, const char *path, const cnn_onnx_options *options,
                                       cnn_model **model);

/* Writes the model in ONNX, opset 17, which onnxruntime and others run: one input "input", batch × channels × height ×
 * width as others have it, one output "output". The model's notes (class names, preprocessing) become metadata.
 * Written whole or not at all. */
CNN_API cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path);

CNN_END_DECLS

#endif
