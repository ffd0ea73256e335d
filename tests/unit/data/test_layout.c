#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"

static void a_folder_of_class_folders_is_found_under_its_wrapping(void **state)
{
    (void)state;
    write_names(pet_images);
    expect(in_room(""), CNN_PART_AUTO, "2 Cat, 3 Dog");
    expect(in_room("PetImages"), CNN_PART_AUTO, "2 Cat, 3 Dog");
    expect(in_room("PetImages///"), CNN_PART_ALL, "2 Cat, 3 Dog");
    assert_false(cnn_dataset_has_test_part(NULL, in_room("PetImages")));
}

static void images_are_in_order_of_path_and_paths_are_full(void **state)
{
    (void)state;
    write_names(pet_images);
    cnn_dataset *dataset = open_part(in_room("PetImages"), CNN_PART_AUTO);
    assert_string_equal(in_room("PetImages/Cat/1.jpg"), cnn_dataset_path(dataset, 0));
    assert_string_equal(in_room("PetImages/Dog/nested/deep/3.JPG"), cnn_dataset_path(dataset, 4));
    assert_null(cnn_dataset_path(dataset, 5));
    assert_int_equal(-1, cnn_dataset_label(dataset, 5));
    assert_null(cnn_dataset_class_name(dataset, 2));
    cnn_dataset_destroy(dataset);
}

static void a_zip_has_the_same_layout_as_its_folder(void **state)
{
    (void)state;
    if (!READS_ZIP)
        skip();
    write_zip_of_names("pets.zip", pet_images);
    expect(in_room("pets.zip"), CNN_PART_AUTO, "2 Cat, 3 Dog");
    cnn_dataset *dataset = open_part(in_room("pets.zip"), CNN_PART_AUTO);
    char path[512];
    snprintf(path, sizeof path, "%s!/PetImages/Cat/1.jpg", in_room("pets.zip"));
    assert_string_equal(path, cnn_dataset_path(dataset, 0));
    cnn_dataset_destroy(dataset);
}

static void a_folder_without_classes_is_refused_with_the_layouts_that_work(void **state)
{
    (void)state;
    write_names((const char *[]){ "1.jpg", "2.jpg", NULL });
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA, "(Cat/1.jpg, Dog/1.jpg)");
}

static void one_class_is_refused_by_name(void **state)
{
    (void)state;
    write_names((const char *[]){ "pets/Cat/1.jpg", "pets/Cat/2.jpg", NULL });
    expect_error(in_room("pets"), CNN_PART_AUTO, CNN_ERROR_DATA, "only one class, \"Cat\"");
    write_folder("pets/Dog");
    expect_error(in_room("pets"), CNN_PART_AUTO, CNN_ERROR_DATA, "/Dog/ holds no images");
}

static void no_images_are_an_error(void **state)
{
    (void)state;
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA, "there are no images in it");
    write_names((const char *[]){ "train.zip", "sampleSubmission.csv", NULL });
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA, "train.zip: unpack that");
    expect_error(in_room("none"), CNN_PART_AUTO, CNN_ERROR_IO, "No such file");
    expect_error(in_room("train.zip"), CNN_PART_AUTO, CNN_ERROR_FORMAT, "is not a zip file");
    write_text("photo.jpg", "x");
    expect_error(in_room("photo.jpg"), CNN_PART_AUTO, CNN_ERROR_DATA, "neither a folder, nor a zip, nor a CSV");
}

