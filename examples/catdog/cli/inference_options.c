#include "cli/inference_options.h"

#include "cli/output.h"
#include "cli/paths.h"

static int refuse_threshold(const catdog_command *command, const cnn_classifier *classifier)
{
    const int many = cnn_classifier_class_name(classifier, 2) != NULL;
    return arguments_refuse_unused(
        command, (const unused_option[]){
                     { "threshold", many, "with a model of more than two classes, which predicts the likeliest" },
                     { 0 },
                 });
}

int inference_load(const catdog_command *command, cnn_context *context, const char *path,
                   const inference_options *options, cnn_classifier **classifier)
{
    cnn_status status = cnn_classifier_load(context, path, classifier);
    if (status) {
        paths_model_error(path, status);
        return EXIT_FAILED;
    }
    int refused = refuse_threshold(command, *classifier);
    if (refused)
        return refused;
    if (options->size)
        status = cnn_classifier_resize(*classifier, (uint32_t)options->size, (uint32_t)options->size);
    if (!status && options->flip)
        status = cnn_classifier_set_flip(*classifier, 1);
    if (!status && options->threshold > 0)
        status = cnn_classifier_set_threshold(*classifier, (float)options->threshold);
    return status ? output_library_error() : EXIT_DONE;
}
