/* Images from strangers: headers, pixels, resizing and augmentation, with options, and allocations that fail, chosen by
 * the content. Fuzz with
 *   CC=clang meson setup FOLDER -Dfuzzers=true -Db_sanitize=address,undefined -Db_lundef=false \
 *     -Dc_args=-fsanitize=fuzzer-no-link && FOLDER/tests/fuzz/fuzz_image CORPUS tests/unit/image/fixtures */
#include <stdint.h>
#include <stdlib.h>

#include <cnn/cnn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t allocations_left;

static void *allocate(size_t size, void *user)
{
    (void)user;
    return allocations_left-- == 0 ? NULL : aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static cnn_context *failing_context(void)
{
    static cnn_context *context;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.allocate = allocate;
    options.release = release;
    allocations_left = -1;
    if (!context && cnn_context_create(&options, &context))
        abort();
    return context;
}

/* FNV-1a */
static uint32_t hash(const uint8_t *data, size_t size)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ data[i]) * 16777619u;
    return value;
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = hash(data, size);
    cnn_context *context = failing_context();
    cnn_image_info info = { .struct_size = sizeof info };
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = 1 << 20;
    options.allow_truncated = choice & 1;
    options.min_width = options.min_height = choice & 2 ? 1 + choice / 4 % 64 : 0;
    cnn_tensor *pixels;
    cnn_image_probe(data, size, NULL, &info);
    if (choice % 7 == 0)
        allocations_left = choice / 7 % 16;
    if (!cnn_image_decode(context, data, size, NULL, &options, &pixels)) {
        use_pixels(context, pixels, choice);
        cnn_tensor_destroy(pixels);
    }
    allocations_left = -1;
    return 0;
}
