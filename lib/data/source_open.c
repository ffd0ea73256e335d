#include "data/source_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "data/name.h"

static int compare_entries(const void *a, const void *b)
{
    const cnn_entry *first = a, *second = b;
    int order = strcmp(first->path, second->path);
    return order ? order : first->locator < second->locator ? -1 : first->locator > second->locator;
}

static void sort(cnn_entry_list *list)
{
    if (list->count)
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
}

/* What a file says it is by its first bytes. */
static cnn_status is_zip(const char *path, bool *zip)
{
    int descriptor = cnn_file_open(path);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    char start[4] = { 0 };
    bool there = cnn_file_read_at(descriptor, start, sizeof start, 0);
    cnn_status status = !there && errno ? cnn_fail_errno(path, "can't be read") : CNN_OK;
    close(descriptor);
    *zip = there && (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
    return status;
}

static cnn_status open_regular_file(cnn_source *source, bool any_image)
{
    bool zip = false;
    cnn_status status = is_zip(source->path, &zip);
    if (status)
        return status;
    if (zip)
        return cnn_source_open_zip(source);
    if (cnn_name_has_extension(source->path, "csv") || cnn_name_has_extension(source->path, "tsv"))
        return cnn_source_open_csv(source, !any_image);
    if (cnn_name_has_extension(source->path, "zip"))
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is not a zip file, though it is named so", source->path);
    if (any_image)
        return cnn_source_open_file(source);
    return cnn_fail(CNN_ERROR_DATA, "%s: is neither a folder, nor a zip, nor a CSV file", source->path);
}

static cnn_status open_by_kind(cnn_source *source, bool any_image)
{
    struct stat info;
    if (stat(source->path, &info))
        return cnn_fail_errno(source->path, "can't be opened");
    if (S_ISDIR(info.st_mode))
        return cnn_source_open_folder(source);
    if (S_ISREG(info.st_mode))
        return open_regular_file(source, any_image);
    return cnn_fail(CNN_ERROR_IO, "%s: is neither a file nor a folder", source->path);
}

static cnn_status keep_path(cnn_source *source, const char *path)
{
    char *copy = cnn_source_join(source, path, "");
    if (!copy)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--)
        copy[length - 1] = 0;
    source->path = copy;
    return CNN_OK;
}

cnn_status cnn_source_open(cnn_context *context, const char *path, bool any_image, cnn_source **result)
{
    *result = NULL;
    cnn_source *source = cnn_allocate_zeroed(context, 1, sizeof *source);
    if (!source)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->context = context;
    atomic_init(&source->references, 1);
    cnn_status status = keep_path(source, path);
    if (!status)
        status = open_by_kind(source, any_image);
    if (status) {
        cnn_source_release(source);
        return status;
    }
    sort(&source->images);
    sort(&source->folders);
    *result = source;
    return CNN_OK;
}
