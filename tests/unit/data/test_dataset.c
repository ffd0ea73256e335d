/* Splits, class order and verification. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "files.h"

static void write_classes(int cats, int dogs)
{
    char name[64];
    for (int i = 0; i < cats + dogs; i++) {
        snprintf(name, sizeof name, "%s/%03d.jpg", i < cats ? "Cat" : "Dog", i);
        write_text(name, name);
    }
}

static cnn_dataset *open_room(void)
{
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room(""), NULL, &dataset));
    return dataset;
}

static int count_label(const cnn_dataset *dataset, int32_t label)
{
    int count = 0;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset); i++)
        count += cnn_dataset_label(dataset, i) == label;
    return count;
}

static bool contains(const cnn_dataset *dataset, const char *path)
{
    for (uint64_t i = 0; i < cnn_dataset_count(dataset); i++)
        if (!strcmp(cnn_dataset_path(dataset, i), path))
            return true;
    return false;
}

static void a_split_takes_the_fraction_of_each_class_and_loses_nothing(void **state)
{
    (void)state;
    write_classes(40, 21);
    cnn_dataset *all = open_room(), *rest, *part;
    assert_ok(cnn_dataset_split(all, 0.25, 7, &rest, &part));
    assert_int_equal(10, count_label(part, 0));
    assert_int_equal(5, count_label(part, 1));
    assert_int_equal(30, count_label(rest, 0));
    assert_int_equal(16, count_label(rest, 1));
    for (uint64_t i = 0; i < cnn_dataset_count(all); i++) {
        const char *path = cnn_dataset_path(all, i);
        assert_int_equal(1, contains(rest, path) + contains(part, path));
    }
    cnn_dataset_destroy(all); /* the parts go on without it */
    assert_string_equal("Dog", cnn_dataset_class_name(part, 1));
    void *bytes;
    size_t size;
    assert_ok(cnn_dataset_read(part, 0, &bytes, &size));
    cnn_bytes_free(bytes);
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
}

static bool split_equally(const cnn_dataset *all, uint64_t seed_a, uint64_t seed_b)
{
    cnn_dataset *rest[2], *part[2];
    assert_ok(cnn_dataset_split(all, 0.3, seed_a, &rest[0], &part[0]));
    assert_ok(cnn_dataset_split(all, 0.3, seed_b, &rest[1], &part[1]));
    bool equal = true;
    for (uint64_t i = 0; i < cnn_dataset_count(part[0]); i++)
        equal = equal && !strcmp(cnn_dataset_path(part[0], i), cnn_dataset_path(part[1], i));
    for (int i = 0; i < 2; i++) {
        cnn_dataset_destroy(rest[i]);
        cnn_dataset_destroy(part[i]);
    }
    return equal;
}

static void a_split_depends_on_the_seed_alone(void **state)
{
    (void)state;
    write_classes(30, 30);
    cnn_dataset *all = open_room();
    assert_true(split_equally(all, 1, 1));
    assert_false(split_equally(all, 1, 2));
    cnn_dataset_destroy(all);
}

static void the_smallest_split_leaves_an_image_of_each_class_on_both_sides(void **state)
{
    (void)state;
    write_classes(2, 3);
    cnn_dataset *all = open_room(), *rest, *part;
    assert_ok(cnn_dataset_split(all, 0.01, 7, &rest, &part));
    assert_int_equal(1, count_label(part, 0));
    assert_int_equal(1, count_label(part, 1));
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
    assert_ok(cnn_dataset_split(all, 0.99, 7, &rest, &part));
    assert_int_equal(1, count_label(rest, 0));
    assert_int_equal(1, count_label(rest, 1));
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
    cnn_dataset_destroy(all);
}

static void impossible_splits_are_refused(void **state)
{
    (void)state;
    write_classes(1, 1);
    cnn_dataset *all = open_room(), *rest, *part;
    assert_status(CNN_ERROR_DATA, cnn_dataset_split(all, 0.5, 7, &rest, &part));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_split(all, 0, 7, &rest, &part));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_split(all, 1, 7, &rest, &part));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_split(all, (double)NAN, 7, &rest, &part));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_split(NULL, 0.5, 7, &rest, &part));
    cnn_dataset_destroy(all);
}

