#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "files.h"

static const char payload[] = "not an image, but bytes that come back";

static zip_entry sound(const char *name)
{
    return (zip_entry){ .name = name, .bytes = payload, .size = sizeof payload };
}

static cnn_dataset *open_zip(const zip_entry *entries, size_t count)
{
    write_zip("test.zip", entries, count);
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room("test.zip"), NULL, &dataset));
    return dataset;
}

static void expect_error(cnn_status status, const char *words)
{
    cnn_dataset *dataset = NULL;
    assert_status(status, cnn_dataset_open(NULL, in_room("test.zip"), NULL, &dataset));
    assert_null(dataset);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", cnn_last_error(), words);
}

static void expect_unreadable(const cnn_dataset *dataset, uint64_t index, cnn_status status, const char *words)
{
    void *bytes;
    size_t size;
    assert_status(status, cnn_dataset_read(dataset, index, &bytes, &size));
    assert_null(bytes);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", cnn_last_error(), words);
}

/* Whatever its files claim to unpack to. */
static cnn_dataset *open_unlimited(void)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.max_unpacked_bytes = UINT64_MAX;
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room("test.zip"), &options, &dataset));
    return dataset;
}

static void stored_entries_are_read_in_any_order(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("b/1.jpg"), sound("a/1.jpg"), sound("a/2.jpg") };
    entries[0].bytes = "first";
    entries[0].size = 5;
    cnn_dataset *dataset = open_zip(entries, 3);
    void *bytes;
    size_t size;
    for (uint64_t i = 3; i-- > 0;) {
        assert_ok(cnn_dataset_read(dataset, i, &bytes, &size));
        assert_int_equal(i == 2 ? 5 : sizeof payload, size);
        assert_memory_equal(i == 2 ? "first" : payload, bytes, size);
        cnn_bytes_free(bytes);
    }
    cnn_dataset_destroy(dataset);
}

static void deflated_entries_give_their_files(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, fixture("deflated.zip"), NULL, &dataset));
    assert_int_equal(4, cnn_dataset_count(dataset));
    assert_string_equal("Cat", cnn_dataset_class_name(dataset, 0));
    static const char *const files[] = { "first.jpg", "second.jpg", "second.jpg", "first.jpg" };
    for (uint64_t i = 0; i < 4; i++) {
        size_t size, expected_size;
        void *bytes, *expected = read_fixture(files[i], &expected_size);
        assert_ok(cnn_dataset_read(dataset, i, &bytes, &size));
        assert_int_equal(expected_size, size);
        assert_memory_equal(expected, bytes, size);
        cnn_bytes_free(bytes);
        free(expected);
    }
    cnn_dataset_destroy(dataset);
}

static void encrypted_entries_are_refused_by_name(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    assert_status(CNN_ERROR_UNSUPPORTED, cnn_dataset_open(NULL, fixture("encrypted.zip"), NULL, &dataset));
    assert_non_null(strstr(cnn_last_error(), "encrypted.zip!/Cat/1.jpg: is encrypted"));
}

static void paths_that_leave_the_zip_links_and_devices_are_passed_over(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("Cat/1.jpg"),
                            sound("Dog/1.jpg"),
                            sound("../Bird/1.jpg"),
                            sound("Fish/../../1.jpg"),
                            sound("/etc/Owl/1.jpg"),
                            sound("C:/Cow/1.jpg"),
                            sound("..\\Windows\\1.jpg"),
                            sound("Link/1.jpg"),
                            sound("Device/1.jpg"),
                            sound("Two//slashes.jpg"),
                            sound("") };
    entries[7].unix_mode = 0120777;
    entries[8].unix_mode = 0060666;
    cnn_dataset *dataset = open_zip(entries, sizeof entries / sizeof *entries);
    assert_int_equal(2, cnn_dataset_count(dataset));
    assert_int_equal(2, cnn_dataset_class_count(dataset));
    cnn_dataset_destroy(dataset);
}

