#include <stdio.h>

#include <cnn/cnn.h>

#include "arguments.h"
#include "context.h"
#include "output.h"

static int export_model(const char *from, const char *to)
{
    cnn_context *context;
    cnn_model *model = NULL;
    if (context_create(1, &context))
        return EXIT_FAILED;
    int result = EXIT_DONE;
    if (cnn_model_load(context, from, &model) || cnn_model_save_onnx(model, to))
        result = output_library_error();
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    return result ? result : output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    const char *model = NULL, *out = NULL;
    const option options[] = {
        { "model", "FILE", "the trained model", OPTION_TEXT, &model },
        { "out", "FILE.onnx", "the file to write", OPTION_TEXT, &out },
        { 0 },
    };
    arguments_result parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed == PARSED_HELP)
        return output_finish();
    if (parsed == PARSED_WRONG)
        return EXIT_USAGE;
    if (!model || !out)
        return arguments_wrong(command, "export: --%s is missing", model ? "out" : "model");
    return export_model(model, out);
}

const catdog_command export_command = {
    "export",
    "write a model as ONNX, for other programs",
    "--model FILE --out FILE.onnx",
    "Writes a model in the ONNX format (opset 17), which onnxruntime and many other programs\n"
    "run. Its input \"input\" is N x 3 x height x width, its output \"output\" holds the logits;\n"
    "class names and preprocessing are in its metadata.\n\n"
    "  catdog export --model pets.safetensors --out pets.onnx\n\n"
    "catdog itself takes ONNX models too, wherever it takes a model.\n",
    run,
};
