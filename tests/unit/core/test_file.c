#define _GNU_SOURCE /* O_TMPFILE */
#include "../test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
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
        count += strcmp(item->d_name, ".") && strcmp(item->d_name, "..");
    closedir(stream);
    return count;
}

/* Whether the file system has files without names, which are gone with their process. */
static int has_unnamed_files(void)
{
    int descriptor = open(folder, O_TMPFILE | O_WRONLY, 0600);
    return descriptor >= 0 && !close(descriptor);
}

/* So many calls of write() last for longer than the timer. */
static void die_while_writing(void)
{
    const size_t count = 2000000;
    cnn_chunk *chunks = calloc(count, sizeof *chunks);
    for (size_t i = 0; chunks && i < count; i++)
        chunks[i] = (cnn_chunk){ "x", 1 };
    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 20000 }, NULL);
    cnn_file_write(path, chunks, count);
    _exit(0);
}

static void a_killed_process_leaves_the_older_file(void **state)
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
    if (has_unnamed_files())
        assert_int_equal(1, count_files());
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "new", 3 } }, 1));
    assert_content("new");
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

/* Of numbers that tell their place. */
static uint32_t *write_numbers(size_t bytes)
{
    uint32_t *numbers = malloc(bytes + sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i <= bytes / sizeof *numbers; i++)
        numbers[i] = (uint32_t)i * 2654435761u;
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { numbers, bytes } }, 1));
    return numbers;
}

/* Large ones are read in parts, by all threads. */
static void files_of_all_sizes_are_read_whole(void **state)
{
    (void)state;
    const size_t sizes[] = { 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (7 << 20) - 3, 7 << 20, (9 << 20) + 12345 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t *expected = write_numbers(sizes[i]);
        for (uint32_t threads = 1; threads <= 5; threads += 2) {
            cnn_context_options options;
            cnn_context_options_init(&options);
            options.threads = threads;
            cnn_context *context;
            assert_ok(cnn_context_create(&options, &context));
            void *bytes;
            size_t size;
            assert_ok(cnn_file_read(context, path, 1 << 30, &bytes, &size));
            assert_int_equal(sizes[i], size);
            assert_memory_equal(expected, bytes, size);
            assert_int_equal(0, ((const char *)bytes)[size]);
            cnn_release(context, bytes);
            cnn_context_destroy(context);
        }
        free(expected);
    }
}

enum { KEPT = (6 << 20) + 100 };

/* Memory for the file is taken between asking for its size and reading it. */
static void *allocate_and_cut_the_file(size_t size, void *user)
{
    (void)user;
    if (size > KEPT)
        assert_int_equal(0, truncate(path, KEPT));
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release_memory(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static void a_large_file_that_is_cut_off_meanwhile_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 3;
    options.allocate = allocate_and_cut_the_file;
    options.release = release_memory;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    uint32_t *expected = write_numbers(9 << 20);
    void *bytes;
    size_t size;
    assert_ok(cnn_file_read(context, path, 1 << 30, &bytes, &size));
    assert_int_equal(KEPT, size);
    assert_memory_equal(expected, bytes, size);
    assert_int_equal(0, ((const char *)bytes)[size]);
    cnn_release(context, bytes);
    cnn_context_destroy(context);
    free(expected);
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

static mode_t mode_of(const char *name)
{
    struct stat info;
    assert_int_equal(0, lstat(name, &info));
    return info.st_mode;
}

static void the_mode_and_the_owner_stay(void **state)
{
    (void)state;
    struct stat info;
    assert_ok(cnn_file_save(path, "old", 3));
    assert_int_equal(0, chmod(path, 0600));
    int root = geteuid() == 0;
    if (root)
        assert_int_equal(0, chown(path, 12345, 12346));
    assert_ok(cnn_file_save(path, "new", 3));
    assert_content("new");
    assert_int_equal(S_IFREG | 0600, mode_of(path));
    assert_int_equal(0, stat(path, &info));
    assert_int_equal(root ? 12345 : geteuid(), info.st_uid);
    assert_int_equal(root ? 12346 : getegid(), info.st_gid);
    unlink(path);
}

static void a_new_file_has_the_mode_that_the_process_gives(void **state)
{
    (void)state;
    mode_t before = umask(0027);
    assert_ok(cnn_file_save(path, "new", 3));
    umask(before);
    assert_int_equal(S_IFREG | 0640, mode_of(path));
    unlink(path);
}

static void of_a_link_the_target_is_replaced(void **state)
{
    (void)state;
    char first[80], second[80];
    snprintf(first, sizeof first, "%s/first", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    assert_int_equal(0, symlink("second", first));
    assert_int_equal(0, symlink(path, second));
    for (int i = 0; i < 2; i++) { /* once with the target still missing */
        assert_ok(cnn_file_save(first, i ? "two" : "one", 3));
        assert_content(i ? "two" : "one");
        assert_true(S_ISLNK(mode_of(first)) && S_ISLNK(mode_of(second)) && S_ISREG(mode_of(path)));
    }
    unlink(second);
    assert_int_equal(0, symlink("first", second));
    assert_status(CNN_ERROR_IO, cnn_file_save(first, "one", 3)); /* a circle */
    assert_content("two");
    unlink(first);
    unlink(second);
}

static void *read_pipe(void *text)
{
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, 15, file) : 0;
    ((char *)text)[size] = 0;
    if (file)
        fclose(file);
    return NULL;
}

static void a_pipe_is_written_to_and_stays_one(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(0, mkfifo(path, 0600));
    assert_true(cnn_file_is_stream(path));
    pthread_t reader;
    char text[16];
    assert_int_equal(0, pthread_create(&reader, NULL, read_pipe, text));
    assert_ok(cnn_file_write(path, (cnn_chunk[]){ { "ab", 2 }, { "c", 1 } }, 2));
    pthread_join(reader, NULL);
    assert_string_equal("abc", text);
    assert_true(S_ISFIFO(mode_of(path)));
    unlink(path);
}

static void a_pipe_that_nobody_reads_any_more_is_an_error(void **state)
{
    (void)state;
    int ends[2];
    char name[32];
    assert_int_equal(0, pipe(ends));
    close(ends[0]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    signal(SIGPIPE, SIG_DFL);
    assert_status(CNN_ERROR_IO, cnn_file_save(name, "abc", 3));
    sigset_t pending;
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    close(ends[1]);
}

static void a_file_beyond_the_limit_is_an_error_and_leaves_the_old_one(void **state)
{
    (void)state;
    char *large = calloc(1, 100000);
    assert_ok(cnn_file_save(path, "old", 3));
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &small);
    cnn_status status = cnn_file_save(path, large, 100000);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_status(CNN_ERROR_IO, status);
    sigset_t pending;
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGXFSZ));
    assert_content("old");
    free(large);
}

