/* ONNX files from strangers, with weights in a file beside them, read and then used. */
#include "fuzz.h"

static void write_weights(void)
{
    enum { COUNT = 4096 };
    static float weights[COUNT];
    if (weights[0] != 0)
        return;
    for (int i = 0; i < COUNT; i++)
        weights[i] = (float)(1 + i % 7) / 8 - 0.5f;
    fuzz_write_file("weights.bin", (const uint8_t *)weights, sizeof weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_model *model;
    cnn_onnx_options options;
    cnn_onnx_options_init(&options);
    if (choice / 8 % 2)
        options.height = options.width = 8 + choice / 16 % 8;
    write_weights();
    if (!cnn_model_load_onnx(context, fuzz_write_file("model.onnx", data, size), &options, &model)) {
        fuzz_use_model(context, model, choice / 512);
        cnn_model_destroy(model);
    }
    fuzz_allocations_succeed();
    return 0;
}
