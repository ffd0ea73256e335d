#include "cli/inference_options.h"

#include "cli/output.h"
#include "cli/paths.h"

cnn_status inference_load(cnn_context *context, const char *path, const inference_options *use,
                          cnn_classifier **classifier)
{
    cnn_status status = cnn_classifier_load(context, path, classifier);
    if (status) {
        paths_model_error(path, status);
        return status;
    }
    if (use->size)
        status = cnn_classifier_resize(*classifier, (uint32_t)use->size, (uint32_t)use->size);
    if (!status && use->flip)
        status = cnn_classifier_set_flip(*classifier, 1);
    if (status)
        output_library_error();
    return status;
}