static void classes_take_the_order_of_a_model(void **state)
{
    (void)state;
    write_classes(2, 3);
    cnn_dataset *all = open_room();
    assert_ok(cnn_dataset_align_classes(all, (const char *[]){ "Dog", "Bird", "Cat" }, 3));
    assert_int_equal(3, cnn_dataset_class_count(all));
    assert_int_equal(3, count_label(all, 0));
    assert_int_equal(0, count_label(all, 1));
    assert_int_equal(2, count_label(all, 2));
    assert_status(CNN_ERROR_DATA, cnn_dataset_align_classes(all, (const char *[]){ "Dog", "Fish" }, 2));
    assert_non_null(strstr(cnn_last_error(), "\"Cat\""));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_align_classes(all, (const char *[]){ "Dog", NULL, "Cat" }, 3));
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_align_classes(all, (const char *[]){ "Dog", "\xff", "Cat" }, 3));
    assert_string_equal("Bird", cnn_dataset_class_name(all, 1));
    cnn_dataset_destroy(all);
}

typedef struct journal {
    char text[4000];
    uint64_t last_done, total;
    int stop;
} journal;

static void note_bad(const char *path, const char *reason, void *user)
{
    journal *l = user;
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%s: %s\n", path + strlen(in_room("")) + 1, reason);
}

static int note_progress(uint64_t done, uint64_t total, void *user)
{
    journal *l = user;
    assert_true(done > l->last_done && done <= total);
    l->last_done = done;
    l->total = total;
    return l->stop;
}

static cnn_verify_options logging_to(journal *l)
{
    cnn_verify_options options;
    cnn_verify_options_init(&options);
    options.bad_file = note_bad;
    options.progress = note_progress;
    options.bad_file_user = options.progress_user = l;
    return options;
}

static void write_truncated(const char *name)
{
    size_t size;
    char *bytes = read_fixture("first.jpg", &size);
    write_file(name, bytes, size * 2 / 3);
    free(bytes);
}

static void verification_reports_bad_files_in_order_and_removes_them(void **state)
{
    (void)state;
    copy_fixture("Cat/1.jpg", "first.jpg");
    write_text("Cat/2.jpg", "");
    write_truncated("Cat/3.jpg");
    write_text("Dog/1.jpg", "GIF89a and so on");
    write_png("Dog/2.jpg", 8, 8, 1, 2);
    write_text("Dog/3.png", "text");
    cnn_dataset *dataset = open_room();
    journal l = { "" };
    cnn_verify_options options = logging_to(&l);
    uint64_t bad = 0;
    assert_ok(cnn_dataset_verify(dataset, &options, &bad));
    assert_int_equal(4, bad);
    assert_int_equal(6, l.total);
    assert_int_equal(6, l.last_done);
    const char *places[] = { strstr(l.text, "Cat/2.jpg: "), strstr(l.text, "Cat/3.jpg: "),
                             strstr(l.text, "Dog/1.jpg: "), strstr(l.text, "Dog/3.png: ") };
    for (int i = 0; i < 4; i++)
        assert_non_null(places[i]);
    assert_true(places[0] == l.text && places[0] < places[1] && places[1] < places[2] && places[2] < places[3]);
    assert_non_null(strstr(places[2], "GIF"));
    assert_int_equal(2, cnn_dataset_count(dataset));
    assert_true(contains(dataset, in_room("Cat/1.jpg")) && contains(dataset, in_room("Dog/2.jpg")));
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad));
    assert_int_equal(0, bad);
    cnn_dataset_destroy(dataset);
}

