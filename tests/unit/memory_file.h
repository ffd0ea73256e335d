/* A file in memory that is read and written by callbacks, of which one may fail. */
#ifndef CNN_TESTS_MEMORY_FILE_H
#define CNN_TESTS_MEMORY_FILE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/file.h>

typedef struct memory_file {
    char *bytes;
    size_t size;
    size_t most; /* bytes that one read gives; 0: all that are asked for */
    int calls;   /* so far */
    int failing; /* the call that fails; 0: none */
    int excess;  /* bytes that a read says it has given beyond those asked for */
} memory_file;

static inline int memory_file_read(uint64_t offset, void *to, size_t size, size_t *done, void *user)
{
    memory_file *file = user;
    if (++file->calls == file->failing)
        return 5;
    size_t left = offset < file->size ? file->size - (size_t)offset : 0, count = size < left ? size : left;
    count = file->most && count > file->most ? file->most : count;
    if (count)
        memcpy(to, file->bytes + offset, count);
    *done = count + (size_t)file->excess;
    return 0;
}

static inline int memory_file_write(const void *bytes, size_t size, void *user)
{
    memory_file *file = user;
    char *grown = ++file->calls == file->failing ? NULL : realloc(file->bytes, file->size + size);
    if (!grown)
        return 5;
    memcpy(grown + file->size, bytes, size);
    file->bytes = grown;
    file->size += size;
    return 0;
}

/* For reading as large as the file is now. */
static inline cnn_file_callbacks memory_file_callbacks(memory_file *file)
{
    cnn_file_callbacks callbacks;
    cnn_file_callbacks_init(&callbacks);
    callbacks.name = "pets";
    callbacks.size = file->size;
    callbacks.read_at = memory_file_read;
    callbacks.write = memory_file_write;
    callbacks.user = file;
    return callbacks;
}

#endif
