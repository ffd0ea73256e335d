/* Model files from strangers, in floats and in bytes, read from a file, from memory or by callbacks, and then used. */
#include <stdlib.h>

#include "../unit/memory_file.h"
#include "fuzz.h"

static cnn_status load(cnn_context *context, uint8_t *bytes, size_t size, uint32_t choice, cnn_model **model)
{
    memory_file file = { .bytes = (char *)bytes, .size = size, .most = 1 + choice / 3 % 64 };
    const cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    switch (choice % 3) {
    case 0: return cnn_model_load(context, fuzz_write_file("model.safetensors", bytes, size), model);
    case 1: return cnn_model_load_from_memory(context, bytes, size, model);
    default: return cnn_model_load_from_callbacks(context, &callbacks, model);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_model *model;
    size_t framed;
    uint8_t *bytes = fuzz_frame_safetensors(data, size, &framed);
    cnn_status status = load(context, bytes, framed, choice / 8, &model);
    free(bytes);
    if (!status) {
        fuzz_use_model(context, model, choice / 512);
        cnn_model_destroy(model);
    }
    fuzz_allocations_succeed();
    return 0;
}
