#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

int cnn_file_open(const char *path)
{
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

bool cnn_file_read_at(int descriptor, void *to, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(descriptor, (char *)to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* As many bytes as there are, up to `wanted`; -1 with errno. */
static ssize_t read_all(int descriptor, char *memory, size_t wanted)
{
    size_t done = 0;
    while (done < wanted) {
        ssize_t got = read(descriptor, memory + done, wanted - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break; /* it has become shorter since */
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static cnn_status read_descriptor(cnn_context *context, int descriptor, const char *path, uint64_t max_bytes,
                                  void **bytes, size_t *size)
{
    struct stat info;
    if (fstat(descriptor, &info))
        return cnn_fail_errno(path, "can't be read");
    if (!S_ISREG(info.st_mode))
        return cnn_fail(CNN_ERROR_IO, "%s: is not a regular file", path);
    if ((uint64_t)info.st_size > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %lld bytes; the limit is %llu: make it smaller", path,
                        (long long)info.st_size, (unsigned long long)max_bytes);
    char *memory = cnn_allocate(context, (size_t)info.st_size + 1);
    if (!memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    ssize_t done = read_all(descriptor, memory, (size_t)info.st_size);
    if (done < 0) {
        cnn_status status = cnn_fail_errno(path, "can't be read");
        cnn_release(context, memory);
        return status;
    }
    memory[done] = 0;
    *bytes = memory;
    *size = (size_t)done;
    return CNN_OK;
}

cnn_status cnn_file_read(cnn_context *context, const char *path, uint64_t max_bytes, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    int descriptor = cnn_file_open(path);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    cnn_status status = read_descriptor(context, descriptor, path, max_bytes, bytes, size);
    close(descriptor);
    return status;
}