static void more_classes_than_allowed_are_an_error(void **state)
{
    (void)state;
    write_names((const char *[]){ "a/1.jpg", "b/1.jpg", "c/1.jpg", NULL });
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.max_classes = 2;
    cnn_dataset *dataset;
    assert_status(CNN_ERROR_DATA, cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    assert_non_null(strstr(cnn_last_error(), "there are 3 classes"));
}

static void annotations_beside_images_are_doubted(void **state)
{
    (void)state;
    write_names((const char *[]){ "images/cat_1.jpg", "images/dog_1.jpg", "annotations/trimaps/cat_1.png", NULL });
    expect_and_log("1 annotations, 2 images");
    assert_non_null(strstr(log_text, "if the classes are within images, give that folder alone"));
}

static void the_classes_of_annotated_images_are_theirs(void **state)
{
    (void)state;
    write_names((const char *[]){ "images/american_bulldog_1.jpg", "images/american_bulldog_2.jpg",
                                  "images/Abyssinian_1.jpg", "images/Abyssinian_100.jpg",
                                  "annotations/trimaps/Abyssinian_1.png", "annotations/trimaps/Abyssinian_100.png",
                                  NULL });
    expect_and_log("2 Abyssinian, 2 american_bulldog");
    assert_non_null(strstr(log_text, "2 images are in no class and are passed over, such as "));
}

static void files_that_are_alone_in_their_class_are_named(void **state)
{
    (void)state;
    write_names(
        (const char *[]){ "beagle_1.jpg", "beagle_2.jpg", "great_dane_1.jpg", "great_dane_2.jpg", "pug_7.jpg", NULL });
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_DATA,
                 "because too many images are alone in theirs (1, such as pug_7.jpg)");
}

static void classes_that_differ_in_case_are_said_to(void **state)
{
    (void)state;
    write_names((const char *[]){ "train/Cat/1.jpg", "train/Dog/1.jpg", "test/cat/1.jpg", "test/Dog/1.jpg", NULL });
    expect_error(in_room(""), CNN_PART_TEST, CNN_ERROR_DATA, "which has \"Cat\": rename one");
}

static void empty_class_folders_and_strays_are_logged(void **state)
{
    (void)state;
    write_names((const char *[]){ "Cat/1.jpg", "Dog/1.jpg", "stray.jpg", "Notes/read.txt", NULL });
    write_folder("Bird");
    expect_and_log("1 Cat, 1 Dog");
    assert_non_null(strstr(log_text, "Bird/: holds no images"));
    assert_non_null(strstr(log_text, "Notes/: holds no images"));
    assert_non_null(strstr(log_text, "1 images are in no class and are passed over, such as"));
}

static void folders_of_the_system_are_passed_over(void **state)
{
    (void)state;
    static const char *const names[] = { "Cat/1.jpg",
                                         "Cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
                                         "Cat/Thumbs.db",
                                         "Cat/.DS_Store",
                                         "Cat/desktop.ini",
                                         "Dog/1.jpg",
                                         "$RECYCLE.BIN/S-1-5/2.jpg",
                                         "@eaDir/3.jpg",
                                         "__MACOSX/Cat/._1.jpg",
                                         "System Volume Information/4.jpg",
                                         "lost+found/5.jpg",
                                         "#recycle/6.jpg",
                                         "@Recycle/7.jpg",
                                         NULL };
    write_names(names);
    write_zip_of_names("all.zip", names);
    expect_and_log("1 Cat, 1 Dog");
    assert_string_equal("", log_text);
    if (READS_ZIP)
        expect(in_room("all.zip"), CNN_PART_AUTO, "1 Cat, 1 Dog");
}

static void a_hundred_thousand_names_in_a_zip_are_listed_in_seconds(void **state)
{
    (void)state;
    if (!READS_ZIP)
        skip();
    enum { COUNT = 100000, LENGTH = 40 };
    zip_entry *entries = calloc(COUNT, sizeof *entries);
    char *names = malloc((size_t)COUNT * LENGTH);
    assert_true(entries && names);
    for (int i = 0; i < COUNT; i++) {
        entries[i].name = names + (ptrdiff_t)i * LENGTH;
        snprintf(names + (ptrdiff_t)i * LENGTH, LENGTH, "set/class_%03d/%d/%d.jpg", i % 1000, i % 7, i);
    }
    write_zip("many.zip", entries, COUNT);
    free(entries);
    free(names);
    clock_t start = clock();
    cnn_dataset *dataset = open_part(in_room("many.zip"), CNN_PART_AUTO), *rest, *part;
    assert_int_equal(COUNT, cnn_dataset_count(dataset));
    assert_int_equal(1000, cnn_dataset_class_count(dataset));
    assert_ok(cnn_dataset_split(dataset, 0.1, 1, &rest, &part));
    assert_int_equal(COUNT / 10, cnn_dataset_count(part));
    assert_within_seconds(5, (double)(clock() - start) / CLOCKS_PER_SEC);
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
    cnn_dataset_destroy(dataset);
}