static void a_zip_of_names_that_leave_it_says_so(void **state)
{
    (void)state;
    static const char *const names[] = { "/A/1.jpg", "../A/1.jpg", "C:/A/1.jpg" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const zip_entry entry = sound(names[i]);
        char words[100];
        snprintf(words, sizeof words, "lead out of the zip, as %s, and are refused", names[i]);
        write_zip("test.zip", &entry, 1);
        expect_error(CNN_ERROR_DATA, words);
    }
}

static void a_program_may_stand_before_a_zip(void **state)
{
    (void)state;
    static const char program[] = "#!/bin/sh\necho I unpack what is behind me\n";
    const zip_entry entries[] = { sound("a/1.jpg"), sound("b/1.jpg") };
    cnn_dataset_destroy(open_zip(entries, 2));
    FILE *file = fopen(in_room("test.zip"), "rb");
    assert_non_null(file);
    char both[4000];
    memcpy(both, program, sizeof program);
    size_t size = sizeof program + fread(both + sizeof program, 1, sizeof both - sizeof program, file);
    fclose(file);
    write_file("test.zip", both, size);
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room("test.zip"), NULL, &dataset));
    for (uint64_t i = 0; i < 2; i++) {
        void *bytes;
        assert_ok(cnn_dataset_read(dataset, i, &bytes, &size));
        assert_int_equal(sizeof payload, size);
        assert_memory_equal(payload, bytes, size);
        cnn_bytes_free(bytes);
    }
    cnn_dataset_destroy(dataset);
}

static void backslashes_separate_folders(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("Pets\\Cat\\1.jpg"), sound("Pets\\Dog\\1.jpg") };
    cnn_dataset *dataset = open_zip(entries, 2);
    assert_string_equal("Dog", cnn_dataset_class_name(dataset, 1));
    cnn_dataset_destroy(dataset);
}

static void sizes_are_claims_that_reading_checks(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("a/1.jpg"), sound("a/2.jpg"), sound("a/3.jpg"), sound("b/1.jpg"), sound("b/2.jpg") };
    entries[0].claimed_size = 10;         /* stored, and yet of two sizes */
    entries[1].claimed_size = 2000;       /* less data than claimed */
    entries[2].claimed_size = 0xFFFFFFF0; /* beyond the limit */
    entries[3].crc = 1;
    entries[4].claimed_packed_size = 0x40000000; /* beyond the limit and the file */
    write_zip("test.zip", entries, 5);
    cnn_dataset *dataset = open_unlimited();
    expect_unreadable(dataset, 0, CNN_ERROR_FORMAT, "test.zip!/a/1.jpg: can't be unpacked");
    expect_unreadable(dataset, 1, CNN_ERROR_FORMAT, "test.zip!/a/2.jpg: can't be unpacked");
    expect_unreadable(dataset, 2, CNN_ERROR_LIMIT, "the limit is");
    expect_unreadable(dataset, 3, CNN_ERROR_FORMAT, "CRC");
    expect_unreadable(dataset, 4, CNN_ERROR_LIMIT, "the limit is");
    cnn_dataset_destroy(dataset);
}

/* 1 MiB of zeros, deflated to about 1 KiB: claims to be 100 bytes. */
static void a_bomb_stops_at_the_size_it_claims(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bomb = read_fixture("zeros.deflate", &size);
    zip_entry entries[] = { sound("a/1.jpg"), sound("b/1.jpg"), sound("b/2.jpg") };
    for (int i = 1; i < 3; i++) {
        entries[i].bytes = bomb;
        entries[i].size = size;
        entries[i].claimed_packed_size = (uint32_t)size;
        entries[i].method = 8;
        entries[i].claimed_size = i == 1 ? 100 : 1 << 20;
    }
    write_zip("test.zip", entries, 3);
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.max_file_bytes = 1 << 19;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room("test.zip"), &options, &dataset));
    expect_unreadable(dataset, 1, CNN_ERROR_FORMAT, "can't be unpacked");
    expect_unreadable(dataset, 2, CNN_ERROR_LIMIT, "is 1048576 bytes; the limit is 524288: make it smaller");
    cnn_dataset_destroy(dataset);
    free(bomb);
}

