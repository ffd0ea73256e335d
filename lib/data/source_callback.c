#include "data/source_callback.h"

#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

typedef struct caller {
    int (*read)(uint64_t index, const void **bytes, size_t *size, void *user);
    void (*release)(const void *bytes, void *user);
    void *user;
} caller;

static cnn_status copy_bytes(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, const void *given,
                             size_t given_size, void **bytes)
{
    if (given_size > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %zu bytes; the limit is %" PRIu64 ": make it smaller", entry->path,
                        given_size, max_bytes);
    *bytes = cnn_allocate(source->context, given_size);
    if (!*bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (given_size)
        memcpy(*bytes, given, given_size);
    return CNN_OK;
}

static cnn_status read_entry(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes, size_t *size)
{
    const caller *c = source->state;
    const void *given = NULL;
    *size = 0;
    int refused = c->read(entry->locator, &given, size, c->user);
    if (refused)
        return cnn_fail(CNN_ERROR_IO, "%s: can't be read: cnn_dataset_source.read returned %d", entry->path, refused);
    if (!given && *size)
        return cnn_fail(CNN_ERROR_IO, "%s: can't be read: cnn_dataset_source.read gave NULL for %zu bytes", entry->path,
                        *size);
    cnn_status status = copy_bytes(source, entry, max_bytes, given, *size, bytes);
    if (c->release)
        c->release(given, c->user);
    return status;
}

static void release_caller(cnn_source *source)
{
    cnn_release(source->context, source->state);
}

static const cnn_source_type callback_type = { .read = read_entry, .close = release_caller };

static cnn_status add_entry(cnn_source *source, const char *const *names, uint64_t index)
{
    if (names && !names[index])
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_create_from_source: image %" PRIu64 " has no name", index);
    char *name = names ? cnn_source_join(source, names[index], "") : cnn_source_number(source, index);
    if (!name)
        return CNN_ERROR_OUT_OF_MEMORY;
    return cnn_source_add(source, &source->images, name, index);
}

cnn_status cnn_source_create_callback(cnn_context *context, const cnn_dataset_source *given, cnn_source **result)
{
    *result = NULL;
    cnn_source *source = cnn_source_new(context);
    if (!source)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->type = &callback_type;
    source->path = "the program's own dataset";
    source->is_list = true;
    caller *c = source->state = cnn_allocate(context, sizeof *c);
    cnn_status status = c ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (c)
        *c = (caller){ given->read, given->release, given->read_user };
    if (!status)
        status = cnn_source_reserve(source, (size_t)given->count);
    for (uint64_t i = 0; i < given->count && !status; i++)
        status = add_entry(source, given->names, i);
    if (!status)
        status = cnn_source_make_contents(source);
    if (status)
        cnn_source_release(source);
    else
        *result = source;
    return status;
}
