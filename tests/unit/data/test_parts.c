/* Training, validation and test parts of folders. */
#include "layout.h"

static void training_and_test_folders_are_parts(void **state)
{
    (void)state;
    static const char *const names[] = { "x/4k_training_data_set/cats/1.jpg", "x/4k_training_data_set/cats/2.jpg",
                                         "x/4k_training_data_set/dogs/1.jpg", "x/1k_test_data_set/cats/9.jpg",
                                         "x/1k_test_data_set/dogs/9.jpg",     NULL };
    write_names(names);
    write_zip_of_names("pair.zip", names);
    const char *paths[] = { in_room("x"), in_room("pair.zip") };
    for (int i = 0; i < 1 + READS_ZIP; i++) {
        expect(paths[i], CNN_PART_AUTO, "2 cats, 1 dogs");
        expect(paths[i], CNN_PART_TRAIN, "2 cats, 1 dogs");
        expect(paths[i], CNN_PART_TEST, "1 cats, 1 dogs");
        expect(paths[i], CNN_PART_ALL, "3 cats, 2 dogs");
        assert_true(cnn_dataset_has_test_part(NULL, paths[i]));
    }
}

static void expect_parts(uint32_t divided, uint64_t training, uint64_t validation, uint64_t test)
{
    cnn_dataset *dataset = open_part(in_room(""), CNN_PART_AUTO);
    cnn_dataset_parts parts = { .struct_size = sizeof parts };
    assert_ok(cnn_dataset_get_parts(dataset, &parts));
    assert_int_equal(divided, parts.divided);
    assert_int_equal(training, parts.training);
    assert_int_equal(validation, parts.validation);
    assert_int_equal(test, parts.test);
    cnn_dataset_destroy(dataset);
}

static void validation_and_test_are_parts_of_their_own(void **state)
{
    (void)state;
    static const char *const validation[] = { "validation", "valid", "Val", "dev", "val_set" };
    static const char *const test[] = { "test", "Testing", "holdout", "eval", "test1" };
    for (int i = 0; i < 5; i++) {
        char names[6][64];
        const char *list[7] = { "train/a/1.jpg", "train/b/1.jpg" };
        snprintf(names[0], 64, "%s/a/1.jpg", validation[i]);
        snprintf(names[1], 64, "%s/b/2.jpg", validation[i]);
        snprintf(names[2], 64, "%s/a/1.jpg", test[i]);
        for (int k = 0; k < 3; k++)
            list[2 + k] = names[k];
        write_names(list);
        expect(in_room(""), CNN_PART_AUTO, "1 a, 1 b");
        expect(in_room(""), CNN_PART_VALIDATION, "1 a, 1 b");
        expect(in_room(""), CNN_PART_TEST, "1 a, 0 b");
        expect(in_room(""), CNN_PART_ALL, "3 a, 2 b");
        expect_parts(1, 2, 2, 1);
        assert_int_equal(0, remove_room(state) | make_room(state));
    }
}

static void a_single_part_beside_training_is_for_both_uses(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", NULL });
    expect(in_room(""), CNN_PART_VALIDATION, "1 a, 0 b");
    expect_parts(1, 2, 0, 1);
    assert_int_equal(0, remove_room(state) | make_room(state));
    write_names((const char *[]){ "train/a/1.jpg", "train/b/1.jpg", "val/b/1.jpg", NULL });
    expect(in_room(""), CNN_PART_TEST, "0 a, 1 b");
    expect_parts(1, 2, 1, 0);
}

