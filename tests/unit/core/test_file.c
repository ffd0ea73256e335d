#include "../test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"

static char folder[] = "/tmp/cnn_file_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails if a partial file was left behind */
}

static void assert_content(const char *expected)
{
    void *bytes;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, 1000, &bytes, &size));
    assert_int_equal(strlen(expected), size);
    assert_string_equal(expected, bytes);
    cnn_release(NULL, bytes);
}

static void chunks_are_written_one_after_the_other(void **state)
{
    (void)state;
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "abc", 3 }, { "", 0 }, { "de", 2 } }, 3));
    assert_content("abcde");
}

static void a_disk_that_is_full_leaves_the_older_file(void **state)
{
    (void)state;
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "old", 3 } }, 1));
    struct rlimit before, small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char large[1000] = "new";
    cnn_status status = cnn_file_write(path, (cnn_chunk[]){ { large, sizeof large } }, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_status(CNN_ERROR_IO, status);
    assert_non_null(strstr(cnn_last_error(), path));
    assert_content("old");
}

static void a_file_over_the_limit_is_refused(void **state)
{
    (void)state;
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "12345", 5 } }, 1));
    void *bytes;
    size_t size;
    assert_status(CNN_ERROR_LIMIT, cnn_file_read(NULL, path, 4, &bytes, &size));
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    void *bytes;
    size_t size;
    assert_status(CNN_ERROR_IO, cnn_file_read(NULL, folder, 1000, &bytes, &size));
    assert_status(CNN_ERROR_IO, cnn_file_read(NULL, "/dev/zero", 1000, &bytes, &size));
    assert_status(CNN_ERROR_IO, cnn_file_read(NULL, "/nowhere/at/all", 1000, &bytes, &size));
    assert_string_equal("/nowhere/at/all: can't be opened: No such file or directory", cnn_last_error());
}

static void a_folder_that_is_not_there_can_not_be_written_to(void **state)
{
    (void)state;
    assert_status(CNN_ERROR_IO, cnn_file_write("/nowhere/at/all", (cnn_chunk[]){ { "a", 1 } }, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_written_one_after_the_other),
        cmocka_unit_test(a_disk_that_is_full_leaves_the_older_file),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_can_not_be_written_to),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
