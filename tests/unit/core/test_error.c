/* The sentence of an error, however long what it names is. */
#include "../test.h"

#include <stdio.h>
#include <string.h>

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

static void bytes_that_are_no_text_are_cut_too(void **state)
{
    (void)state;
    for (size_t bytes = 900; bytes < LONG; bytes += 401) {
        (void)cnn_fail(CNN_ERROR_IO, "%s: can't be opened", path_of("\x80", 1, bytes));
        assert_in_range(strlen(cnn_last_error()), 900, 1023);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_sentence_keeps_whole_characters_of_its_begin_and_end),
        cmocka_unit_test(bytes_that_are_no_text_are_cut_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
