/* Model files from strangers, in floats and in bytes, read and then used. */
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_model *model;
    size_t framed;
    uint8_t *bytes = fuzz_frame_safetensors(data, size, &framed);
    const char *path = fuzz_write_file("model.safetensors", bytes, framed);
    free(bytes);
    if (!cnn_model_load(context, path, &model)) {
        fuzz_use_model(context, model, choice / 512);
        cnn_model_destroy(model);
    }
    fuzz_allocations_succeed();
    return 0;
}
