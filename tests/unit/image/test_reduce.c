/* Images decoded for a smaller input, and of every shape at the cost of their pixels. */
#include "core/random.h"
#include "image/average.h"
#include "image/decode.h"
#include "make_images.h"

#include <time.h>

#include <zlib.h>

static const int fits[] = { CNN_FIT_UNKNOWN, CNN_FIT_STRETCH, CNN_FIT_CROP, CNN_FIT_LETTERBOX };

static cnn_image_options options_for(uint32_t width, uint32_t height)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = width;
    options.min_height = height;
    return options;
}

static cnn_tensor *decode(const bytes *file, const cnn_image_options *options, int fit)
{
    cnn_tensor *pixels;
    assert_ok(
        cnn_image_decode_to_fit(NULL, &(cnn_image_file){ file->data, file->size, "image" }, options, fit, &pixels));
    return pixels;
}

static void a_png_is_reduced_to_the_means_of_its_pixels(void **state)
{
    (void)state;
    const char *names[] = { "rgb8.png",          "rgba8.png",        "rgb16.png",           "grey1.png",
                            "palette4.png",      "grey_alpha16.png", "rgb8_interlaced.png", "rgba8_interlaced.png",
                            "palette8_alpha.png" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bytes file = read_fixture(names[i]);
        cnn_tensor *whole = decode(&file, NULL, CNN_FIT_UNKNOWN);
        int64_t width = cnn_tensor_dim(whole, 1), height = cnn_tensor_dim(whole, 0);
        const cnn_image_options options = options_for((uint32_t)(width + 1) / 2, (uint32_t)(height + 1) / 2);
        cnn_tensor *half = decode(&file, &options, CNN_FIT_UNKNOWN);
        assert_int_equal((width + 1) / 2, cnn_tensor_dim(half, 1));
        assert_int_equal((height + 1) / 2, cnn_tensor_dim(half, 0));
        const unsigned char *source = cnn_tensor_const_data(whole), *means = cnn_tensor_const_data(half);
        for (int64_t value = 0; value < cnn_tensor_count(half); value++) {
            int64_t x0 = value / 3 % ((width + 1) / 2) * 2, y0 = value / 3 / ((width + 1) / 2) * 2, sum = 0, count = 0;
            for (int64_t y = y0; y < y0 + 2 && y < height; y++)
                for (int64_t x = x0; x < x0 + 2 && x < width; x++, count++)
                    sum += source[3 * (y * width + x) + value % 3];
            assert_int_equal((sum + count / 2) / count, means[value]);
        }
        cnn_tensor_destroy(half);
        cnn_tensor_destroy(whole);
        free(file.data);
    }
}

/* The largest that the limits on a side allow. */
static void blocks_of_any_size_have_a_mean(void **state)
{
    (void)state;
    enum { MOST = 65535 };
    uint32_t *sums = malloc(3 * MOST * sizeof *sums);
    const size_t sizes[][2] = { { 63, 65 }, { 4097, 4096 }, { 5000, 5000 }, { MOST, MOST } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t value = 0; value < 256; value += 51) {
            unsigned char mean[3];
            for (size_t x = 0; x < 3 * sizes[i][0]; x++)
                sums[x] = value * (uint32_t)sizes[i][1];
            cnn_average_sums(sums, sizes[i][0], sizes[i][0], sizes[i][1], mean);
            for (int channel = 0; channel < 3; channel++)
                assert_int_equal(value, mean[channel]);
        }
    free(sums);
}

/* So that a photograph is classified the same from its file and from its pixels. */
static void pixels_are_reduced_as_their_png_is(void **state)
{
    (void)state;
    static const image_kind kind = { "rgb8", .png_type = PNG_COLOR_TYPE_RGB, .depth = 8 };
    const uint32_t sizes[][2] = { { 64, 48 }, { 63, 47 }, { 700, 5 }, { 3, 900 }, { 1, 1 }, { 500, 400 } };
    for (int i = 0; i < 6 * 4; i++) {
        bytes file = make_image(&kind, sizes[i / 4][0], sizes[i / 4][1]);
        const cnn_image_options options = options_for(9, 7);
        cnn_tensor *whole = decode(&file, NULL, CNN_FIT_UNKNOWN), *expected = decode(&file, &options, fits[i % 4]);
        cnn_tensor *reduced;
        assert_ok(cnn_image_reduce(NULL, whole, &options, fits[i % 4], &reduced));
        assert_pixels_near("reduced", expected, reduced ? reduced : whole, 0);
        cnn_tensor_destroy(reduced);
        cnn_tensor_destroy(expected);
        cnn_tensor_destroy(whole);
        free(file.data);
    }
}