/* Names that only contain a part's are classes, and so is a part's beside them. */
static void parts_are_named_by_whole_words(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "strainer", "valve" },
                                            { "train", "latest" },
                                            { "trainer", "tester" },
                                            { "terrain", "contest" },
                                            { "rain", "interval" } };
    for (int i = 0; i < 5; i++) {
        char names[4][64];
        for (int k = 0; k < 4; k++)
            snprintf(names[k], 64, "%s/type%c/%d.jpg", pairs[i][k / 2], 'a' + k % 2, k);
        write_names((const char *[]){ names[0], names[1], names[2], names[3], NULL });
        char expected[100];
        int swapped = strcmp(pairs[i][0], pairs[i][1]) > 0;
        snprintf(expected, sizeof expected, "2 %s, 2 %s", pairs[i][swapped], pairs[i][!swapped]);
        expect(in_room(""), CNN_PART_AUTO, expected);
        assert_int_equal(0, remove_room(state) | make_room(state));
    }
    write_names((const char *[]){ "seg_train/a/1.jpg", "seg_train/b/1.jpg", "seg_test/a/1.jpg", NULL });
    expect_parts(1, 2, 0, 1);
}

static void parts_without_training_are_measured_on_and_are_no_classes(void **state)
{
    (void)state;
    write_names((const char *[]){ "valid/a/1.jpg", "valid/b/1.jpg", "test/b/1.jpg", "test/c/1.jpg", NULL });
    expect(in_room(""), CNN_PART_TEST, "0 a, 1 b, 1 c");
    expect(in_room(""), CNN_PART_VALIDATION, "1 a, 1 b, 0 c");
    assert_true(cnn_dataset_has_test_part(NULL, in_room("")));
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA, "no training part: that is a folder train beside them");
}

static void a_test_folder_without_classes_gives_way_to_validation(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/a/2.jpg", "test/1.jpg",
                                  "test/2.jpg", NULL });
    expect(in_room(""), CNN_PART_TEST, "2 a, 0 b");
}

static void classes_of_the_test_part_are_those_of_the_training_part(void **state)
{
    (void)state;
    write_names(
        (const char *[]){ "train/a/1.jpg", "train/b/1.jpg", "train/c/1.jpg", "test/b/1.jpg", "test/c/1.jpg", NULL });
    expect(in_room(""), CNN_PART_TEST, "0 a, 1 b, 1 c");
    write_names((const char *[]){ "test/bird/1.jpg", NULL });
    expect_error(in_room(""), CNN_PART_TEST, CNN_ERROR_DATA, "\"bird\" is none of the training part's");
}

static void without_a_pair_there_are_no_parts(void **state)
{
    (void)state;
    write_names(pet_images);
    expect_error(in_room("PetImages"), CNN_PART_TRAIN, CNN_ERROR_DATA, "isn't divided into");
    expect_error(in_room("PetImages"), CNN_PART_TEST, CNN_ERROR_DATA, "isn't divided into");
}

static void train_may_be_a_class(void **state)
{
    (void)state;
    write_names((const char *[]){ "bus/1.jpg", "train/1.jpg", "train/2.jpg", "plane/1.jpg", NULL });
    expect(in_room(""), CNN_PART_AUTO, "1 bus, 1 plane, 2 train");
}

static void parts_without_classes_are_no_classes(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/1.jpg", "train/2.jpg", "test/1.jpg", NULL });
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA, "in no classes");
}

static void a_part_whose_images_have_no_classes_is_logged(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg",
                                  "test/1.jpg", "test/2.jpg", NULL });
    expect_and_log("2 cat, 2 dog");
    assert_non_null(strstr(log_text, "the images of its part test are in no classes"));
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(training_and_test_folders_are_parts),
        in_a_room(validation_and_test_are_parts_of_their_own),
        in_a_room(a_single_part_beside_training_is_for_both_uses),
        in_a_room(parts_are_named_by_whole_words),
        in_a_room(parts_without_training_are_measured_on_and_are_no_classes),
        in_a_room(a_test_folder_without_classes_gives_way_to_validation),
        in_a_room(classes_of_the_test_part_are_those_of_the_training_part),
        in_a_room(without_a_pair_there_are_no_parts),
        in_a_room(train_may_be_a_class),
        in_a_room(parts_without_classes_are_no_classes),
        in_a_room(a_part_whose_images_have_no_classes_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
