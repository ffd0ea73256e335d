#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/destination.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "commands/commands.h"

/* The name says the format. */
static cnn_status write(const cnn_model *model, const char *path)
{
    return paths_ends_in(path, ".safetensors") ? cnn_model_save_as(model, path, CNN_BFLOAT16)
                                               : cnn_model_save_onnx(model, path);
}

static int export_model(const context_options *options, const char *from, const char *to)
{
    cnn_context *context;
    cnn_model *model = NULL;
    if (context_create(options, &context))
        return EXIT_FAILED;
    int result = EXIT_DONE;
    cnn_status status = cnn_model_load(context, from, &model);
    if (status) {
        paths_model_error(from, status);
        result = EXIT_FAILED;
    } else if (write(model, to)) {
        result = output_library_error();
    }
    cnn_model_destroy(model);
    cnn_context_destroy(context);
    return result ? result : output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    const char *model = NULL, *out = NULL;
    context_options memory = { .threads = 1 };
    int force = 0;
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &model, .needed = 1 },
        { "out", "FILE", "file to write, .onnx or .safetensors", OPTION_TEXT, &out, .needed = 1 },
        FORCE_OPTION(force),
        MEMORY_OPTION(memory),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    const destination files[] = {
        { "--model", model, DESTINATION_INPUT },
        { "--out", out, DESTINATION_EXPORT },
        { 0 },
    };
    int wrong = destinations_check(command, files, force);
    return wrong ? wrong : export_model(&memory, model, out);
}

const catdog_command export_command = {
    "export",
    "write a model as ONNX, or as a file of half the size",
    "--model FILE --out FILE [OPTION]...",
    "Writes a model in the ONNX format (opset 17), which onnxruntime and many other programs\n"
    "run. Its input \"input\" is N x 3 x height x width, its output \"output\" holds the logits;\n"
    "the metadata holds the class names and the preprocessing.\n\n"
    "  catdog export --model pets.safetensors --out pets.onnx\n"
    "  catdog export --model pets.safetensors --out small.safetensors\n\n"
    "If the name ends in .safetensors, the command writes a catdog model with weights in bfloat16.\n"
    "This file is half as large, predicts like the original, and can be trained further. Commands\n"
    "such as predict, eval and report also read ONNX models.\n",
    run,
};
