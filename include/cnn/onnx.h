/* ONNX: models from PyTorch, Keras and other libraries, and models for them. docs/onnx.md lists the operators.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     cnn_status convert(const char *from, const char *to)
 *     {
 *         cnn_onnx_options options;
 *         cnn_model *model;
 *         cnn_onnx_options_init(&options);
 *         options.height = options.width = 224; // the file leaves them open
 *         cnn_status status = cnn_model_load_onnx(NULL, from, &options, &model);
 *         if (!status)
 *             status = cnn_model_save(model, to);
 *         if (status)
 *             fprintf(stderr, "%s\n", cnn_last_error());
 *         cnn_model_destroy(model);
 *         return status;
 *     }
 *
 * A build without protobuf-c (the meson feature `onnx`) can neither read nor write ONNX: both functions then return
 * CNN_ERROR_UNSUPPORTED, and cnn_has_feature("onnx") is 0. */
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
    uint32_t height, width; /* of the input, in pixels, for a file that leaves them open; 0: the file's own */
} cnn_onnx_options;

CNN_INLINE void cnn_onnx_options_init(cnn_onnx_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Reads an image classifier from an ONNX file of opset 9 to 21. The caller owns the model; its context must outlive it.
 * `options` may be NULL. cnn_model_load reads ONNX files, too, with the default options.
 *
 * The model's input is N × height × width × channels, whether the file has channels first or last. The file's metadata
 * become the model's. Weights that the file keeps in other files are read from the folder of `path` and from folders
 * below it, and from nowhere else. Nothing in the file is trusted.
 *
 * Errors: CNN_ERROR_IO; CNN_ERROR_FORMAT if the file is broken; CNN_ERROR_UNSUPPORTED names the node whose operator the
 * library doesn't have, or says that the input's size is open: set it in the options. CNN_ERROR_ARGUMENT if the options
 * contradict the file; CNN_ERROR_SHAPE; CNN_ERROR_LIMIT for a file of more than 2 GiB, and for a model that costs more
 * than the context allows; CNN_ERROR_NOT_FINITE; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_load_onnx(cnn_context *context, const char *path, const cnn_onnx_options *options,
                                       cnn_model **model);

/* Writes the model to an ONNX file of opset 17, which onnxruntime and others run. Its input is named "input" and is
 * batch × channels × height × width, as those programs expect it; its output is named "output". The model's metadata,
 * with a classifier's class names and preprocessing, become the file's. The file is written whole or not at all: see
 * cnn_file_save. A quantised model can't be written: write the one that it was made from. Errors: CNN_ERROR_IO;
 * CNN_ERROR_UNSUPPORTED for a quantised model; CNN_ERROR_NOT_FINITE if a weight isn't finite; CNN_ERROR_LIMIT for a
 * file of more than 2 GiB; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path);

CNN_END_DECLS

#endif
