/* Images from strangers: headers, pixels, resizing and augmentation, with options, and allocations that fail, chosen by
 * the content. */
#include <stdlib.h>

#include "fuzz.h"
#include "image/decode.h"

static void use_pixels(cnn_context *context, const cnn_tensor *pixels, uint32_t choice)
{
    enum { SIDE = 24 };
    float output[SIDE * SIDE * 3];
    cnn_tensor *resized;
    cnn_augment augment;
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = 1 + choice % SIDE;
    preprocess.height = SIDE;
    preprocess.fit = (cnn_fit)(choice / 64 % 3);
    cnn_image_preprocess(context, pixels, &preprocess, output);
    cnn_augment_init(&augment);
    if (cnn_augment_parse("flip,rotation=90,zoom,shift,shear,contrast,saturation,crop,erase", &augment))
        abort();
    cnn_augment_apply(context, pixels, &augment, &preprocess, choice, 0, 0, output);
    if (!cnn_image_resize(context, pixels, 1 + choice / 16 % 50, 1 + choice / 256 % 50, preprocess.fit, &resized))
        cnn_tensor_destroy(resized);
}

/* As for a network's input, from the file's bytes and from all of its pixels. */
static void decode_to_fit(cnn_context *context, const uint8_t *data, size_t size, const cnn_tensor *whole,
                          uint32_t choice)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = 1 << 20;
    options.min_width = 1 + choice % 40;
    options.min_height = 1 + choice / 64 % 40;
    int fit = (int)(choice / 4096 % 3);
    cnn_tensor *pixels;
    if (!cnn_image_decode_to_fit(context, &(cnn_image_file){ data, size, NULL }, &options, fit, &pixels))
        cnn_tensor_destroy(pixels);
    if (!cnn_image_reduce(context, whole, &options, fit, &pixels))
        cnn_tensor_destroy(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_hash(data, size);
    cnn_context *context = fuzz_context(choice);
    cnn_image_info info = { .struct_size = sizeof info };
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = choice / 131072 % 16 ? 1 << 20 : 1 << 23; /* of these a few are large enough for a budget */
    options.allow_truncated = choice / 512 % 2;
    options.min_width = options.min_height = choice / 1024 % 2 ? 1 + choice / 2048 % 64 : 0;
    cnn_tensor *pixels;
    cnn_status probed = cnn_image_probe(data, size, NULL, &info);
    if (!cnn_image_decode(context, data, size, NULL, &options, &pixels)) {
        if (probed)
            fuzz_fail("an image is decoded whose head can't be read");
        use_pixels(context, pixels, choice / 512);
        decode_to_fit(context, data, size, pixels, choice / 512);
        cnn_tensor_destroy(pixels);
    }
    fuzz_allocations_succeed();
    return 0;
}