static void what_is_reduced_once_is_not_reduced_again(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 3, CNN_RANDOM_SHUFFLE, 0, 0);
    for (int i = 0; i < 3000; i++) {
        int64_t dims[] = { 1 + cnn_random_below(&random, i % 2 ? 40 : 2000),
                           1 + cnn_random_below(&random, i % 3 ? 40 : 2000), 3 };
        const uint32_t width = 1 + cnn_random_below(&random, 30), height = 1 + cnn_random_below(&random, 30);
        const cnn_image_options options = options_for(width, height);
        cnn_tensor *pixels, *once, *twice;
        assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, dims, &pixels));
        memset(cnn_tensor_data(pixels), 9, cnn_tensor_bytes(pixels));
        assert_ok(cnn_image_reduce(NULL, pixels, &options, fits[i % 4], &once));
        if (once) {
            assert_int_equal(9, ((unsigned char *)cnn_tensor_data(once))[cnn_tensor_bytes(once) - 1]);
            bool shrunk = cnn_tensor_dim(once, 1) < options.min_width && cnn_tensor_dim(once, 1) < dims[1];
            shrunk = shrunk || (cnn_tensor_dim(once, 0) < options.min_height && cnn_tensor_dim(once, 0) < dims[0]);
            assert_true(!shrunk || fits[i % 4] == CNN_FIT_LETTERBOX || fits[i % 4] == CNN_FIT_CROP);
            assert_ok(cnn_image_reduce(NULL, once, &options, fits[i % 4], &twice));
            assert_null(twice);
        }
        cnn_tensor_destroy(once);
        cnn_tensor_destroy(pixels);
    }
}

static void ends_that_a_crop_leaves_out_do_not_count(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 4, CNN_RANDOM_SHUFFLE, 0, 0);
    const int64_t shapes[][3] = { { 12, 900, 3 }, { 901, 13, 3 }, { 3, 333, 3 }, { 400, 1, 3 } };
    for (int i = 0; i < 4; i++) {
        const cnn_image_options options = options_for(9, 11);
        cnn_tensor *pixels, *kept, *expected, *actual;
        assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, shapes[i], &pixels));
        for (int64_t value = 0; value < cnn_tensor_count(pixels); value++)
            ((unsigned char *)cnn_tensor_data(pixels))[value] = (unsigned char)cnn_random_word(&random);
        assert_ok(cnn_image_reduce(NULL, pixels, &options, CNN_FIT_CROP, &kept));
        assert_true(cnn_tensor_count(kept) < cnn_tensor_count(pixels) / 4);
        assert_ok(cnn_image_resize(NULL, pixels, 9, 11, CNN_FIT_CROP, &expected));
        assert_ok(cnn_image_resize(NULL, kept, 9, 11, CNN_FIT_CROP, &actual));
        assert_pixels_near("crop", expected, actual, 0);
        cnn_tensor_destroy(actual);
        cnn_tensor_destroy(expected);
        cnn_tensor_destroy(kept);
        cnn_tensor_destroy(pixels);
    }
}

/* --- what a shape costs --- */

typedef struct counted_memory {
    size_t live, most;
} counted_memory;

static void *allocate_counted(size_t size, void *user)
{
    enum { BEFORE = 64 };
    counted_memory *memory = user;
    char *block = aligned_alloc(64, BEFORE + (size + 63) / 64 * 64);
    memcpy(block, &size, sizeof size);
    memory->live += size;
    memory->most = memory->live > memory->most ? memory->live : memory->most;
    return block + BEFORE;
}

static void release_counted(void *given, void *user)
{
    enum { BEFORE = 64 };
    size_t size;
    memcpy(&size, (char *)given - BEFORE, sizeof size);
    ((counted_memory *)user)->live -= size;
    free((char *)given - BEFORE);
}

