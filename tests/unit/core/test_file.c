#include "../test.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static int count_files(void)
{
    int count = 0;
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    for (struct dirent *item; (item = readdir(stream));)
        count += item->d_name[0] != '.';
    closedir(stream);
    return count;
}

static void die_while_writing(void)
{
    static char large[100000];
    struct rlimit none = { 0 }, small = { .rlim_cur = 1000, .rlim_max = 1000 };
    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &small);
    cnn_file_write(path, (cnn_chunk[]){ { large, 500 }, { large, sizeof large } }, 2);
    _exit(0);
}

static void what_a_killed_process_left_goes_with_the_next_save(void **state)
{
    (void)state;
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "old", 3 } }, 1));
    pid_t child = fork();
    if (!child)
        die_while_writing();
    int status;
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status));
    assert_content("old");
    assert_int_equal(2, count_files());
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "new", 3 } }, 1));
    assert_content("new");
    assert_int_equal(1, count_files());
}

enum { WRITERS = 4, SAVES = 8, CHUNKS = 4, CHUNK_BYTES = 20000 };

/* Writer n writes n + 1 times as much as the first, all of its own letter. */
static void *write_often(void *argument)
{
    size_t number = (size_t)argument, size = (number + 1) * CHUNK_BYTES;
    char *text = malloc(size);
    cnn_status status = text ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (text)
        memset(text, 'a' + (int)number, size);
    const cnn_chunk chunk = { text, size };
    for (int i = 0; i < SAVES && !status; i++)
        status = cnn_file_write(path, (cnn_chunk[CHUNKS]){ chunk, chunk, chunk, chunk }, CHUNKS);
    free(text);
    return (void *)(size_t)status;
}

static void assert_one_writers_file(void)
{
    char *bytes;
    size_t size;
    assert_ok(cnn_file_read(NULL, path, SIZE_MAX, (void **)&bytes, &size));
    assert_in_range(bytes[0], 'a', 'a' + WRITERS - 1);
    assert_int_equal((size_t)(bytes[0] - 'a' + 1) * CHUNKS * CHUNK_BYTES, size);
    for (size_t i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            fail_msg("byte %zu is another writer's", i);
    cnn_release(NULL, bytes);
}

static void a_file_that_many_write_at_once_is_always_one_of_theirs(void **state)
{
    (void)state;
    pthread_t writers[WRITERS];
    assert_ptr_equal(NULL, write_often((void *)0));
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(0, pthread_create(&writers[i], NULL, write_often, (void *)i));
    for (int i = 0; i < 50; i++)
        assert_one_writers_file();
    for (int i = 0; i < WRITERS; i++) {
        void *status;
        pthread_join(writers[i], &status);
        assert_ptr_equal(NULL, status);
    }
    assert_one_writers_file();
    assert_int_equal(1, count_files());
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
        cmocka_unit_test(what_a_killed_process_left_goes_with_the_next_save),
        cmocka_unit_test(a_file_that_many_write_at_once_is_always_one_of_theirs),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_can_not_be_written_to),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