/* As a shell's `> file`, to which the program writes other things, too. */
static void a_descriptor_is_written_where_it_stands(void **state)
{
    (void)state;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char name[32];
    snprintf(name, sizeof name, "/dev/fd/%d", descriptor);
    assert_int_equal(2, write(descriptor, "a,", 2));
    assert_ok(cnn_file_save(name, "b,", 2));
    assert_int_equal(1, write(descriptor, "c", 1));
    close(descriptor);
    assert_content("a,b,c");
}

static void a_device_stays_one(void **state)
{
    (void)state;
    assert_ok(cnn_file_save("/dev/null", "abc", 3));
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_status(CNN_ERROR_IO, cnn_file_save("/dev/full", "abc", 3));
    assert_true(S_ISCHR(mode_of("/dev/full")));
}

static void a_socket_and_a_folder_are_refused(void **state)
{
    (void)state;
    unlink(path);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(0, bind(listener, (struct sockaddr *)&address, sizeof address));
    assert_status(CNN_ERROR_IO, cnn_file_save(path, "abc", 3));
    assert_non_null(strstr(cnn_last_error(), "socket"));
    assert_true(S_ISSOCK(mode_of(path)));
    close(listener);
    unlink(path);
    assert_status(CNN_ERROR_IO, cnn_file_save(folder, "abc", 3));
    assert_non_null(strstr(cnn_last_error(), "folder"));
}

static void a_file_that_may_not_be_written_stays(void **state)
{
    (void)state;
    assert_ok(cnn_file_save(path, "old", 3));
    assert_int_equal(0, chmod(path, 0444));
    if (geteuid() != 0) { /* root may */
        assert_status(CNN_ERROR_IO, cnn_file_save(path, "new", 3));
        assert_content("old");
    }
    unlink(path);
}

/* Where a name that could be guessed would be written through. */
static void what_lies_beside_the_file_is_not_touched(void **state)
{
    (void)state;
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(0, mkfifo(part, 0600));
    assert_ok(cnn_file_save(path, "new", 3));
    assert_content("new");
    assert_true(S_ISFIFO(mode_of(part)));
    unlink(part);
    assert_int_equal(1, count_files());
}

static void a_name_may_be_as_long_as_names_can_be(void **state)
{
    (void)state;
    char name[sizeof folder + 257];
    int length = snprintf(name, sizeof name, "%s/", folder);
    memset(name + length, 'a', 255);
    name[length + 255] = 0;
    assert_ok(cnn_file_save(name, "abc", 3));
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_written_one_after_the_other),
        cmocka_unit_test(a_disk_that_is_full_leaves_the_older_file),
        cmocka_unit_test(a_killed_process_leaves_the_older_file),
        cmocka_unit_test(a_file_that_many_write_at_once_is_always_one_of_theirs),
        cmocka_unit_test(the_mode_and_the_owner_stay),
        cmocka_unit_test(a_new_file_has_the_mode_that_the_process_gives),
        cmocka_unit_test(of_a_link_the_target_is_replaced),
        cmocka_unit_test(a_pipe_is_written_to_and_stays_one),
        cmocka_unit_test(a_file_beyond_the_limit_is_an_error_and_leaves_the_old_one),
        cmocka_unit_test(a_pipe_that_nobody_reads_any_more_is_an_error),
        cmocka_unit_test(a_descriptor_is_written_where_it_stands),
        cmocka_unit_test(a_device_stays_one),
        cmocka_unit_test(a_socket_and_a_folder_are_refused),
        cmocka_unit_test(a_file_that_may_not_be_written_stays),
        cmocka_unit_test(what_lies_beside_the_file_is_not_touched),
        cmocka_unit_test(a_name_may_be_as_long_as_names_can_be),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(files_of_all_sizes_are_read_whole),
        cmocka_unit_test(a_large_file_that_is_cut_off_meanwhile_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_can_not_be_written_to),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
