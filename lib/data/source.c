#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

/* Texts are many, small and freed together. */
struct text_block {
    struct text_block *next;
    size_t size, used;
    char text[];
};

enum { TEXT_BLOCK = 64 * 1024 };

char *cnn_source_text(cnn_source *source, size_t size)
{
    struct text_block *block = source->texts;
    if (!block || block->size - block->used < size) {
        size_t room = size > TEXT_BLOCK ? size : TEXT_BLOCK, bytes;
        if (!cnn_sum(sizeof *block, room, &bytes)) {
            cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes were asked for", size);
            return NULL;
        }
        block = cnn_allocate(source->context, bytes);
        if (!block)
            return NULL;
        *block = (struct text_block){ .next = source->texts, .size = room };
        source->texts = block;
    }
    char *text = block->text + block->used;
    block->used += size;
    return text;
}

char *cnn_source_join(cnn_source *source, const char *first, const char *second)
{
    size_t size = strlen(first) + strlen(second) + 1;
    char *text = cnn_source_text(source, size);
    if (text)
        snprintf(text, size, "%s%s", first, second);
    return text;
}

cnn_status cnn_source_add(cnn_source *source, cnn_entry_list *list, const char *path, uint64_t locator)
{
    if (!cnn_grow(source->context, (void **)&list->entries, &list->capacity, list->count + 1, sizeof *list->entries))
        return CNN_ERROR_OUT_OF_MEMORY;
    list->entries[list->count++] = (cnn_entry){ .path = path, .locator = locator };
    return CNN_OK;
}

bool cnn_name_is_hidden(const char *name, size_t length)
{
    static const char resource_forks[] = "__MACOSX"; /* what macOS adds to its zips */
    return !length || name[0] == '.' || (length == sizeof resource_forks - 1 && !memcmp(name, resource_forks, length));
}

bool cnn_name_has_extension(const char *name, const char *extension)
{
    const char *dot = strrchr(name, '.');
    return dot && !strcasecmp(dot + 1, extension);
}

bool cnn_name_is_no_image(const char *name)
{
    static const char *const others[] = {
        "txt",  "md",          "rst", "rtf", "html",  "htm", "csv",  "tsv", "json", "jsonl", "xml",
        "yaml", "yml",         "db",  "ini", "log",   "lnk", "url",  "zip", "tar",  "gz",    "tgz",
        "bz2",  "xz",          "7z",  "rar", "pdf",   "doc", "docx", "xls", "xlsx", "ppt",   "pptx",
        "odt",  "ods",         "py",  "pyc", "ipynb", "m",   "mat",  "sh",  "bat",  "c",     "h",
        "h5",   "safetensors", "pt",  "pth", "onnx",  "pkl", "npy",  "npz", "md5",  "sha1",  "sha256",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cnn_name_has_extension(name, others[i]))
            return true;
    return false;
}

cnn_status cnn_fail_errno(const char *path, const char *what)
{
    char text[128] = "";
    int error = errno;
    if (strerror_r(error, text, sizeof text))
        return cnn_fail(CNN_ERROR_IO, "%s: %s: error %d", path, what, error);
    return cnn_fail(CNN_ERROR_IO, "%s: %s: %s", path, what, text);
}

cnn_status cnn_source_read_file(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes,
                                size_t *size)
{
    return cnn_file_read(source->context, entry->path, max_bytes, bytes, size);
}

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
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    char start[4] = { 0 };
    ssize_t got = read(descriptor, start, sizeof start);
    cnn_status status = got < 0 ? cnn_fail_errno(path, "can't be read") : CNN_OK;
    close(descriptor);
    *zip = got == 4 && (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
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
    if (cnn_name_has_extension(source->path, "csv"))
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

cnn_source *cnn_source_share(cnn_source *source)
{
    atomic_fetch_add(&source->references, 1);
    return source;
}

void cnn_source_release(cnn_source *source)
{
    if (!source || atomic_fetch_sub(&source->references, 1) > 1)
        return;
    if (source->type && source->type->close)
        source->type->close(source);
    cnn_context *context = source->context;
    while (source->texts) {
        struct text_block *block = source->texts;
        source->texts = block->next;
        cnn_release(context, block);
    }
    cnn_release(context, source->images.entries);
    cnn_release(context, source->folders.entries);
    cnn_release(context, source);
}