static void duplicates_and_misnamed_files_are_reported_and_stay(void **state)
{
    (void)state;
    copy_fixture("Cat/1.jpg", "first.jpg");
    copy_fixture("Cat/2.png", "second.jpg");
    copy_fixture("Dog/1.jpg", "first.jpg");
    write_png("Dog/2.gif", 8, 8, 1, 2);
    write_png("Dog/3.jpeg", 8, 8, 1, 3);
    write_png("Dog/4.heif", 8, 8, 1, 4);
    cnn_dataset *dataset = open_room();
    journal l = { "" };
    cnn_verify_options options = logging_to(&l);
    options.find_duplicates = 1;
    uint64_t bad = 1;
    assert_ok(cnn_dataset_verify(dataset, &options, &bad));
    assert_int_equal(0, bad);
    assert_int_equal(6, cnn_dataset_count(dataset));
    char expected[2000];
    snprintf(expected, sizeof expected,
             "Cat/2.png: is a JPEG image, though its name says otherwise\n"
             "Dog/1.jpg: has the same content as %s, and another label: Cat there, Dog here; one of them is wrong\n"
             "Dog/2.gif: is a PNG image, though its name says otherwise\n"
             "Dog/3.jpeg: is a PNG image, though its name says otherwise\n"
             "Dog/4.heif: is a PNG image, though its name says otherwise\n",
             in_room("Cat/1.jpg"));
    assert_string_equal(expected, l.text);
    cnn_dataset_destroy(dataset);
}

/* In all parts of what lies in the room. */
static void look_for_duplicates(journal *l)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = CNN_PART_ALL;
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    cnn_verify_options verify = logging_to(l);
    verify.find_duplicates = 1;
    assert_ok(cnn_dataset_verify(dataset, &verify, NULL));
    cnn_dataset_destroy(dataset);
}

static void equal_files_are_said_to_be_what_they_are(void **state)
{
    (void)state;
    copy_fixture("train/Cat/1.jpg", "first.jpg");
    copy_fixture("train/Cat/2.jpg", "first.jpg");
    copy_fixture("train/Dog/1.jpg", "second.jpg");
    copy_fixture("test/Cat/3.jpg", "second.jpg");
    copy_fixture("test/Dog/4.jpg", "second.jpg");
    journal l = { "" };
    look_for_duplicates(&l);
    char expected[3000];
    snprintf(
        expected, sizeof expected,
        "test/Dog/4.jpg: has the same content as %s, and another label: Cat there, Dog here; one of them is wrong\n"
        "train/Cat/2.jpg: has the same content as %s\n"
        "train/Dog/1.jpg: has the same content as %s, and another label: Cat there, Dog here; one of them is wrong\n",
        in_room("test/Cat/3.jpg"), in_room("train/Cat/1.jpg"), in_room("test/Cat/3.jpg"));
    assert_string_equal(expected, l.text);
}

static void a_photograph_in_two_parts_is_a_leak(void **state)
{
    (void)state;
    copy_fixture("train/Cat/1.jpg", "first.jpg");
    copy_fixture("train/Dog/1.jpg", "second.jpg");
    copy_fixture("test/Dog/2.jpg", "second.jpg");
    journal l = { "" };
    look_for_duplicates(&l);
    assert_non_null(strstr(l.text, "train/Dog/1.jpg: has the same content as "));
    assert_non_null(strstr(l.text, " in the test part: what is in the training part must not be in another"));
}

typedef struct pairs {
    uint64_t list[10][2];
    int count, most;
} pairs;

static int note_pair(uint64_t index, uint64_t equal, void *user)
{
    pairs *p = user;
    p->list[p->count][0] = index;
    p->list[p->count++][1] = equal;
    return p->count == p->most;
}

static void duplicates_are_found_within_and_between_datasets(void **state)
{
    (void)state;
    static const char *const names[] = { "a/1.png", "a/2.png", "a/3.png", "b/4.png", "b/5.png", "b/6.txt.png" };
    for (int i = 0; i < 6; i++)
        write_png(names[i], 8, 8, (uint8_t)(i % 3), 7);
    write_text("b/6.txt.png", "");
    cnn_dataset *dataset = open_room(), *copy = open_room();
    for (int verified = 0; verified < 2; verified++) {
        pairs within = { .most = 10 }, between = { .most = 3 };
        assert_ok(cnn_dataset_find_duplicates(dataset, dataset, note_pair, &within));
        assert_int_equal(2, within.count);
        for (uint64_t i = 0; i < 2; i++) {
            assert_int_equal(3 + i, within.list[i][0]);
            assert_int_equal(i, within.list[i][1]);
        }
        assert_ok(cnn_dataset_find_duplicates(copy, dataset, note_pair, &between));
        assert_int_equal(3, between.count);
        assert_int_equal(2, between.list[2][1]);
        if (!verified)
            assert_ok(cnn_dataset_verify(dataset, NULL, NULL));
    }
    cnn_dataset_destroy(copy);
    cnn_dataset_destroy(dataset);
}

