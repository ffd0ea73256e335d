#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

static cnn_status read_descriptor(cnn_context *context, int descriptor, const char *path, uint64_t max_bytes,
                                  void **bytes, size_t *size)
{
    struct stat info;
    if (fstat(descriptor, &info))
        return cnn_fail_errno(path, "can't be read");
    if (!S_ISREG(info.st_mode))
        return cnn_fail(CNN_ERROR_IO, "%s: is not a regular file", path);
    if ((uint64_t)info.st_size > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %lld bytes; the limit is %llu", path, (long long)info.st_size,
                        (unsigned long long)max_bytes);
    size_t wanted = (size_t)info.st_size, done = 0;
    char *memory = cnn_allocate(context, wanted + 1);
    if (!memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    while (done < wanted) {
        ssize_t got = read(descriptor, memory + done, wanted - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            cnn_status status = cnn_fail_errno(path, "can't be read");
            cnn_release(context, memory);
            return status;
        }
        if (got == 0)
            break; /* it has become shorter since */
        done += (size_t)got;
    }
    memory[done] = 0;
    *bytes = memory;
    *size = done;
    return CNN_OK;
}

cnn_status cnn_file_read(cnn_context *context, const char *path, uint64_t max_bytes, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hang */
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    cnn_status status = read_descriptor(context, descriptor, path, max_bytes, bytes, size);
    close(descriptor);
    return status;
}

static bool write_all(int descriptor, const char *data, size_t size)
{
    while (size) {
        ssize_t written = write(descriptor, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* The rename itself must reach the disk too. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof folder)
        return;
    memcpy(folder, path, length);
    folder[length] = 0;
    int descriptor = open(length ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

/* Whether what was opened is still what `path` names. */
static bool is_named(int descriptor, const char *path)
{
    struct stat opened, named;
    return !fstat(descriptor, &opened) && !lstat(path, &named) && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

/* Opens the file, or makes it, for the caller alone: the lock ends with the descriptor, or with the process. Who waited
 * for it may hold what has been renamed or removed since, and begins again. Where a file system has no locks, nobody
 * waits. */
static int open_alone(const char *path)
{
    enum { ATTEMPTS = 1000 };
    for (int i = 0; i < ATTEMPTS; i++) {
        int descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (descriptor < 0)
            return -1;
        while (flock(descriptor, LOCK_EX) && errno == EINTR)
            continue;
        if (is_named(descriptor, path))
            return descriptor;
        close(descriptor);
    }
    errno = EBUSY;
    return -1;
}

/* Empties it first: a process that was killed may have left something. */
static bool write_chunks(int descriptor, const cnn_chunk *chunks, size_t count)
{
    bool sound = !ftruncate(descriptor, 0);
    for (size_t i = 0; i < count && sound; i++)
        sound = write_all(descriptor, chunks[i].data, chunks[i].size);
    return sound && !fsync(descriptor);
}

/* The temporary name is the same each time, so that a process that is killed while it writes leaves one file at most,
 * which the next save takes over. */
cnn_status cnn_file_write(const char *path, const cnn_chunk *chunks, size_t count)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return cnn_fail(CNN_ERROR_IO, "%s: the path is too long", path);
    int descriptor = open_alone(temporary);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be written");
    cnn_status status = CNN_OK;
    if (!write_chunks(descriptor, chunks, count) || rename(temporary, path)) {
        status = cnn_fail_errno(path, "can't be written");
        unlink(temporary);
    }
    close(descriptor);
    if (!status)
        sync_folder(path);
    return status;
}
