#include <unistd.h>

#include "fixture.h"

static void check_decoding(const char *name, const char *suffix, int tolerance)
{
    char file[128];
    snprintf(file, sizeof file, "%s.%s", name, suffix);
    bytes encoded = read_fixture(file);
    cnn_tensor *expected = read_pixels(name), *pixels;
    assert_ok(cnn_image_decode(NULL, encoded.data, encoded.size, file, NULL, &pixels));
    assert_pixels_near(file, expected, pixels, tolerance);
    cnn_tensor_destroy(pixels);
    cnn_tensor_destroy(expected);
    free(encoded.data);
}

static void jpegs_of_every_kind_decode_to_pillows_pixels(void **state)
{
    (void)state;
    const char *names[] = { "baseline_420", "baseline_422",     "baseline_444", "odd_size", "restart",
                            "progressive",  "grey_progressive", "rgb",          "grey" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_decoding(names[i], "jpg", 2);
}

static void cmyk_and_ycck_decode_to_pillows_pixels(void **state)
{
    (void)state;
    check_decoding("cmyk", "jpg", 2);
    check_decoding("cmyk_unmarked", "jpg", 2);
    check_decoding("ycck", "jpg", 2);
}

static void stray_bytes_in_a_sound_jpeg_are_tolerated(void **state)
{
    (void)state;
    check_decoding("stray_bytes", "jpg", 2);
    check_decoding("trailing_bytes", "jpg", 2);
}

static void exif_orientation_is_applied(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        char name[32];
        snprintf(name, sizeof name, "orientation_%d", orientation);
        check_decoding(name, "jpg", 2);
    }
    check_decoding("exif", "png", 0);
    check_decoding("exif_behind", "png", 0);
    check_decoding("exif_text", "png", 0);
    check_decoding("exif_packed_text", "png", 0);
}