static void pixels_that_no_file_explains_have_a_limit(void **state)
{
    (void)state;
    write_png("a/1.png", 1000, 1000, 1, 1);
    write_png("b/1.png", 1000, 1000, 2, 2);
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    cnn_dataset *dataset = open_room();
    assert_ok(cnn_dataset_verify(dataset, NULL, NULL));
    cnn_dataset_destroy(dataset);
    options.max_decoded_bytes = 1000;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    assert_status(CNN_ERROR_LIMIT, cnn_dataset_verify(dataset, NULL, NULL));
    assert_non_null(strstr(cnn_last_error(), "cnn_dataset_options.max_decoded_bytes raises the limit of 1000 bytes"));
    assert_non_null(strstr(cnn_last_error(), in_room("a/1.png"))); /* the worst of them */
    cnn_dataset_destroy(dataset);
}

/* A PNG that is cut off, of any size by its head. */
static void write_png_claiming(const char *name, uint32_t width, uint32_t height)
{
    unsigned char png[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\0\x08\x02\0\0\0\0\0\0\0"
                          "\0\0\0\x0cIDAT\x78\x9c\x63\x60\x60\x60\0\0\0\x04\0\x01\0\0\0\0";
    for (int i = 0; i < 4; i++) {
        png[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        png[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    uint32_t crc = UINT32_MAX;
    for (int i = 12; i < 29; i++) {
        crc ^= png[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    for (int i = 0; i < 4; i++)
        png[29 + i] = (unsigned char)(~crc >> (24 - 8 * i));
    write_file(name, png, sizeof png - 1);
}

static void images_that_are_refused_by_their_heads_are_bad_and_uncounted(void **state)
{
    (void)state;
    write_png("a/1.png", 8, 8, 1, 1);
    write_png("b/1.png", 8, 8, 2, 2);
    write_png_claiming("a/side.png", 2147483647, 2147483647);
    write_png_claiming("a/pixels.png", 60000, 60000);
    write_png_claiming("a/short.png", 10000, 10000);
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.max_decoded_bytes = 1000;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    uint64_t bad = 0;
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad));
    assert_int_equal(3, bad);
    assert_int_equal(2, cnn_dataset_count(dataset));
    cnn_dataset_destroy(dataset);
}

/* A JPEG that ends after a few rows, of a height that its head makes up, in a file of this size. */
static void write_jpeg_claiming(const char *name, uint32_t height, size_t size)
{
    size_t real;
    unsigned char *bytes = read_fixture("first.jpg", &real), *padded = calloc(1, size);
    assert_non_null(padded);
    assert_true(real < size);
    memcpy(padded, bytes, real);
    for (size_t i = 0; i + 9 < real; i++)
        if (bytes[i] == 0xFF && bytes[i + 1] == 0xC0) {
            padded[i + 5] = (unsigned char)(height >> 8);
            padded[i + 6] = (unsigned char)height;
        }
    write_file(name, padded, size);
    free(padded);
    free(bytes);
}

static void of_a_broken_image_that_counts_which_was_decoded(void **state)
{
    (void)state;
    write_png("a/1.png", 8, 8, 1, 1);
    write_png("b/1.png", 8, 8, 2, 2);
    for (int i = 2; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "a/%d.jpg", i);
        write_jpeg_claiming(name, 60000, 20000);
    }
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.max_decoded_bytes = 1000;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &options, &dataset));
    uint64_t bad = 0;
    assert_ok(cnn_dataset_verify(dataset, NULL, &bad));
    assert_int_equal(18, bad);
    assert_int_equal(2, cnn_dataset_count(dataset));
    cnn_dataset_destroy(dataset);
}

static void files_beyond_the_size_limit_are_bad(void **state)
{
    (void)state;
    copy_fixture("Cat/1.jpg", "first.jpg");
    copy_fixture("Dog/1.jpg", "second.jpg");
    char *large = calloc(1, 2000);
    write_file("Dog/2.jpg", large, 2000);
    free(large);
    cnn_dataset_options open_options;
    cnn_dataset_options_init(&open_options);
    open_options.max_file_bytes = 1500;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room(""), &open_options, &dataset));
    journal l = { "" };
    cnn_verify_options options = logging_to(&l);
    uint64_t bad;
    assert_ok(cnn_dataset_verify(dataset, &options, &bad));
    assert_string_equal("Dog/2.jpg: is 2000 bytes; the limit is 1500: make it smaller\n", l.text);
    cnn_dataset_destroy(dataset);
}

