/* What the library says of itself. */
#include "../test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void the_number_and_the_text_are_one_version(void **state)
{
    (void)state;
    char text[32];
    uint32_t number = cnn_version_number();
    snprintf(text, sizeof text, "%u.%u.%u", number / 10000, number / 100 % 100, number % 100);
    assert_string_equal(text, cnn_version());
    assert_int_equal(CNN_VERSION_NUMBER, number);
    assert_true(CNN_MAKE_VERSION(0, 9, 12) < CNN_MAKE_VERSION(1, 0, 0));
}

static void features_are_known_by_name(void **state)
{
    (void)state;
    const char *name;
    bool zip = false;
    for (uint32_t i = 0; (name = cnn_feature_name(i)); i++) {
        assert_int_equal(1, cnn_has_feature(name));
        zip = zip || !strcmp(name, "zip");
    }
    assert_int_equal(1, cnn_has_feature("jpeg"));
    assert_int_equal(zip, cnn_has_feature("zip"));
    assert_int_equal(0, cnn_has_feature("zi"));
    assert_int_equal(0, cnn_has_feature(""));
}

static void a_file_of_a_format_that_is_a_feature_is_not_refused_for_it(void **state)
{
    (void)state;
    cnn_model *model;
    cnn_status status = cnn_model_load_onnx(NULL, "absent.onnx", NULL, &model);
    assert_int_equal(cnn_has_feature("onnx"), status != CNN_ERROR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_and_the_text_are_one_version),
        cmocka_unit_test(features_are_known_by_name),
        cmocka_unit_test(a_file_of_a_format_that_is_a_feature_is_not_refused_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