/* The most memory that is in use at once while an image becomes an input of 96 × 96. */
static size_t measure(cnn_context *context, counted_memory *memory, const bytes *file, cnn_fit fit)
{
    enum { SIDE = 96 };
    static float input[SIDE * SIDE * 3];
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = SIDE;
    preprocess.fit = fit;
    const cnn_image_options options = options_for(SIDE, SIDE);
    size_t before = memory->most = memory->live;
    cnn_tensor *pixels;
    assert_ok(cnn_image_decode_to_fit(context, &(cnn_image_file){ file->data, file->size, "image" }, &options, (int)fit,
                                      &pixels));
    assert_ok(cnn_image_preprocess(context, pixels, &preprocess, input));
    cnn_tensor_destroy(pixels);
    return memory->most - before;
}

static const image_kind kinds[] = {
    { "png", PNG_COLOR_TYPE_RGB, 8, .in_passes = false },
    { "png16", PNG_COLOR_TYPE_RGB, 16, .in_passes = false },
    { "grey png", PNG_COLOR_TYPE_GRAY, 8, .in_passes = false },
    { "bits", PNG_COLOR_TYPE_GRAY, 1, .in_passes = false },
    { "palette", PNG_COLOR_TYPE_PALETTE, 8, .in_passes = false },
    { "alpha", PNG_COLOR_TYPE_RGB_ALPHA, 8, .in_passes = false },
    { "interlaced", PNG_COLOR_TYPE_RGB, 8, .in_passes = true },
    { "interlaced alpha", PNG_COLOR_TYPE_RGB_ALPHA, 16, .in_passes = true },
    { "jpeg", -1, .components = 3 },
    { "progressive", -1, .components = 3, .in_passes = true },
    { "grey jpeg", -1, .components = 1 },
    { "cmyk", -1, .components = 4 },
    { "arithmetic", -1, .components = 3, .arithmetic = true },
};

static void check_shapes(cnn_context *context, counted_memory *memory, const image_kind *kind, int last_fit)
{
    enum { FACTOR = 4, SQUARE = 1254, ROWS = 40 }; /* bytes for each pixel of a row, that decoders hold of a few */
    uint32_t side = kind->png_type < 0 ? JPEG_MAX_DIMENSION : CNN_IMAGE_MAX_SIDE;
    const uint32_t shapes[][2] = { { SQUARE, SQUARE }, { side, 24 }, { 24, side }, { side, 1 }, { 1, side } };
    size_t squares[3];
    for (int i = 0; i < 5; i++) {
        bytes file = make_image(kind, shapes[i][0], shapes[i][1]);
        for (int fit = CNN_FIT_STRETCH; fit <= last_fit; fit++) {
            size_t most = measure(context, memory, &file, (cnn_fit)fit);
            squares[fit] = i ? squares[fit] : most;
            if (most > FACTOR * squares[fit] + (size_t)ROWS * shapes[i][0])
                fail_msg("%s of %u×%u, fit %d: %zu bytes; a square takes %zu", kind->name, shapes[i][0], shapes[i][1],
                         fit, most, squares[fit]);
        }
        free(file.data);
    }
}

static void memory_is_that_of_a_square_of_as_many_pixels(void **state)
{
    (void)state;
    counted_memory memory = { 0 };
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.allocate = allocate_counted;
    options.release = release_counted;
    options.allocator_user = &memory;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        check_shapes(context, &memory, &kinds[k], k ? CNN_FIT_STRETCH : CNN_FIT_LETTERBOX);
    cnn_context_destroy(context);
}

/* Pixels that a program gives have no limit. Ten million in one row cost what they cost in a square. */
static void pixels_in_one_line_are_resized_at_once(void **state)
{
    (void)state;
    enum { LENGTH = 10000000 };
    const int64_t shapes[][3] = { { 1, LENGTH, 3 }, { LENGTH, 1, 3 } };
    for (int i = 0; i < 2; i++) {
        cnn_tensor *pixels, *resized;
        assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, shapes[i], &pixels));
        memset(cnn_tensor_data(pixels), 88, cnn_tensor_bytes(pixels));
        for (int fit = CNN_FIT_STRETCH; fit <= CNN_FIT_LETTERBOX; fit++) {
            clock_t start = clock();
            assert_ok(cnn_image_resize(NULL, pixels, 224, 224, (cnn_fit)fit, &resized));
            assert_within_seconds(2, (double)(clock() - start) / CLOCKS_PER_SEC);
            assert_int_equal(88, ((unsigned char *)cnn_tensor_data(resized))[3 * (224 * 111 + 111)]);
            cnn_tensor_destroy(resized);
        }
        cnn_tensor_destroy(pixels);
    }
}

