/* The sentence of an error, however long what it names is. */
#include "../test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cnn/cnn.h>

#include "core/error.h"
#include "data/utf8.h"

enum { LONG = 9000 };

/* A path of `bytes` bytes: `first` letters of one byte, then characters. */
static const char *path_of(const char *character, size_t first, size_t bytes)
{
    static char path[LONG];
    size_t size = strlen(character), used = first;
    memset(path, 'a', first);
    for (; used + size <= bytes; used += size)
        memcpy(path + used, character, size);
    path[used] = 0;
    return path;
}

static void a_long_sentence_keeps_whole_characters_of_its_begin_and_end(void **state)
{
    (void)state;
    static const char *const characters[] = { "a", "\xC3\xA9", "\xE7\x8C\xAB", "\xF0\x9F\x90\xB1" };
    for (size_t c = 0; c < sizeof characters / sizeof *characters; c++)
        for (size_t first = 1; first < 9; first++)
            for (size_t bytes = 990; bytes < LONG; bytes += bytes < 1050 ? 1 : 797) {
                (void)cnn_fail(CNN_ERROR_IO, "%s: can't be opened", path_of(characters[c], first, bytes));
                const char *sentence = cnn_last_error();
                assert_true(strlen(sentence) < 1024);
                assert_true(cnn_is_utf8(sentence, strlen(sentence)));
                assert_memory_equal(sentence, path_of(characters[c], first, bytes), 400);
                if (bytes < 8000)
                    assert_non_null(strstr(sentence, ": can't be opened"));
            }
}

static void what_a_sentence_quotes_is_whole_characters(void **state)
{
    (void)state;
    char text[LONG + 16];
    cnn_graph *graph = NULL;
    cnn_augment augment;
    for (size_t first = 1; first < 4; first++) {
        snprintf(text, sizeof text, "{\"%s\": 1}", path_of("\xE7\x8C\xAB", first, 90));
        assert_status(CNN_ERROR_FORMAT, cnn_graph_from_json(NULL, text, strlen(text), &graph));
        assert_true(cnn_is_utf8(cnn_last_error(), strlen(cnn_last_error())));
        assert_non_null(strstr(cnn_last_error(), "is not known"));
        cnn_augment_init(&augment);
        assert_status(CNN_ERROR_ARGUMENT, cnn_augment_parse(path_of("\xE7\x8C\xAB", first, 90), &augment));
        assert_true(cnn_is_utf8(cnn_last_error(), strlen(cnn_last_error())));
        assert_int_equal(cnn_quoted(path_of("\xE7\x8C\xAB", first, 90), 60), first + (60 - first) / 3 * 3);
    }
    assert_int_equal(cnn_quoted("abc", 3), 3);
    assert_int_equal(cnn_quoted("abc", 2), 2);
}

static void bytes_that_are_no_text_are_cut_too(void **state)
{
    (void)state;
    for (size_t bytes = 900; bytes < LONG; bytes += 401) {
        (void)cnn_fail(CNN_ERROR_IO, "%s: can't be opened", path_of("\x80", 1, bytes));
        assert_in_range(strlen(cnn_last_error()), 900, 1023);
    }
}

static cnn_status fail_for(int reason)
{
    errno = reason;
    return cnn_fail_errno("a.jpg", "can't be opened");
}

static void what_the_system_lacks_is_no_fault_of_the_file(void **state)
{
    (void)state;
    assert_status(CNN_ERROR_OUT_OF_MEMORY, fail_for(ENOMEM));
    assert_false(cnn_lacked_files());
    for (int i = 0; i < 2; i++) {
        assert_status(CNN_ERROR_IO, fail_for(i ? ENFILE : EMFILE));
        assert_true(cnn_lacked_files());
        assert_non_null(strstr(cnn_last_error(), "ulimit -n"));
    }
    assert_status(CNN_ERROR_IO, fail_for(EIO));
    assert_false(cnn_lacked_files());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_sentence_keeps_whole_characters_of_its_begin_and_end),
        cmocka_unit_test(what_a_sentence_quotes_is_whole_characters),
        cmocka_unit_test(bytes_that_are_no_text_are_cut_too),
        cmocka_unit_test(what_the_system_lacks_is_no_fault_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
