#include "core/file_callbacks.h"

#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"

cnn_status cnn_file_callbacks_read(const cnn_file_callbacks *given, cnn_file_callbacks *callbacks)
{
    cnn_file_callbacks_init(callbacks);
    cnn_status status = cnn_options_read(callbacks, sizeof *callbacks, given, "cnn_file_callbacks");
    if (!callbacks->name)
        callbacks->name = "the program's file";
    return status;
}

static cnn_status read_all(const cnn_file_callbacks *callbacks, char *to)
{
    size_t size = (size_t)callbacks->size;
    for (size_t done = 0; done < size;) {
        size_t read = 0;
        int failure = callbacks->read_at(done, to + done, size - done, &read, callbacks->user);
        if (failure)
            return cnn_fail(CNN_ERROR_IO, "%s: can't be read: its read_at returned %d at byte %zu", callbacks->name,
                            failure, done);
        if (!read)
            return cnn_fail(CNN_ERROR_IO, "%s: can't be read: it ends at byte %zu; its size was given as %zu",
                            callbacks->name, done, size);
        if (read > size - done)
            return cnn_fail(CNN_ERROR_IO, "%s: can't be read: its read_at gave %zu bytes where %zu were asked for",
                            callbacks->name, read, size - done);
        done += read;
    }
    return CNN_OK;
}

cnn_status cnn_file_callbacks_load(cnn_context *context, const cnn_file_callbacks *callbacks, uint64_t max_bytes,
                                   void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (!callbacks->read_at)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: can't be read: its read_at is NULL", callbacks->name);
    if (callbacks->size > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %llu bytes; the limit is %llu", callbacks->name,
                        (unsigned long long)callbacks->size, (unsigned long long)max_bytes);
    char *memory = cnn_allocate(context, (size_t)callbacks->size + 1);
    if (!memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = read_all(callbacks, memory);
    if (status) {
        cnn_release(context, memory);
        return status;
    }
    memory[callbacks->size] = 0;
    *bytes = memory;
    *size = (size_t)callbacks->size;
    return CNN_OK;
}

cnn_status cnn_file_callbacks_save(const cnn_file_callbacks *callbacks, const cnn_chunk *chunks, size_t count)
{
    if (!callbacks->write)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: can't be written: its write is NULL", callbacks->name);
    for (size_t i = 0; i < count; i++) {
        int failure = chunks[i].size ? callbacks->write(chunks[i].data, chunks[i].size, callbacks->user) : 0;
        if (failure)
            return cnn_fail(CNN_ERROR_IO, "%s: can't be written: its write returned %d", callbacks->name, failure);
    }
    return CNN_OK;
}
