/* Folders of images whose classes are in their names. */
#include "layout.h"

static void kaggles_flat_folder_has_classes_in_its_names(void **state)
{
    (void)state;
    write_names((const char *[]){ "k/train/train/cat.0.jpg", "k/train/train/cat.1.jpg", "k/train/train/dog.0.jpg",
                                  "k/train/train/dog.10.jpg", "k/test1/1.jpg", "k/test1/2.jpg", NULL });
    expect(in_room("k"), CNN_PART_AUTO, "2 cat, 2 dog");
    expect(in_room("k/train"), CNN_PART_AUTO, "2 cat, 2 dog");
    assert_false(cnn_dataset_has_test_part(NULL, in_room("k")));
    expect_error(in_room("k"), CNN_PART_TEST, CNN_ERROR_DATA, "test part are in no classes");
}

static void the_class_in_a_flat_name_stands_before_its_last_number(void **state)
{
    (void)state;
    write_names((const char *[]){ "american_bulldog_12.jpg", "american_bulldog_7.jpg", "american_pit_bull_1.jpg",
                                  "american_pit_bull_2.jpg", "great_dane_3.jpg", "great_dane_4.png", "cat.0.jpg",
                                  "cat.1.jpg", "cat12.jpg", "cat (3).jpg", "cat.jpg", "dog-1.jpg", "dog - 2.jpg",
                                  "dog_3_left.jpg", NULL });
    expect_and_log("2 american_bulldog, 2 american_pit_bull, 5 cat, 3 dog, 2 great_dane");
    assert_string_equal("", log_text);
}

static void doubtful_flat_names_are_named(void **state)
{
    (void)state;
    write_names(
        (const char *[]){ "boeing_737_1.jpg", "boeing_737_2.jpg", "boeing_747_1.jpg", "boeing_747_2.jpg", NULL });
    expect_and_log("2 boeing_737, 2 boeing_747");
    assert_non_null(
        strstr(log_text, "before the last number in the files' names, as \"boeing_737\" of boeing_737_1.jpg"));
    assert_int_equal(0, remove_room(state) | make_room(state));
    write_names((const char *[]){ "red_apple.jpg", "red_brick.jpg", "blue.sky.jpg", "blue_sea.jpg", NULL });
    expect_and_log("2 blue, 2 red");
    assert_non_null(strstr(log_text, "first dot, underscore or digit in the files' names"));
}

static void a_flat_test_folder_needs_only_one_image_of_a_class(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg",
                                  "test/cat.7.jpg", "test/dog.8.jpg", NULL });
    expect(in_room(""), CNN_PART_TEST, "1 cat, 1 dog");
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(kaggles_flat_folder_has_classes_in_its_names),
        in_a_room(the_class_in_a_flat_name_stands_before_its_last_number),
        in_a_room(doubtful_flat_names_are_named),
        in_a_room(a_flat_test_folder_needs_only_one_image_of_a_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