static void pngs_of_every_kind_decode_exactly(void **state)
{
    (void)state;
    const char *names[] = {
        "grey1",          "grey2",     "grey4",     "grey8",          "grey16",         "grey1_key",
        "grey2_key",      "grey4_key", "grey8_key", "grey16_key",     "grey_alpha8",    "grey_alpha16",
        "rgb8",           "rgb16",     "rgb8_key",  "rgba8",          "rgba16",         "palette1",
        "palette2",       "palette4",  "palette8",  "palette1_alpha", "palette2_alpha", "palette4_alpha",
        "palette8_alpha", "profile",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_decoding(names[i], "png", 0);
}

static void interlaced_pngs_decode_exactly(void **state)
{
    (void)state;
    const char *names[] = {
        "grey1_interlaced",    "grey8_interlaced",    "rgb8_interlaced",     "rgba8_interlaced",
        "palette1_interlaced", "palette2_interlaced", "palette4_interlaced", "palette8_interlaced"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_decoding(names[i], "png", 0);
}

static void a_file_is_loaded_by_its_content(void **state)
{
    (void)state;
    cnn_tensor *expected = read_pixels("rgb8"), *pixels;
    assert_ok(cnn_image_load(NULL, FIXTURES "/rgb8.png", NULL, &pixels));
    assert_pixels_near("rgb8", expected, pixels, 0);
    cnn_tensor_destroy(pixels);
    cnn_tensor_destroy(expected);
    assert_status(CNN_ERROR_IO, cnn_image_load(NULL, FIXTURES "/absent.png", NULL, &pixels));
    assert_null(pixels);
    assert_non_null(strstr(cnn_last_error(), "absent.png"));
}

static void check_scaled(const char *name, uint32_t min_width, uint32_t min_height, int width, int height)
{
    bytes encoded = read_fixture(name);
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = min_width;
    options.min_height = min_height;
    cnn_tensor *pixels;
    assert_ok(cnn_image_decode(NULL, encoded.data, encoded.size, name, &options, &pixels));
    assert_int_equal(width, cnn_tensor_dim(pixels, 1));
    assert_int_equal(height, cnn_tensor_dim(pixels, 0));
    cnn_tensor_destroy(pixels);
    free(encoded.data);
}

static void a_large_image_is_scaled_while_decoding(void **state)
{
    (void)state;
    check_scaled("baseline_420.jpg", 20, 15, 20, 15);
    check_scaled("baseline_420.jpg", 21, 15, 40, 30);
    check_scaled("baseline_420.jpg", 10, 7, 10, 8);
    check_scaled("baseline_420.jpg", 5, 4, 5, 4);
    check_scaled("baseline_420.jpg", 3, 2, 3, 2);
    check_scaled("baseline_420.jpg", 1, 1, 1, 1);
    check_scaled("baseline_420.jpg", 0, 15, 40, 30);
    check_scaled("baseline_420.jpg", 400, 400, 40, 30);
    check_scaled("progressive.jpg", 20, 15, 20, 15);
    check_scaled("cmyk.jpg", 10, 9, 12, 9);
    check_scaled("orientation_6.jpg", 8, 12, 8, 12);
    check_scaled("orientation_6.jpg", 12, 8, 16, 24);
    check_scaled("rgb8.png", 9, 7, 9, 7);
    check_scaled("rgb8.png", 1, 1, 1, 1);
    check_scaled("exif.png", 7, 9, 7, 9);
}

static void a_probe_tells_size_channels_and_orientation(void **state)
{
    (void)state;
    const struct {
        const char *name;
        cnn_image_format format;
        uint32_t width, height, channels, orientation;
    } cases[] = {
        { "baseline_420.jpg", CNN_IMAGE_JPEG, 40, 30, 3, 1 },  { "grey.jpg", CNN_IMAGE_JPEG, 40, 30, 1, 1 },
        { "orientation_6.jpg", CNN_IMAGE_JPEG, 16, 24, 3, 6 }, { "orientation_3.jpg", CNN_IMAGE_JPEG, 24, 16, 3, 3 },
        { "cmyk.jpg", CNN_IMAGE_JPEG, 24, 18, 4, 1 },          { "rgb8.png", CNN_IMAGE_PNG, 18, 13, 3, 1 },
        { "grey_alpha8.png", CNN_IMAGE_PNG, 17, 11, 2, 1 },    { "exif.png", CNN_IMAGE_PNG, 13, 18, 3, 6 },
        { "palette4.png", CNN_IMAGE_PNG, 19, 9, 3, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes encoded = read_fixture(cases[i].name);
        cnn_image_info info = { .struct_size = sizeof info };
        assert_ok(cnn_image_probe(encoded.data, encoded.size, cases[i].name, &info));
        assert_int_equal(cases[i].format, info.format);
        assert_int_equal(cases[i].width, info.width);
        assert_int_equal(cases[i].height, info.height);
        assert_int_equal(cases[i].channels, info.channels);
        assert_int_equal(cases[i].orientation, info.orientation);
        free(encoded.data);
    }
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    bytes encoded = read_fixture("rgb8.png");
    cnn_tensor *pixels;
    cnn_image_info info = { 0 };
    cnn_image_options options = { 0 };
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_decode(NULL, NULL, 3, "x", NULL, &pixels));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_decode(NULL, encoded.data, encoded.size, "x", NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_decode(NULL, encoded.data, encoded.size, "x", &options, &pixels));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_load(NULL, NULL, NULL, &pixels));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_probe(encoded.data, encoded.size, "x", NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_image_probe(encoded.data, encoded.size, "x", &info));
    free(encoded.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpegs_of_every_kind_decode_to_pillows_pixels),
        cmocka_unit_test(cmyk_and_ycck_decode_to_pillows_pixels),
        cmocka_unit_test(stray_bytes_in_a_sound_jpeg_are_tolerated),
        cmocka_unit_test(exif_orientation_is_applied),
        cmocka_unit_test(pngs_of_every_kind_decode_exactly),
        cmocka_unit_test(interlaced_pngs_decode_exactly),
        cmocka_unit_test(a_file_is_loaded_by_its_content),
        cmocka_unit_test(a_large_image_is_scaled_while_decoding),
        cmocka_unit_test(a_probe_tells_size_channels_and_orientation),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
