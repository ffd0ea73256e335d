/* Names of classes that look the same and are stored in two of Unicode's forms. */
#include <string.h>

#include "../test.h"
#include "data/utf8.h"
#include "files.h"

#define COMPOSED "K\xC3\xA4tze"
#define DECOMPOSED "Ka\xCC\x88tze"

static char log_text[1024];

static void keep_log(cnn_log_level level, const char *message, void *user)
{
    (void)level, (void)user;
    strncat(log_text, message, sizeof log_text - strlen(log_text) - 1);
}

static cnn_status open_room(cnn_context *context, cnn_part part, cnn_dataset **dataset)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = part;
    return cnn_dataset_open(context, in_room(""), &options, dataset);
}

static void between_parts_it_is_said(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    write_names((const char *[]){ "train/" COMPOSED "/1.jpg", "train/b/1.jpg", "test/" DECOMPOSED "/1.jpg",
                                  "test/b/2.jpg", NULL });
    assert_status(CNN_ERROR_DATA, open_room(NULL, CNN_PART_TEST, &dataset));
    assert_non_null(strstr(cnn_last_error(), "which has one that looks the same"));
}

static void between_data_and_a_model_it_is_said(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    write_names((const char *[]){ COMPOSED "/1.jpg", "b/1.jpg", NULL });
    assert_ok(open_room(NULL, CNN_PART_AUTO, &dataset));
    assert_status(CNN_ERROR_DATA, cnn_dataset_align_classes(dataset, (const char *[]){ DECOMPOSED, "b" }, 2));
    assert_non_null(strstr(cnn_last_error(), "it has one that looks the same"));
    assert_status(CNN_ERROR_DATA, cnn_dataset_align_classes(dataset, (const char *[]){ "Katze", "b" }, 2));
    assert_null(strstr(cnn_last_error(), "looks the same"));
    cnn_dataset_destroy(dataset);
}

static void within_one_dataset_it_is_warned_of(void **state)
{
    (void)state;
    cnn_context_options options;
    cnn_context *context;
    cnn_dataset *dataset;
    cnn_context_options_init(&options);
    options.log = keep_log;
    log_text[0] = '\0';
    assert_ok(cnn_context_create(&options, &context));
    write_names((const char *[]){ COMPOSED "/1.jpg", DECOMPOSED "/1.jpg", "b/1.jpg", NULL });
    assert_ok(open_room(context, CNN_PART_AUTO, &dataset));
    assert_int_equal(3, cnn_dataset_class_count(dataset));
    assert_non_null(strstr(log_text, "two of its classes look the same"));
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(context);
}

static void forms_are_compared_character_by_character(void **state)
{
    (void)state;
    assert_true(cnn_differs_in_form(COMPOSED, DECOMPOSED) && cnn_differs_in_form(DECOMPOSED, COMPOSED));
    assert_true(cnn_differs_in_form("\xE3\x81\x8C", "\xE3\x81\x8B\xE3\x82\x99"));             /* a kana */
    assert_true(cnn_differs_in_form("\xEA\xB0\x81", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8")); /* a Korean syllable */
    assert_false(cnn_differs_in_form(COMPOSED, COMPOSED) || cnn_differs_in_form("", ""));
    assert_false(cnn_differs_in_form(COMPOSED, "Katze") || cnn_differs_in_form(DECOMPOSED, "Katze"));
    assert_false(cnn_differs_in_form(COMPOSED, DECOMPOSED "n") || cnn_differs_in_form("K\xE4tze", DECOMPOSED));
    assert_false(cnn_differs_in_form("a", "ab") || cnn_differs_in_form("a", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(between_parts_it_is_said, make_room, remove_room),
        cmocka_unit_test_setup_teardown(between_data_and_a_model_it_is_said, make_room, remove_room),
        cmocka_unit_test_setup_teardown(within_one_dataset_it_is_warned_of, make_room, remove_room),
        cmocka_unit_test(forms_are_compared_character_by_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