static void names_may_be_long_or_odd(void **state)
{
    (void)state;
    char longest[256], name[300];
    memset(longest, 'n', 255);
    longest[255] = 0;
    memcpy(longest + 251, ".jpg", 4);
    snprintf(name, sizeof name, "Dog/%s", longest);
    write_names((const char *[]){ name, "Two\nlines/\n.jpg", "Two\nlines/\xFF\xFE.jpg", "\xE4\xF6/1.jpg", NULL });
    expect(in_room(""), CNN_PART_AUTO, "1 Dog, 2 Two\nlines, 1 \xC3\xA4\xC3\xB6");
    assert_int_equal(0, symlink("self", in_room("Dog/self")));
    expect(in_room(""), CNN_PART_AUTO, "2 Dog, 2 Two\nlines, 1 \xC3\xA4\xC3\xB6");
}

static void names_may_be_of_any_script(void **state)
{
    (void)state;
    static const char *const names[] = { "Кошки/фото 1.jpg", "Кошки/2.jpg", "犬/写真.jpg", NULL };
    write_names(names);
    write_zip_of_names("п.zip", names);
    expect(in_room(""), CNN_PART_AUTO, "2 Кошки, 1 犬");
    if (READS_ZIP)
        expect(in_room("п.zip"), CNN_PART_AUTO, "2 Кошки, 1 犬");
}

static void class_names_that_are_no_utf8_become_utf8(void **state)
{
    (void)state;
    if (!READS_ZIP)
        skip();
    write_zip_of_names("old.zip", (const char *[]){ "B\xE4ren/1.jpg", "Hunde/1.jpg", "\xC0\xAF/1.jpg", NULL });
    expect(in_room("old.zip"), CNN_PART_AUTO, "1 BΣren, 1 Hunde, 1 └»"); /* code page 437 */
}

static void links_are_followed_and_circles_end(void **state)
{
    (void)state;
    write_names((const char *[]){ "real/Cat/1.jpg", "real/Dog/1.jpg", "elsewhere/2.jpg", NULL });
    assert_int_equal(0, symlink("../../elsewhere/2.jpg", in_room("real/Cat/linked.jpg")));
    assert_int_equal(0, symlink("../../real", in_room("real/Dog/circle")));
    assert_int_equal(0, symlink("../elsewhere", in_room("real/Bird")));
    assert_int_equal(0, symlink("nothing.jpg", in_room("real/Dog/dangling.jpg")));
    assert_int_equal(0, mkfifo(in_room("real/Cat/pipe.jpg"), 0666));
    expect(in_room("real"), CNN_PART_AUTO, "1 Bird, 2 Cat, 2 Dog");
}

static void an_unreadable_folder_is_an_error_that_names_it(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    write_names((const char *[]){ "Cat/1.jpg", "Dog/1.jpg", NULL });
    assert_int_equal(0, chmod(in_room("Dog"), 0));
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_IO, "/Dog/: can't be opened: Permission denied");
    assert_int_equal(0, chmod(in_room("Dog"), 0777));
}

static void a_path_of_any_length_leaves_room_for_what_is_wrong(void **state)
{
    (void)state;
    char path[6000], reason[100];
    snprintf(reason, sizeof reason, ": can't be opened: %s", strerror(ENAMETOOLONG));
    for (size_t length = 900; length < sizeof path; length += 300) {
        memset(path, 'p', length);
        path[length] = 0;
        expect_error(path, CNN_PART_AUTO, CNN_ERROR_IO, reason);
        assert_int_equal(0, strncmp(cnn_last_error(), path, 400));
        assert_true(strlen(cnn_last_error()) < 1024);
    }
}