static void entries_that_lie_elsewhere_are_refused(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("a/1.jpg"), sound("b/1.jpg"), sound("b/2.jpg"), sound("b/3.jpg") };
    entries[1].claimed_offset = 310; /* in the directory */
    entries[2].claimed_offset = 0x7FFFFFFF;
    entries[3].method = 77;
    cnn_dataset *dataset = open_zip(entries, 4);
    expect_unreadable(dataset, 1, CNN_ERROR_FORMAT, "not where the directory says");
    expect_unreadable(dataset, 2, CNN_ERROR_FORMAT, "ends too early");
    expect_unreadable(dataset, 3, CNN_ERROR_FORMAT, "can't be unpacked");
    cnn_dataset_destroy(dataset);
}

static void a_zip_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_fixture("deflated.zip", &size);
    for (size_t cut = 4; cut < size; cut += cut < size - 100 ? 37 : 1) {
        write_file("test.zip", bytes, cut);
        expect_error(CNN_ERROR_FORMAT, "is a broken zip file");
    }
    free(bytes);
}

/* Any error will do; memory checkers watch. */
static void a_directory_with_any_byte_changed_is_survived(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_fixture("deflated.zip", &size);
    for (size_t i = size - 700; i < size; i++) {
        unsigned char kept = bytes[i];
        bytes[i] = (unsigned char)(kept ^ (i & 1 ? 0xFF : 0x41));
        write_file("test.zip", bytes, size);
        bytes[i] = kept;
        cnn_dataset *dataset;
        if (cnn_dataset_open(NULL, in_room("test.zip"), NULL, &dataset)) {
            assert_true(*cnn_last_error());
            continue;
        }
        for (uint64_t k = 0; k < cnn_dataset_count(dataset); k++) {
            void *data;
            size_t data_size;
            if (!cnn_dataset_read(dataset, k, &data, &data_size))
                cnn_bytes_free(data);
        }
        cnn_dataset_destroy(dataset);
    }
    free(bytes);
}

static void an_empty_zip_has_no_images(void **state)
{
    (void)state;
    write_zip("test.zip", NULL, 0);
    expect_error(CNN_ERROR_DATA, "there are no images in it");
}

static void a_comment_may_follow_the_directory(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_fixture("deflated.zip", &size);
    unsigned char *longer = calloc(1, size + 300);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    longer[size - 2] = 300 & 0xFF;
    longer[size - 1] = 300 >> 8;
    write_file("test.zip", longer, size + 300);
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room("test.zip"), NULL, &dataset));
    assert_int_equal(4, cnn_dataset_count(dataset));
    cnn_dataset_destroy(dataset);
    free(longer);
    free(bytes);
}

static void zip64_directories_are_read(void **state)
{
    (void)state;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, fixture("zip64.zip"), NULL, &dataset));
    assert_int_equal(2, cnn_dataset_count(dataset));
    void *bytes;
    size_t size;
    assert_ok(cnn_dataset_read(dataset, 1, &bytes, &size));
    assert_int_equal(9, size);
    assert_memory_equal("dog bytes", bytes, 9);
    cnn_bytes_free(bytes);
    cnn_dataset_destroy(dataset);
}

static void names_may_begin_with_a_dot_and_a_slash(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("./"), sound("./Cat/"), sound("./Cat/1.jpg"), sound("./Dog/./2.jpg") };
    entries[0].unix_mode = entries[1].unix_mode = 040755;
    entries[0].size = entries[1].size = 0;
    cnn_dataset *dataset = open_zip(entries, 4);
    assert_int_equal(2, cnn_dataset_count(dataset));
    char path[600];
    snprintf(path, sizeof path, "%s!/Dog/2.jpg", in_room("test.zip"));
    assert_string_equal(path, cnn_dataset_path(dataset, 1));
    cnn_dataset_destroy(dataset);
}

static void expect_class(const zip_entry *first, const char *name)
{
    zip_entry entries[] = { *first, sound("zz/1.jpg") };
    cnn_dataset *dataset = open_zip(entries, 2);
    assert_string_equal(name, cnn_dataset_class_name(dataset, strcmp(name, "zz") < 0 ? 0 : 1));
    cnn_dataset_destroy(dataset);
}

