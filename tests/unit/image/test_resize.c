#include <math.h>

#include "fixture.h"

static cnn_tensor *make_pixels(int64_t width, int64_t height)
{
    cnn_tensor *pixels;
    assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, (int64_t[]){ height, width, 3 }, &pixels));
    return pixels;
}

static cnn_tensor *make_constant(int64_t width, int64_t height, int value)
{
    cnn_tensor *pixels = make_pixels(width, height);
    memset(cnn_tensor_data(pixels), value, cnn_tensor_bytes(pixels));
    return pixels;
}

static int value_at(const cnn_tensor *pixels, int64_t x, int64_t y, int channel)
{
    return ((const unsigned char *)cnn_tensor_const_data(pixels))[(y * cnn_tensor_dim(pixels, 1) + x) * 3 + channel];
}

static void resizing_gives_pillows_pixels(void **state)
{
    (void)state;
    const char *names[] = { "resize_half", "resize_odd", "resize_tiny", "resize_one", "resize_larger", "resize_wide" };
    cnn_tensor *source = read_pixels("resize_source");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cnn_tensor *expected = read_pixels(names[i]), *resized;
        assert_ok(cnn_image_resize(NULL, source, (uint32_t)cnn_tensor_dim(expected, 1),
                                   (uint32_t)cnn_tensor_dim(expected, 0), CNN_FIT_STRETCH, &resized));
        assert_pixels_near(names[i], expected, resized, 1);
        cnn_tensor_destroy(resized);
        cnn_tensor_destroy(expected);
    }
    cnn_tensor_destroy(source);
}

static void a_crop_is_the_middle_in_pillows_pixels(void **state)
{
    (void)state;
    cnn_tensor *source = read_pixels("resize_source"), *expected = read_pixels("resize_crop"), *resized;
    assert_ok(cnn_image_resize(NULL, source, 18, 18, CNN_FIT_CROP, &resized));
    assert_pixels_near("resize_crop", expected, resized, 1);
    cnn_tensor_destroy(resized);
    cnn_tensor_destroy(expected);
    cnn_tensor_destroy(source);
}

static void the_same_size_gives_the_same_pixels(void **state)
{
    (void)state;
    cnn_tensor *source = read_pixels("resize_source"), *resized;
    for (int fit = CNN_FIT_STRETCH; fit <= CNN_FIT_LETTERBOX; fit++) {
        assert_ok(cnn_image_resize(NULL, source, 40, 30, (cnn_fit)fit, &resized));
        assert_pixels_near("identity", source, resized, 0);
        cnn_tensor_destroy(resized);
    }
    cnn_tensor_destroy(source);
}

static void a_letterbox_shows_the_whole_between_grey_borders(void **state)
{
    (void)state;
    cnn_tensor *source = make_constant(40, 20, 200), *resized;
    assert_ok(cnn_image_resize(NULL, source, 20, 20, CNN_FIT_LETTERBOX, &resized));
    for (int64_t y = 0; y < 20; y++)
        for (int64_t x = 0; x < 20; x++)
            assert_int_equal(y >= 5 && y < 15 ? 200 : 128, value_at(resized, x, y, 1));
    cnn_tensor_destroy(resized);
    assert_ok(cnn_image_resize(NULL, source, 80, 50, CNN_FIT_LETTERBOX, &resized));
    for (int64_t y = 0; y < 50; y++)
        assert_int_equal(y >= 5 && y < 45 ? 200 : 128, value_at(resized, 79, y, 2));
    cnn_tensor_destroy(resized);
    cnn_tensor_destroy(source);
}

static void extreme_shapes_can_be_resized(void **state)
{
    (void)state;
    const uint32_t sides[] = { 1, 2, 3, 50, 1000 };
    for (int fit = CNN_FIT_STRETCH; fit <= CNN_FIT_LETTERBOX; fit++)
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 5; j++) {
                cnn_tensor *source = make_constant(sides[i], sides[4 - j], 77), *resized;
                assert_ok(cnn_image_resize(NULL, source, sides[j], sides[i], (cnn_fit)fit, &resized));
                assert_int_equal(77, value_at(resized, (sides[j] - 1) / 2, (sides[i] - 1) / 2, 0));
                cnn_tensor_destroy(resized);
                cnn_tensor_destroy(source);
            }
}