static void a_side_has_a_limit(void **state)
{
    (void)state;
    cnn_tensor *pixels;
    const uint32_t sizes[][2] = { { CNN_IMAGE_MAX_SIDE + 1, 1 }, { 1, CNN_IMAGE_MAX_SIDE + 1 }, { 4000000, 1 } };
    for (int i = 0; i < 3; i++) {
        static const image_kind kind = { "grey1", .png_type = PNG_COLOR_TYPE_GRAY, .depth = 1 };
        bytes file = make_image(&kind, sizes[i][0], sizes[i][1]);
        assert_status(CNN_ERROR_LIMIT, cnn_image_decode(NULL, file.data, file.size, "long.png", NULL, &pixels));
        assert_non_null(strstr(cnn_last_error(), "a side may be 65535 pixels"));
        free(file.data);
    }
    static const image_kind jpeg = { "jpeg", .png_type = -1, .components = 1 };
    bytes file = make_image(&jpeg, 100, 8);
    for (size_t i = 0; i + 9 < file.size; i++)
        if (file.data[i] == 0xFF && file.data[i + 1] == 0xC0)
            memcpy(file.data + i + 7, "\xFF\xFF", 2); /* the width */
    assert_status(CNN_ERROR_LIMIT, cnn_image_decode(NULL, file.data, file.size, "long.jpg", NULL, &pixels));
    assert_non_null(strstr(cnn_last_error(), "65500"));
    free(file.data);
}

static void a_photograph_of_108_megapixels_is_read(void **state)
{
    (void)state;
    static const image_kind bits = { "bits", .png_type = PNG_COLOR_TYPE_GRAY, .depth = 1 };
    bytes file = make_image(&bits, 12000, 9000);
    const cnn_image_options options = options_for(224, 224);
    cnn_tensor *pixels = decode(&file, &options, CNN_FIT_UNKNOWN);
    assert_int_equal(12000 / 32, cnn_tensor_dim(pixels, 1));
    cnn_tensor_destroy(pixels);
    free(file.data);
}

/* `offset` of the width and height in the file. */
static void check_claim_in_passes(const image_kind *kind, const char *marker, size_t offset, size_t size)
{
    bytes file = make_image(kind, 8, 8);
    size_t at = 0;
    while (memcmp(file.data + at, marker, 4) != 0)
        at++;
    memcpy(file.data + at + offset, &"\0\0\x17\x70"[4 - size], size);
    memcpy(file.data + at + offset + size, &"\0\0\x17\x70"[4 - size], size);
    if (kind->png_type >= 0)
        png_save_uint_32(file.data + at + 17, (png_uint_32)crc32(0, file.data + at, 17));
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = 6000 * 6000;
    options.allow_truncated = 1; /* few bytes may claim much */
    cnn_tensor *pixels;
    assert_status(CNN_ERROR_LIMIT, cnn_image_decode(NULL, file.data, file.size, "big", &options, &pixels));
    assert_non_null(strstr(cnn_last_error(), "MB to decode, as it is"));
    assert_non_null(strstr(cnn_last_error(), "raise it by cnn_context_options.max_pixels or CNN_MAX_PIXELS"));
    free(file.data);
}

/* What can't be decoded row by row is held whole, and is refused where that is too much. */
static void memory_for_images_in_passes_has_a_limit(void **state)
{
    (void)state;
    static const image_kind png = { "png", .png_type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 8, .in_passes = true };
    static const image_kind jpeg = { "jpeg", .png_type = -1, .components = 4, .in_passes = true };
    check_claim_in_passes(&png, "IHDR", 4, 4);
    check_claim_in_passes(&jpeg, "\xFF\xC2\0\x14", 5, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_is_reduced_to_the_means_of_its_pixels),
        cmocka_unit_test(blocks_of_any_size_have_a_mean),
        cmocka_unit_test(pixels_are_reduced_as_their_png_is),
        cmocka_unit_test(what_is_reduced_once_is_not_reduced_again),
        cmocka_unit_test(ends_that_a_crop_leaves_out_do_not_count),
        cmocka_unit_test(memory_is_that_of_a_square_of_as_many_pixels),
        cmocka_unit_test(pixels_in_one_line_are_resized_at_once),
        cmocka_unit_test(a_side_has_a_limit),
        cmocka_unit_test(a_photograph_of_108_megapixels_is_read),
        cmocka_unit_test(memory_for_images_in_passes_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
