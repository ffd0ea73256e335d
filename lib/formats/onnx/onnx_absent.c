/* In the place of the other onnx sources in a build without protobuf-c. */
#include <cnn/onnx.h>

#include "core/error.h"

cnn_status cnn_model_load_onnx(cnn_context *context, const char *path, const cnn_onnx_options *options,
                               cnn_model **model)
{
    (void)context, (void)options;
    if (model)
        *model = NULL;
    if (!path || !model)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_load_onnx: NULL was given");
    return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: this build of the library doesn't read ONNX files", path);
}

cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path)
{
    if (!model || !path)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_model_save_onnx: NULL was given");
    return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: this build of the library doesn't write ONNX files", path);
}
