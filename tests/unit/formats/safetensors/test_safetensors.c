#include "../../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../scratch.h"
#include "core/file.h"
#include "core/memory.h"
#include "formats/safetensors/safetensors.h"

static const float weights[16] = { 1, -2, 3.5f, 0, 1e-30f, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint8_t bytes[3] = { 7, 8, 255 };
static const int64_t step = -5;

static const cnn_safetensors_array arrays[] = {
    { "odd", CNN_UINT8, 1, { 3 }, bytes, 3 },
    { "conv2d_1.weight", CNN_FLOAT32, 2, { 4, 4 }, weights, 64 },
    { "step", CNN_INT64, 0, { 0 }, &step, 8 },
    { "none", CNN_FLOAT32, 2, { 0, 5 }, NULL, 0 },
};
enum { ARRAY_COUNT = sizeof arrays / sizeof *arrays };

static const cnn_safetensors_metadata notes[] = { { "format", "cnn" }, { "text", "na\xC3\xAFve \"quoted\"\n" } };

static void write_sample(const char *path)
{
    assert_ok(cnn_safetensors_write(NULL, path, arrays, ARRAY_COUNT, notes, 2));
}

static void what_is_written_is_read_again(void **state)
{
    const char *path = scratch_path(*state, "round.safetensors");
    write_sample(path);
    cnn_safetensors *file;
    assert_ok(cnn_safetensors_open(NULL, path, &file));
    assert_int_equal(ARRAY_COUNT, cnn_safetensors_count(file));
    for (int i = 0; i < ARRAY_COUNT; i++) {
        const cnn_safetensors_array *array = cnn_safetensors_find(file, arrays[i].name);
        assert_non_null(array);
        assert_int_equal(arrays[i].dtype, array->dtype);
        assert_int_equal(arrays[i].rank, array->rank);
        assert_memory_equal(arrays[i].dims, array->dims, sizeof array->dims);
        assert_int_equal(arrays[i].bytes, array->bytes);
        if (array->bytes)
            assert_memory_equal(arrays[i].data, array->data, array->bytes);
    }
    assert_string_equal("conv2d_1.weight", cnn_safetensors_array_at(file, 0)->name);
    assert_null(cnn_safetensors_array_at(file, ARRAY_COUNT));
    assert_null(cnn_safetensors_find(file, "absent"));
    assert_int_equal(2, cnn_safetensors_metadata_count(file));
    assert_string_equal("format", cnn_safetensors_metadata_at(file, 0)->key);
    assert_string_equal(notes[1].text, cnn_safetensors_metadata_text(file, "text"));
    assert_null(cnn_safetensors_metadata_text(file, "absent"));
    cnn_safetensors_close(file);
}

static void arrays_of_whole_cache_lines_are_aligned_and_the_rest_to_their_elements(void **state)
{
    const char *path = scratch_path(*state, "aligned.safetensors");
    write_sample(path);
    cnn_safetensors *file;
    assert_ok(cnn_safetensors_open(NULL, path, &file));
    assert_int_equal(0, (uintptr_t)cnn_safetensors_find(file, "conv2d_1.weight")->data % 64);
    assert_int_equal(0, (uintptr_t)cnn_safetensors_find(file, "step")->data % 8);
    cnn_safetensors_close(file);
}

static void the_same_arguments_give_the_same_bytes(void **state)
{
    void *first, *second;
    size_t first_size, second_size;
    const char *path = scratch_path(*state, "same.safetensors");
    write_sample(path);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &first, &first_size));
    write_sample(path);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &second, &second_size));
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    cnn_release(NULL, first);
    cnn_release(NULL, second);
}

static void numbers_in_a_file_are_little_endian_on_every_processor(void **state)
{
    /* the sample's, as they lie in its file: weights, step, odd */
    static const unsigned char two[4] = { 0x00, 0x00, 0x00, 0xC0 },
                               five[8] = { 0xFB, 255, 255, 255, 255, 255, 255, 255 };
    const char *path = scratch_path(*state, "order.safetensors");
    void *image;
    size_t size;
    write_sample(path);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &image, &size));
    const unsigned char *data = (const unsigned char *)image + size - sizeof weights - sizeof step - sizeof bytes;
    assert_memory_equal(two, data + 4, sizeof two);
    assert_memory_equal(five, data + sizeof weights, sizeof five);
    assert_memory_equal(bytes, data + sizeof weights + sizeof step, sizeof bytes);
    cnn_release(NULL, image);
}

