#include "core/file.h"

#include <stdatomic.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"
#include "core/parallel.h"

/* Most of the time of reading into new memory goes to the system clearing its pages, on each thread those it reads to.
 */
enum { PART_BYTES = 1 << 20, LEAST_PARTS = 4 };

typedef struct parts {
    int descriptor;
    char *memory;
    size_t size;
    atomic_bool lacking;
} parts;

static void read_part(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    parts *p = argument;
    size_t begin = task * PART_BYTES, size = p->size - begin < PART_BYTES ? p->size - begin : PART_BYTES;
    if (!cnn_os_read_at(p->descriptor, p->memory + begin, size, begin))
        atomic_store(&p->lacking, true);
}

/* Large files in parts. What goes wrong is found out by reading once more, in order. */
static bool read_all(cnn_context *context, int descriptor, char *memory, size_t size, size_t *done)
{
    parts p = { .descriptor = descriptor, .memory = memory, .size = size };
    if (size < LEAST_PARTS * PART_BYTES)
        return cnn_os_read(descriptor, memory, size, done);
    cnn_parallel(context, (size - 1) / PART_BYTES + 1, read_part, &p);
    *done = size;
    return !p.lacking || cnn_os_read(descriptor, memory, size, done);
}

static cnn_status read_descriptor(cnn_context *context, int descriptor, const char *path, uint64_t max_bytes,
                                  void **bytes, size_t *size)
{
    cnn_file_info info;
    if (!cnn_os_fstat(descriptor, &info))
        return cnn_fail_errno(path, "can't be read");
    if (info.kind != CNN_FILE_REGULAR)
        return cnn_fail(CNN_ERROR_IO, "%s: is not a regular file", path);
    if (info.size > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %llu bytes; the limit is %llu: make it smaller", path,
                        (unsigned long long)info.size, (unsigned long long)max_bytes);
    char *memory = cnn_allocate(context, (size_t)info.size + 1);
    if (!memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t done; /* less than its size if it has become shorter since */
    if (!read_all(context, descriptor, memory, (size_t)info.size, &done)) {
        cnn_status status = cnn_fail_errno(path, "can't be read");
        cnn_release(context, memory);
        return status;
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
    int descriptor = cnn_os_open(path);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    cnn_status status = read_descriptor(context, descriptor, path, max_bytes, bytes, size);
    cnn_os_close(descriptor);
    return status;
}