static void a_class_without_a_usable_image_is_an_error(void **state)
{
    (void)state;
    copy_fixture("Cat/1.jpg", "first.jpg");
    write_text("Dog/1.jpg", "");
    cnn_dataset *dataset = open_room();
    assert_status(CNN_ERROR_DATA, cnn_dataset_verify(dataset, NULL, NULL));
    assert_non_null(strstr(cnn_last_error(), "class \"Dog\""));
    cnn_dataset_destroy(dataset);
}

static void verification_stops_when_asked(void **state)
{
    (void)state;
    copy_fixture("Cat/1.jpg", "first.jpg");
    copy_fixture("Dog/1.jpg", "first.jpg");
    cnn_dataset *dataset = open_room();
    journal l = { .stop = 1 };
    cnn_verify_options options = logging_to(&l);
    assert_status(CNN_ERROR_STOPPED, cnn_dataset_verify(dataset, &options, NULL));
    assert_int_equal(2, cnn_dataset_count(dataset));
    cnn_dataset_destroy(dataset);
}

static void a_zip_needs_a_build_with_libarchive(void **state)
{
    (void)state;
    if (READS_ZIP)
        skip();
    cnn_dataset *dataset;
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_dataset_open(NULL, fixture("deflated.zip"), NULL, &dataset));
}

static void images_are_decoded_from_a_zip(void **state)
{
    (void)state;
    if (!READS_ZIP)
        skip();
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, fixture("deflated.zip"), NULL, &dataset));
    assert_ok(cnn_dataset_verify(dataset, NULL, NULL));
    cnn_tensor *pixels;
    assert_ok(cnn_dataset_decode(dataset, 1, NULL, &pixels));
    assert_int_equal(48, cnn_tensor_dim(pixels, 0));
    assert_int_equal(40, cnn_tensor_dim(pixels, 1));
    cnn_tensor_destroy(pixels);
    assert_status(CNN_ERROR_ARGUMENT, cnn_dataset_decode(dataset, 99, NULL, &pixels));
    cnn_dataset_destroy(dataset);
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(a_split_takes_the_fraction_of_each_class_and_loses_nothing),
        in_a_room(a_split_depends_on_the_seed_alone),
        in_a_room(the_smallest_split_leaves_an_image_of_each_class_on_both_sides),
        in_a_room(impossible_splits_are_refused),
        in_a_room(classes_take_the_order_of_a_model),
        in_a_room(verification_reports_bad_files_in_order_and_removes_them),
        in_a_room(duplicates_and_misnamed_files_are_reported_and_stay),
        in_a_room(equal_files_are_said_to_be_what_they_are),
        in_a_room(a_photograph_in_two_parts_is_a_leak),
        in_a_room(duplicates_are_found_within_and_between_datasets),
        in_a_room(pixels_that_no_file_explains_have_a_limit),
        in_a_room(images_that_are_refused_by_their_heads_are_bad_and_uncounted),
        in_a_room(of_a_broken_image_that_counts_which_was_decoded),
        in_a_room(files_beyond_the_size_limit_are_bad),
        in_a_room(a_class_without_a_usable_image_is_an_error),
        in_a_room(verification_stops_when_asked),
        cmocka_unit_test(a_zip_needs_a_build_with_libarchive),
        cmocka_unit_test(images_are_decoded_from_a_zip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