static void impossible_arrays_are_not_written(void **state)
{
    const char *path = scratch_path(*state, "never.safetensors");
    const cnn_safetensors_array twice[] = { arrays[0], arrays[0] };
    const cnn_safetensors_array reserved = { "__metadata__", CNN_UINT8, 1, { 3 }, bytes, 3 };
    const cnn_safetensors_array shorter = { "a", CNN_UINT8, 1, { 4 }, bytes, 3 };
    const cnn_safetensors_array not_utf8 = { "\xFF", CNN_UINT8, 1, { 3 }, bytes, 3 };
    assert_status(CNN_ERROR_ARGUMENT, cnn_safetensors_write(NULL, path, twice, 2, NULL, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_safetensors_write(NULL, path, &reserved, 1, NULL, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_safetensors_write(NULL, path, &shorter, 1, NULL, 0));
    assert_status(CNN_ERROR_ARGUMENT, cnn_safetensors_write(NULL, path, &not_utf8, 1, NULL, 0));
    assert_int_equal(-1, access(path, F_OK));
}

/* Writes a file of this header and `data` zero bytes behind it, opens it, and returns the sentence. */
static const char *refusal(void **state, cnn_status expected, const char *header, size_t data)
{
    static char image[8192];
    size_t length = strlen(header);
    memset(image, 0, sizeof image);
    for (int i = 0; i < 8; i++)
        image[i] = (char)((uint64_t)length >> 8 * i);
    memcpy(image + 8, header, length);
    const char *path = scratch_path(*state, "mutated.safetensors");
    assert_ok(cnn_file_write(path, &(cnn_chunk){ image, 8 + length + data }, 1));
    cnn_safetensors *file;
    assert_status(expected, cnn_safetensors_open(NULL, path, &file));
    assert_null(file);
    assert_non_null(strstr(cnn_last_error(), "mutated.safetensors: "));
    return cnn_last_error();
}

#define ENTRY(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define assert_refused(status, header, data, word) assert_non_null(strstr(refusal(state, status, header, data), word))

static void wrong_places_are_refused(void **state)
{
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8]") "}", 4, "cut off");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8]") "}", 12, "behind the last array");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[4,12]") "}", 12, "gap of 4 bytes before array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[8,0]") "}", 8, "in order");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[-8,0]") "}", 8, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8,16]") "}", 8, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8.0]") "}", 8, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8]") ",\"b\":" ENTRY("F32", "[2]", "[4,12]") "}",
                   12, "arrays a and b overlap");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,8]") ",\"b\":" ENTRY("F32", "[2]", "[0,8]") "}",
                   8, "overlap");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,9223372036854775807]") "}", 8, "cut off");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[2]", "[0,9223372036854775808]") "}", 8, "JSON");
}

static void wrong_types_and_shapes_are_refused(void **state)
{
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[3]", "[0,8]") "}", 8, "array a: its shape and type");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[4294967296,4294967296]", "[0,8]") "}", 8, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[4294967298]", "[0,8]") "}", 8, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("U8", "[0,9223372036854775807,4]", "[0,0]") "}", 0, "array a");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[-2]", "[0,8]") "}", 8, "dimension 0");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":" ENTRY("F32", "[\"2\"]", "[0,8]") "}", 8, "dimension 0");
    assert_refused(CNN_ERROR_UNSUPPORTED, "{\"a\":" ENTRY("F64", "[1]", "[0,8]") "}", 8, "array a");
    assert_refused(CNN_ERROR_UNSUPPORTED, "{\"a\":" ENTRY("U8", "[1,1,1,1,1,1,1]", "[0,1]") "}", 1, "7 dimensions");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":{\"dtype\":3}}", 0, "its dtype is a whole number");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":{\"dtype\":\"F32\"}}", 0, "its shape is nothing");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":[]}", 0, "its entry is a list");
    assert_refused(CNN_ERROR_FORMAT, "{\"__metadata__\":[]}", 0, "metadata");
    assert_refused(CNN_ERROR_FORMAT, "{\"__metadata__\":{\"k\":1}}", 0, "metadata k is a whole number");
}

static void headers_that_are_not_sound_json_are_refused(void **state)
{
    const char *entry = "\"a\":" ENTRY("U8", "[1]", "[0,1]");
    char twice[512], deep[4096];
    snprintf(twice, sizeof twice, "{%s,%s}", entry, entry);
    assert_refused(CNN_ERROR_FORMAT, twice, 1, "duplicate");
    snprintf(deep, sizeof deep, "{\"a\":%0*d", 4000, 0);
    for (char *c = strchr(deep, '0'); *c; c++)
        *c = '[';
    assert_refused(CNN_ERROR_LIMIT, deep, 0, "nested");
    assert_refused(CNN_ERROR_FORMAT, "{\"a\":", 0, "JSON");
    assert_refused(CNN_ERROR_FORMAT, "{\"\xFF\":{}}", 0, "JSON");
    assert_refused(CNN_ERROR_FORMAT, "{} {}", 0, "JSON");
    assert_refused(CNN_ERROR_FORMAT, "[]", 0, "no safetensors file");
    assert_refused(CNN_ERROR_FORMAT, "", 0, "JSON");
}

