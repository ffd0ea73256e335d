/* Real photographs, in the folder that CNN_TEST_DATA names. */
#include "fixture.h"

enum { SKIPPED = 77 }; /* as meson understands it */

static void check_photograph(const char *folder, const char *pattern, int number)
{
    char name[64], path[1024];
    snprintf(name, sizeof name, pattern, number);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = options.min_height = 64;
    cnn_tensor *whole, *scaled;
    assert_ok(cnn_image_load(NULL, path, NULL, &whole));
    assert_ok(cnn_image_load(NULL, path, &options, &scaled));
    for (int32_t axis = 0; axis < 2; axis++) {
        assert_true(cnn_tensor_dim(scaled, axis) <= cnn_tensor_dim(whole, axis));
        assert_true(cnn_tensor_dim(scaled, axis) >= 64 || cnn_tensor_dim(whole, axis) < 64);
    }
    cnn_tensor_destroy(whole);
    cnn_tensor_destroy(scaled);
}

static void photographs_decode_whole_and_scaled(void **state)
{
    const char *folder = *state;
    for (int number = 1; number <= 150; number++) {
        check_photograph(folder, "originals/cats/cat.%d.jpg", number);
        check_photograph(folder, "originals/dogs/dog.%d.jpg", number);
        check_photograph(folder, "PetImages/Cat/%d.jpg", number * 70);
        check_photograph(folder, "PetImages/Dog/%d.jpg", number * 70);
    }
}

int main(void)
{
    char *folder = getenv("CNN_TEST_DATA");
    if (!folder) {
        puts("skipped: CNN_TEST_DATA is not set");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(photographs_decode_whole_and_scaled, folder) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
