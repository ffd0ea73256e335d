/* Opens a folder, a zip, a list or one image, told apart by what is there. */
#include "data/source_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/os.h"
#include "data/file_name.h"

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

/* A zip may hold a name twice: what was added last is the file. */
static void drop_repeated(cnn_source *source)
{
    cnn_entry_list *images = &source->images;
    size_t kept = 0;
    for (size_t i = 0; i < images->count; i++) {
        if (kept && !strcmp(images->entries[kept - 1].path, images->entries[i].path))
            kept--;
        images->entries[kept++] = images->entries[i];
    }
    if (kept < images->count)
        cnn_log(source->context, CNN_LOG_WARNING, "%s: %zu names are in it twice; the last file of each name is taken",
                source->path, images->count - kept);
    images->count = kept;
}

enum { START = 265 }; /* bytes that tell what a file is */

/* An archive that isn't read as it lies: what to say of it. */
typedef struct archive_kind {
    const char *name;   /* "a 7-Zip archive" */
    const char *unpack; /* the command that unpacks it, before the file's name */
} archive_kind;

typedef struct signature {
    size_t offset;
    const char *bytes;
    archive_kind kind;
} signature;

static const signature signatures[] = {
    { 0, "\x1F\x8B", { "a gzip archive (tar.gz)", "tar -xzf" } },
    { 0, "BZh", { "a bzip2 archive (tar.bz2)", "tar -xjf" } },
    { 0,
      "\xFD"
      "7zXZ",
      { "an xz archive (tar.xz)", "tar -xJf" } },
    { 0, "\x28\xB5\x2F\xFD", { "a Zstandard archive (tar.zst)", "tar --zstd -xf" } },
    { 0, "7z\xBC\xAF\x27\x1C", { "a 7-Zip archive", "7z x" } },
    { 0, "Rar!\x1A\x07", { "a RAR archive", "unrar x" } },
    { 257, "ustar", { "a tar archive", "tar -xf" } },
};

/* By a file's first bytes; NULL if it is none that is known. */
static const archive_kind *find_archive_kind(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        size_t length = strlen(signatures[i].bytes);
        if (signatures[i].offset + length <= size && !memcmp(start + signatures[i].offset, signatures[i].bytes, length))
            return &signatures[i].kind;
    }
    return NULL;
}

static cnn_status read_start(const char *path, unsigned char start[START], size_t *size)
{
    cnn_file_info info;
    int descriptor = cnn_os_open(path);
    if (descriptor < 0)
        return cnn_fail_errno(path, "can't be opened");
    cnn_status status = cnn_os_fstat(descriptor, &info) ? CNN_OK : cnn_fail_errno(path, "can't be read");
    *size = !status && info.size < START ? (size_t)info.size : START;
    if (!status && !cnn_os_read_at(descriptor, start, *size, 0)) {
        status = errno ? cnn_fail_errno(path, "can't be read") : CNN_OK;
        *size = 0;
    }
    cnn_os_close(descriptor);
    return status;
}

static bool is_zip(const unsigned char *start, size_t size)
{
    return size >= 4 && (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
}

/* A program that unpacks the zip behind it, as Windows and Info-ZIP make them. */
static bool may_be_self_extracting(const char *path, const unsigned char *start, size_t size)
{
    bool is_program = size >= 4 && (!memcmp(start, "MZ", 2) ||
                                    !memcmp(start,
                                            "\x7F"
                                            "ELF",
                                            4) ||
                                    !memcmp(start, "#!", 2));
    return is_program && (cnn_name_has_extension(path, "zip") || cnn_name_has_extension(path, "exe"));
}

/* What a file is its first bytes say, and its name where these are text. */
static cnn_status open_regular_file(cnn_source *source, bool any_image)
{
    unsigned char start[START];
    size_t size = 0;
    cnn_status status = read_start(source->path, start, &size);
    if (status)
        return status;
    if (is_zip(start, size) || may_be_self_extracting(source->path, start, size))
        return cnn_source_open_zip(source);
    const archive_kind *archive = find_archive_kind(start, size);
    if (archive)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: is %s; unpack it with '%s %s' and give the folder", source->path,
                        archive->name, archive->unpack, source->path);
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
    cnn_file_info info;
    if (!cnn_os_stat(source->path, &info))
        return cnn_fail_errno(source->path, "can't be opened");
    if (info.kind == CNN_FILE_FOLDER)
        return cnn_source_open_folder(source, any_image);
    if (info.kind == CNN_FILE_REGULAR)
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

cnn_status cnn_source_open(cnn_context *context, const char *path, bool any_image, uint64_t max_unpacked_bytes,
                           cnn_source **result)
{
    *result = NULL;
    cnn_source *source = cnn_source_new(context);
    if (!source)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->max_unpacked_bytes = max_unpacked_bytes;
    cnn_status status = keep_path(source, path);
    if (!status)
        status = open_by_kind(source, any_image);
    if (!status) {
        sort(&source->images);
        sort(&source->folders);
        if (!source->is_list)
            drop_repeated(source);
        status = cnn_source_make_contents(source);
    }
    if (status) {
        cnn_source_release(source);
        return status;
    }
    *result = source;
    return CNN_OK;
}