static void folders_nested_too_deep_are_refused(void **state)
{
    (void)state;
    char name[400];
    for (int i = 0; i < 70; i++)
        snprintf(name + i * 2, sizeof name - i * 2, "d/1.jpg");
    write_text(name, "x");
    expect_error(in_room(""), CNN_PART_AUTO, CNN_ERROR_LIMIT, "nested more than 64 deep");
}

static void unlabelled_takes_every_image_in_order(void **state)
{
    (void)state;
    write_names((const char *[]){ "b/2.jpg", "a.jpg", "b/1.jpg", "notes.txt", NULL });
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = 1;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    assert_int_equal(3, cnn_dataset_count(dataset));
    assert_int_equal(0, cnn_dataset_class_count(dataset));
    assert_int_equal(-1, cnn_dataset_label(dataset, 0));
    assert_string_equal(in_room("b/1.jpg"), cnn_dataset_path(dataset, 1));
    cnn_dataset_destroy(dataset);
    assert_ok(cnn_dataset_open(NULL, in_room("a.jpg"), &options, &dataset));
    assert_int_equal(1, cnn_dataset_count(dataset));
    assert_string_equal(in_room("a.jpg"), cnn_dataset_path(dataset, 0));
    void *bytes;
    size_t size;
    assert_ok(cnn_dataset_read(dataset, 0, &bytes, &size));
    assert_int_equal(5, size);
    assert_memory_equal("a.jpg", bytes, 5);
    cnn_bytes_free(bytes);
    cnn_dataset_destroy(dataset);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    cnn_dataset_options options = { 0 };
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_open(NULL, NULL, NULL, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_open(NULL, "", NULL, &dataset));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_open(NULL, "x", NULL, NULL));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_open(NULL, "x", &options, &dataset));
    cnn_dataset_options_init(&options);
    options.part = (cnn_part)9;
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_open(NULL, "x", &options, &dataset));
    cnn_dataset_destroy(NULL);
    assert_int_equal(0, cnn_dataset_count(NULL));
    assert_false(cnn_dataset_has_test_part(NULL, NULL));
}

static void real_photographs_are_counted(void **state)
{
    (void)state;
    const char *data = getenv("CNN_TEST_DATA");
    if (!data)
        skip();
    char path[1024];
    snprintf(path, sizeof path, "%s/PetImages", data);
    expect(path, CNN_PART_AUTO, "11249 Cat, 11250 Dog");
    snprintf(path, sizeof path, "%s/train.csv", data);
    expect(path, CNN_PART_AUTO, "9999 Cat, 10000 Dog");
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(a_folder_of_class_folders_is_found_under_its_wrapping),
        in_a_room(images_are_in_order_of_path_and_paths_are_full),
        in_a_room(a_zip_has_the_same_layout_as_its_folder),
        in_a_room(folders_of_the_system_are_passed_over),
        in_a_room(a_hundred_thousand_names_in_a_zip_are_listed_in_seconds),
        in_a_room(names_may_be_long_or_odd),
        in_a_room(a_folder_without_classes_is_refused_with_the_layouts_that_work),
        in_a_room(one_class_is_refused_by_name),
        in_a_room(no_images_are_an_error),
        in_a_room(more_classes_than_allowed_are_an_error),
        in_a_room(annotations_beside_images_are_doubted),
        in_a_room(the_classes_of_annotated_images_are_theirs),
        in_a_room(files_that_are_alone_in_their_class_are_named),
        in_a_room(classes_that_differ_in_case_are_said_to),
        in_a_room(empty_class_folders_and_strays_are_logged),
        in_a_room(names_may_be_of_any_script),
        in_a_room(class_names_that_are_no_utf8_become_utf8),
        in_a_room(links_are_followed_and_circles_end),
        in_a_room(an_unreadable_folder_is_an_error_that_names_it),
        cmocka_unit_test(a_path_of_any_length_leaves_room_for_what_is_wrong),
        in_a_room(folders_nested_too_deep_are_refused),
        in_a_room(unlabelled_takes_every_image_in_order),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(real_photographs_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
