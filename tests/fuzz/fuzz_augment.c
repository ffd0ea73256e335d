/* Lists of augmentations, as they are typed. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SIDE = 7 };
    static const uint8_t pixels[SIDE * SIDE * 3] = { 9, 200, 100, 0, 30 };
    float output[SIDE * SIDE * 3];
    cnn_augment augment;
    cnn_augment_init(&augment);
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!cnn_augment_parse(text, &augment)) {
        uint32_t choice = fuzz_hash(data, size);
        cnn_context *context = fuzz_context(1);
        cnn_preprocess preprocess;
        cnn_preprocess_init(&preprocess);
        preprocess.width = preprocess.height = SIDE;
        preprocess.fit = (cnn_fit)(choice % 3);
        cnn_tensor *photograph;
        if (!cnn_tensor_wrap(context, CNN_UINT8, 3, (int64_t[]){ SIDE, SIDE, 3 }, (void *)pixels, &photograph)) {
            cnn_augment_apply(context, photograph, &augment, &preprocess, choice, 0, choice, output);
            cnn_tensor_destroy(photograph);
        }
    }
    free(text);
    return 0;
}
