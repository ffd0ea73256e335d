/* Files of whole classifiers from strangers: preprocessing, class names and temperature as well, and photographs
 * classified by them. */
#include <stdlib.h>

#include "fuzz.h"

static void classify(cnn_context *context, const cnn_classifier *classifier)
{
    enum { SIDE = 9 };
    static const uint8_t pixels[SIDE * SIDE * 3] = { 200, 100, 0, 30 };
    cnn_tensor *photograph;
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    if (cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIDE, SIDE, 3 }, (void *)pixels, &photograph))
        return;
    cnn_classifier_predict_pixels(classifier, photograph, &prediction);
    cnn_tensor_destroy(photograph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORK_MAX = 20000000, VALUES_MAX = 1 << 20 };
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_classifier *classifier;
    size_t framed;
    uint8_t *bytes = fuzz_frame_safetensors(data, size, &framed);
    const char *path = fuzz_write_file("classifier.safetensors", bytes, framed);
    free(bytes);
    if (!cnn_classifier_load(context, path, &classifier)) {
        const cnn_preprocess *preprocess = cnn_classifier_preprocess(classifier);
        if (cnn_model_flops(cnn_classifier_model(classifier)) < WORK_MAX &&
            (uint64_t)preprocess->width * preprocess->height < VALUES_MAX) {
            classify(context, classifier);
            if (choice & 1)
                cnn_classifier_save(classifier, fuzz_path("saved.safetensors"));
        }
        cnn_classifier_destroy(classifier);
    }
    fuzz_allocations_succeed();
    return 0;
}