/* By the specification, names that aren't marked as UTF-8 are in code page 437; macOS writes UTF-8 without the mark. */
static void names_are_code_page_437_or_utf8(void **state)
{
    (void)state;
    zip_entry entry = sound("K\x84tze/1.jpg");
    expect_class(&entry, "Kätze");
    entry = sound("Fran\x87"
                  "ais \xE1/1.jpg");
    expect_class(&entry, "Français ß");
    entry = sound("\x80\xFF/1.jpg");
    expect_class(&entry, "Ç\xC2\xA0");
    entry = sound("Kätze/1.jpg");
    expect_class(&entry, "Kätze");
    entry.flags = 1 << 11;
    expect_class(&entry, "Kätze");
}

/* Info-ZIP's name in UTF-8 (0x7075), which counts if it was made for this name. */
static void a_unicode_path_goes_before_the_name(void **state)
{
    (void)state;
    static const char extra[] = "\x55\x54\x05\x00\x03\x00\x00\x00\x00" /* a time */
                                "\x75\x70\x10\x00\x01\x94\xD2\x95\x40"
                                "K\xC3\xA4se/1.jpg"; /* and the name */
    zip_entry entry = sound("K_se/1.jpg");
    entry.extra = extra;
    entry.extra_size = sizeof extra - 1;
    expect_class(&entry, "Käse");
    entry.name = "K-se/1.jpg";
    expect_class(&entry, "K-se");
}

static void entries_in_the_same_place_are_refused(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("a/0.jpg"), sound("a/1.jpg"), sound("b/1.jpg"), sound("b/2.jpg") };
    entries[3].claimed_offset = 30 + 7 + sizeof payload; /* that of the second */
    write_zip("test.zip", entries, 4);
    expect_error(CNN_ERROR_FORMAT, "its entries a/1.jpg and b/2.jpg lie in the same place");
    entries[3].claimed_offset += 7; /* within it */
    write_zip("test.zip", entries, 4);
    expect_error(CNN_ERROR_FORMAT, "lie in the same place");
    entries[3].claimed_offset = 0;
    entries[2].claimed_packed_size = 0x7FFFFFFF; /* over the one that follows */
    write_zip("test.zip", entries, 4);
    expect_error(CNN_ERROR_FORMAT, "its entries b/1.jpg and b/2.jpg lie in the same place");
}

static void what_a_zip_unpacks_to_has_a_limit(void **state)
{
    (void)state;
    zip_entry entries[10];
    char names[10][24];
    for (int i = 0; i < 10; i++) {
        snprintf(names[i], sizeof names[i], "%c/%d.jpg", 'a' + i % 2, i);
        entries[i] = sound(names[i]);
        entries[i].claimed_size = 60 << 20;
    }
    write_zip("test.zip", entries, 4);
    cnn_dataset *dataset = open_zip(entries, 4);
    cnn_dataset_destroy(dataset);
    write_zip("test.zip", entries, 10);
    expect_error(CNN_ERROR_LIMIT, "its 10 files would unpack to 629145600 bytes");
    assert_non_null(strstr(cnn_last_error(), "cnn_dataset_options.max_unpacked_bytes raises it"));
    cnn_dataset_destroy(open_unlimited());
}

static void a_name_that_is_there_twice_is_the_last_of_its_files(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("a/1.jpg"), sound("b/1.jpg"), sound("a/1.jpg") };
    entries[2].bytes = "newer";
    entries[2].size = 5;
    cnn_dataset *dataset = open_zip(entries, 3);
    assert_int_equal(2, cnn_dataset_count(dataset));
    void *bytes;
    size_t size;
    assert_ok(cnn_dataset_read(dataset, 0, &bytes, &size));
    assert_int_equal(5, size);
    cnn_bytes_free(bytes);
    cnn_dataset_destroy(dataset);
}