static void every_pixel_counts_when_shrinking(void **state)
{
    (void)state;
    cnn_tensor *source = make_constant(64, 64, 0), *resized;
    unsigned char *data = cnn_tensor_data(source);
    for (int64_t i = 0; i < 64 * 64; i++)
        memset(data + 3 * i, (i + i / 64) % 2 ? 255 : 0, 3); /* a chessboard becomes grey */
    assert_ok(cnn_image_resize(NULL, source, 4, 4, CNN_FIT_STRETCH, &resized));
    for (int i = 0; i < 16; i++)
        assert_in_range(value_at(resized, i % 4, i / 4, 0), 127, 128);
    cnn_tensor_destroy(resized);
    cnn_tensor_destroy(source);
}

static void preprocessing_normalises_each_channel(void **state)
{
    (void)state;
    cnn_tensor *source = read_pixels("resize_source");
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = 40;
    preprocess.height = 30;
    for (int channel = 0; channel < 3; channel++) {
        preprocess.mean[channel] = 100 + 10.0f * (float)channel;
        preprocess.scale[channel] = 0.5f / (float)(channel + 1);
    }
    float *output = malloc(40 * 30 * 3 * sizeof *output);
    assert_ok(cnn_image_preprocess(NULL, source, &preprocess, output));
    const unsigned char *data = cnn_tensor_const_data(source);
    for (int i = 0; i < 40 * 30 * 3; i++)
        assert_true(fabsf(output[i] - ((float)data[i] - preprocess.mean[i % 3]) * preprocess.scale[i % 3]) < 1e-4f);
    free(output);
    cnn_tensor_destroy(source);
}

static void the_default_range_is_minus_one_to_one(void **state)
{
    (void)state;
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = 3;
    float output[27];
    cnn_tensor *black = make_constant(5, 5, 0), *white = make_constant(5, 5, 255);
    assert_ok(cnn_image_preprocess(NULL, black, &preprocess, output));
    assert_true(fabsf(output[13] + 1) < 1e-6f);
    assert_ok(cnn_image_preprocess(NULL, white, &preprocess, output));
    assert_true(fabsf(output[26] - 1) < 1e-6f);
    cnn_tensor_destroy(black);
    cnn_tensor_destroy(white);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    cnn_tensor *pixels = make_constant(4, 4, 0), *floats, *resized;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 3, (int64_t[]){ 4, 4, 3 }, &floats));
    cnn_tensor *none = make_pixels(0, 4);
    float output[48];
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, pixels, &preprocess, output)); /* no size */
    preprocess.width = preprocess.height = 4;
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, floats, &preprocess, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, none, &preprocess, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, NULL, &preprocess, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, pixels, NULL, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, pixels, &preprocess, NULL));
    preprocess.scale[1] = NAN;
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_preprocess(NULL, pixels, &preprocess, output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_resize(NULL, pixels, 0, 4, CNN_FIT_STRETCH, &resized));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_resize(NULL, pixels, 4, 4, (cnn_fit)9, &resized));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_resize(NULL, pixels, 4, 4, CNN_FIT_STRETCH, NULL));
    cnn_tensor_destroy(pixels);
    cnn_tensor_destroy(floats);
    cnn_tensor_destroy(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_gives_pillows_pixels),
        cmocka_unit_test(a_crop_is_the_middle_in_pillows_pixels),
        cmocka_unit_test(the_same_size_gives_the_same_pixels),
        cmocka_unit_test(a_letterbox_shows_the_whole_between_grey_borders),
        cmocka_unit_test(extreme_shapes_can_be_resized),
        cmocka_unit_test(every_pixel_counts_when_shrinking),
        cmocka_unit_test(preprocessing_normalises_each_channel),
        cmocka_unit_test(the_default_range_is_minus_one_to_one),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
