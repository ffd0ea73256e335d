#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

cnn_status cnn_file_write(const char *path, const cnn_chunk *chunks, size_t count)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.part", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary)
        return cnn_fail(CNN_ERROR_IO, "%s: the path is too long", path);
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be written");
    bool sound = true;
    for (size_t i = 0; i < count && sound; i++)
        sound = write_all(descriptor, chunks[i].data, chunks[i].size);
    sound = sound && !fsync(descriptor);
    cnn_status status = sound ? CNN_OK : cnn_fail_errno(path, "can't be written");
    if (close(descriptor) && !status)
        status = cnn_fail_errno(path, "can't be written");
    if (!status && rename(temporary, path))
        status = cnn_fail_errno(path, "can't be written");
    if (status)
        unlink(temporary);
    else
        sync_folder(path);
    return status;
}