static void a_count_that_lies_is_refused(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_fixture("deflated.zip", &size);
    bytes[size - 12]++; /* of the entries, in the record at the end */
    write_file("test.zip", bytes, size);
    expect_error(CNN_ERROR_FORMAT, "entries, not the ");
    bytes[size - 12]--;
    bytes[size - 18] = 2; /* the number of this disk */
    write_file("test.zip", bytes, size);
    expect_error(CNN_ERROR_UNSUPPORTED, "is the last of 3 parts of a zip");
    free(bytes);
}

static void what_is_not_unpacked_here_is_named(void **state)
{
    (void)state;
    zip_entry entries[] = { sound("a/1.jpg"), sound("b/1.jpg") };
    static const struct {
        uint16_t method;
        const char *words;
    } methods[] = { { 9, "b/1.jpg: is compressed by Deflate64" },
                    { 14, "b/1.jpg: is compressed by LZMA" },
                    { 95, "b/1.jpg: is compressed by XZ" } };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        entries[1].method = methods[i].method;
        write_zip("test.zip", entries, 2);
        expect_error(CNN_ERROR_UNSUPPORTED, methods[i].words);
    }
    static const struct {
        const char *bytes, *words;
    } archives[] = {
        { "\x1F\x8B\x08", "is a gzip archive (tar.gz); unpack it with 'tar -xzf " },
        { "7z\xBC\xAF\x27\x1C", "is a 7-Zip archive; unpack it with '7z x " },
        { "Rar!\x1A\x07\x01", "is a RAR archive" },
        { "\xFD"
          "7zXZ",
          "is an xz archive" },
        { "\x28\xB5\x2F\xFD", "is a Zstandard archive" },
        { "BZh9", "is a bzip2 archive" },
    };
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        write_text("test.zip", archives[i].bytes);
        expect_error(CNN_ERROR_UNSUPPORTED, archives[i].words);
    }
    char tar[512] = "Cat/1.jpg";
    memcpy(tar + 257, "ustar", 6);
    write_file("test.zip", tar, sizeof tar);
    expect_error(CNN_ERROR_UNSUPPORTED, "is a tar archive; unpack it with 'tar -xf ");
}

/* Before all other tests: it stays loaded. A static build links it. */
static void libarchive_is_loaded_when_the_first_zip_is_opened(void **state)
{
    (void)state;
#ifndef CNN_LINKS_LIBARCHIVE
    assert_null(dlopen("libarchive.so.13", RTLD_NOW | RTLD_NOLOAD));
    const zip_entry entries[] = { sound("cats/1.jpg"), sound("dogs/1.jpg") };
    cnn_dataset_destroy(open_zip(entries, 2));
    void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(library);
    dlclose(library);
#endif
}

#define in_a_room(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_room(libarchive_is_loaded_when_the_first_zip_is_opened),
        in_a_room(stored_entries_are_read_in_any_order),
        cmocka_unit_test(deflated_entries_give_their_files),
        cmocka_unit_test(encrypted_entries_are_refused_by_name),
        in_a_room(paths_that_leave_the_zip_links_and_devices_are_passed_over),
        in_a_room(a_zip_of_names_that_leave_it_says_so),
        in_a_room(a_program_may_stand_before_a_zip),
        in_a_room(backslashes_separate_folders),
        in_a_room(sizes_are_claims_that_reading_checks),
        in_a_room(a_bomb_stops_at_the_size_it_claims),
        in_a_room(entries_that_lie_elsewhere_are_refused),
        in_a_room(a_zip_cut_off_anywhere_is_refused),
        in_a_room(a_directory_with_any_byte_changed_is_survived),
        in_a_room(names_may_begin_with_a_dot_and_a_slash),
        in_a_room(names_are_code_page_437_or_utf8),
        in_a_room(a_unicode_path_goes_before_the_name),
        in_a_room(entries_in_the_same_place_are_refused),
        in_a_room(what_a_zip_unpacks_to_has_a_limit),
        in_a_room(a_name_that_is_there_twice_is_the_last_of_its_files),
        in_a_room(a_count_that_lies_is_refused),
        in_a_room(what_is_not_unpacked_here_is_named),
        in_a_room(an_empty_zip_has_no_images),
        in_a_room(a_comment_may_follow_the_directory),
        cmocka_unit_test(zip64_directories_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