static void a_header_of_too_many_values_is_refused(void **state)
{
    enum { LENGTH = 9000000 };
    char *image = malloc(8 + LENGTH);
    assert_non_null(image);
    for (int i = 0; i < 8; i++)
        image[i] = (char)((uint64_t)LENGTH >> 8 * i);
    memcpy(image + 8, "{\"a\":", 5);
    for (size_t i = 13; i + 3 <= 8 + LENGTH; i += 3)
        memcpy(image + i, "[],", 3);
    const char *path = scratch_path(*state, "many.safetensors");
    assert_ok(cnn_file_write(path, &(cnn_chunk){ image, 8 + LENGTH }, 1));
    cnn_safetensors *file;
    assert_status(CNN_ERROR_LIMIT, cnn_safetensors_open(NULL, path, &file));
    free(image);
}

static void huge_header_lengths_are_refused(void **state)
{
    static const uint64_t lengths[] = { 3, 4, 99999999, 100000001, UINT32_MAX, INT64_MAX, UINT64_MAX - 7, UINT64_MAX };
    const char *path = scratch_path(*state, "length.safetensors");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const cnn_chunk chunks[] = { { &lengths[i], 8 }, { "{}", 2 } };
        assert_ok(cnn_file_write(path, chunks, 2));
        cnn_safetensors *file;
        assert_status(CNN_ERROR_FORMAT, cnn_safetensors_open(NULL, path, &file));
    }
}

static void a_file_cut_off_anywhere_is_refused(void **state)
{
    const char *path = scratch_path(*state, "whole.safetensors"), *cut = scratch_path(*state, "cut.safetensors");
    void *image;
    size_t size;
    write_sample(path);
    assert_ok(cnn_file_read(NULL, path, 1 << 20, &image, &size));
    for (size_t length = 0; length < size; length++) {
        FILE *stream = fopen(cut, "wb");
        assert_int_equal(length, fwrite(image, 1, length, stream));
        fclose(stream);
        cnn_safetensors *file;
        assert_status(CNN_ERROR_FORMAT, cnn_safetensors_open(NULL, cut, &file));
    }
    cnn_release(NULL, image);
}

static void a_file_that_is_not_there_or_none_is_an_error(void **state)
{
    cnn_safetensors *file;
    assert_status(CNN_ERROR_IO, cnn_safetensors_open(NULL, scratch_path(*state, "absent"), &file));
    assert_non_null(strstr(cnn_last_error(), "absent: can't be opened"));
    assert_status(CNN_ERROR_IO, cnn_safetensors_open(NULL, *state, &file));
    const char *pipe = scratch_path(*state, "pipe");
    assert_int_equal(0, mkfifo(pipe, 0600));
    assert_status(CNN_ERROR_IO, cnn_safetensors_open(NULL, pipe, &file));
}

static void no_memory_is_an_error_without_a_leak(void **state)
{
    const char *path = scratch_path(*state, "memory.safetensors");
    write_sample(path);
    scratch_memory memory = { 0 };
    cnn_context *context = scratch_context(&memory);
    cnn_safetensors *file;
    cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        status = cnn_safetensors_open(context, path, &file);
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        if (!status)
            cnn_safetensors_close(file);
        assert_int_equal(0, memory.held);
    }
    assert_true(memory.allowed > 3);
    status = CNN_ERROR_OUT_OF_MEMORY;
    for (memory.allowed = 0; status; memory.allowed++) {
        memory.taken = 0;
        status = cnn_safetensors_write(context, path, arrays, ARRAY_COUNT, notes, 2);
        assert_true(!status || status == CNN_ERROR_OUT_OF_MEMORY);
        assert_int_equal(0, memory.held);
    }
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(arrays_of_whole_cache_lines_are_aligned_and_the_rest_to_their_elements),
        cmocka_unit_test(the_same_arguments_give_the_same_bytes),
        cmocka_unit_test(numbers_in_a_file_are_little_endian_on_every_processor),
        cmocka_unit_test(impossible_arrays_are_not_written),
        cmocka_unit_test(wrong_places_are_refused),
        cmocka_unit_test(wrong_types_and_shapes_are_refused),
        cmocka_unit_test(headers_that_are_not_sound_json_are_refused),
        cmocka_unit_test(a_header_of_too_many_values_is_refused),
        cmocka_unit_test(huge_header_lengths_are_refused),
        cmocka_unit_test(a_file_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_or_none_is_an_error),
        cmocka_unit_test(no_memory_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
