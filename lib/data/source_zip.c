/* A zip file, read where it lies. The directory is read once; an entry's packed bytes are then read from their place
 * and unpacked in memory by libarchive, so any number of threads can read entries in any order. */
#include <errno.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"
#include "data/archive_library.h"
#include "data/file_name.h"
#include "data/source.h"
#include "data/zip_directory.h"
#include "data/zip_name.h"

enum { UNPACKED_RATIO = 20 };
static const uint64_t unpacked_floor = 256 << 20;

typedef struct zip_state {
    int descriptor;
    cnn_archive_library library;
    cnn_zip_directory directory;
} zip_state;

/* An entry on its way out of the zip. */
typedef struct unpacking {
    const cnn_archive_library *library;
    struct archive *archive;
    struct archive_entry *header;
    const char *path; /* for sentences */
    const unsigned char *packed;
    size_t packed_size;
} unpacking;

static cnn_status fail_archive(const unpacking *u)
{
    const char *text = u->library->archive_error_string(u->archive);
    if (!text || u->library->archive_errno(u->archive) == ENOMEM) /* of some allocations that fail it says nothing */
        return cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "%s: can't be unpacked: there is no memory for it", u->path);
    return cnn_fail(CNN_ERROR_FORMAT, "%s: can't be unpacked: %s", u->path, text);
}

/* Exactly `size` bytes must come, and no more: a size in a zip is a claim. */
static cnn_status unpack_data(const unpacking *u, char *to, size_t size)
{
    if (u->library->archive_read_next_header2(u->archive, u->header) < ARCHIVE_WARN)
        return fail_archive(u);
    size_t done = 0;
    while (done < size) {
        la_ssize_t got = u->library->archive_read_data(u->archive, to + done, size - done);
        if (got < 0)
            return fail_archive(u);
        if (got == 0)
            return cnn_fail(CNN_ERROR_FORMAT, "%s: can't be unpacked: it is shorter than the zip says", u->path);
        done += (size_t)got;
    }
    char more;
    la_ssize_t got = u->library->archive_read_data(u->archive, &more, 1);
    if (got < 0)
        return fail_archive(u);
    if (got > 0)
        return cnn_fail(CNN_ERROR_FORMAT, "%s: can't be unpacked: it is longer than the zip says", u->path);
    return CNN_OK;
}

static la_ssize_t give_packed(struct archive *archive, void *user, const void **bytes)
{
    (void)archive;
    unpacking *u = user;
    size_t size = u->packed_size;
    *bytes = u->packed;
    u->packed_size = 0;
    return (la_ssize_t)size;
}

/* As archive_read_open_memory, which crashes where it has no memory. */
static bool open_packed(unpacking *u)
{
    const cnn_archive_library *library = u->library;
    return !library->archive_read_support_format_zip_streamable(u->archive) &&
           !library->archive_read_set_read_callback(u->archive, give_packed) &&
           !library->archive_read_set_callback_data(u->archive, u) && !library->archive_read_open1(u->archive);
}

/* What is packed: its library, path and bytes. The header is our own: libarchive doesn't check whether it had memory
 * for the one that archive_read_next_header fills. */
static cnn_status unpack(unpacking u, char *to, size_t size)
{
    cnn_status status;
    u.header = u.library->archive_entry_new();
    u.archive = u.library->archive_read_new();
    if (!u.archive || !u.header)
        status = cnn_fail(CNN_ERROR_OUT_OF_MEMORY, "%s: out of memory", u.path);
    else
        status = open_packed(&u) ? unpack_data(&u, to, size) : fail_archive(&u);
    u.library->archive_read_free(u.archive);
    u.library->archive_entry_free(u.header);
    return status;
}

static cnn_status check_size(const cnn_zip_entry *entry, const char *path, uint64_t max_bytes)
{
    uint64_t larger = entry->size > entry->packed_size ? entry->size : entry->packed_size;
    if (larger > max_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is %llu bytes; the limit is %llu: make it smaller", path,
                        (unsigned long long)larger, (unsigned long long)max_bytes);
    return CNN_OK;
}

static cnn_status read_entry(cnn_source *source, const cnn_entry *image, uint64_t max_bytes, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    zip_state *state = source->state;
    const cnn_zip_entry *entry = &state->directory.entries[image->locator];
    cnn_status status = check_size(entry, image->path, max_bytes);
    if (status)
        return status;
    size_t packed_size = 0, unpacked_size = (size_t)entry->size;
    unsigned char *packed = NULL;
    status = cnn_zip_read_packed(source->context, state->descriptor, image->path, entry, &packed, &packed_size);
    if (status)
        return status;
    char *unpacked = cnn_allocate(source->context, unpacked_size + 1);
    unpacking u = { .library = &state->library, .path = image->path, .packed = packed, .packed_size = packed_size };
    status = unpacked ? unpack(u, unpacked, unpacked_size) : CNN_ERROR_OUT_OF_MEMORY;
    cnn_release(source->context, packed);
    if (status) {
        cnn_release(source->context, unpacked);
        return status;
    }
    unpacked[unpacked_size] = 0;
    *bytes = unpacked;
    *size = unpacked_size;
    return CNN_OK;
}

static void close_zip(cnn_source *source)
{
    zip_state *state = source->state;
    cnn_zip_directory_free(&state->directory);
    if (state->descriptor >= 0)
        cnn_os_close(state->descriptor);
    cnn_release(source->context, state);
}

static const cnn_source_type zip_type = { .read = read_entry, .close = close_zip };

/* Nothing is ever written by these names; what is absolute or climbs out by `..` is still no part of a dataset. */
static bool leaves_zip(const char *name)
{
    if (*name == '/' || (*name && strchr(name, ':') == name + 1)) /* the latter a Windows drive */
        return true;
    for (const char *at = name; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && !memcmp(at, "..", 2))
            return true;
        at += length + (at[length] == '/');
    }
    return false;
}

/* A path in which nothing is hidden. */
static bool is_plain_path(const char *name)
{
    for (const char *at = name; *at;) {
        size_t length = strcspn(at, "/");
        if (cnn_name_is_hidden(at, length)) /* also empty */
            return false;
        at += length + (at[length] == '/');
    }
    return *name;
}

/* Compressions that aren't read: libarchive lacks Deflate64, and for LZMA and XZ it takes as much memory as the packed
 * bytes ask for, up to 4 GiB for a file of a few bytes. */
static const struct {
    uint16_t method;
    const char *name;
} unread[] = { { 9, "Deflate64" }, { 14, "LZMA" }, { 95, "XZ" } };

static cnn_status check_readable(const cnn_zip_entry *entry, const char *path)
{
    if (entry->encrypted)
        return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: is encrypted; encrypted zips can't be read", path);
    for (size_t i = 0; i < sizeof unread / sizeof unread[0]; i++)
        if (entry->method == unread[i].method)
            return cnn_fail(
                CNN_ERROR_UNSUPPORTED,
                "%s: is compressed by %s, which isn't read here; unpack the zip with '7z x' and give the folder", path,
                unread[i].name);
    return CNN_OK;
}

static cnn_status add_entry(cnn_source *source, const char *root, const cnn_zip_entry *entry, size_t index)
{
    if (entry->special || !entry->name_length || memchr(entry->name, 0, entry->name_length))
        return CNN_OK;
    char *path = cnn_zip_path(source, root, entry);
    if (!path)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (leaves_zip(path + source->prefix)) {
        if (!cnn_name_is_no_image(path))
            source->refused_name = path + source->prefix;
        return CNN_OK;
    }
    if (!is_plain_path(path + source->prefix))
        return CNN_OK;
    if (path[strlen(path) - 1] == '/')
        return cnn_source_add(source, &source->folders, path, index);
    if (cnn_name_has_extension(path, "zip"))
        source->inner_zip = path;
    if (cnn_name_is_no_image(path))
        return CNN_OK;
    cnn_status status = check_readable(entry, path);
    return status ? status : cnn_source_add(source, &source->images, path, index);
}

/* What a zip unpacks to is claimed in its directory, and no entry gives more than it claims. */
static cnn_status check_unpacked(const cnn_source *source, const zip_state *state)
{
    uint64_t unpacked = 0, limit = source->max_unpacked_bytes;
    if (!limit)
        limit = unpacked_floor + UNPACKED_RATIO * state->directory.file_size;
    for (size_t i = 0; i < source->images.count; i++) {
        uint64_t size = state->directory.entries[source->images.entries[i].locator].size;
        unpacked = size < UINT64_MAX - unpacked ? unpacked + size : UINT64_MAX;
    }
    if (unpacked <= limit)
        return CNN_OK;
    return cnn_fail(
        CNN_ERROR_LIMIT,
        "%s: its %zu files would unpack to %llu bytes, which its %llu don't explain; the limit is %llu, and "
        "cnn_dataset_options.max_unpacked_bytes raises it",
        source->path, source->images.count, (unsigned long long)unpacked,
        (unsigned long long)state->directory.file_size, (unsigned long long)limit);
}

cnn_status cnn_source_open_zip(cnn_source *source)
{
    zip_state *state = cnn_allocate_zeroed(source->context, 1, sizeof *state);
    if (!state)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->type = &zip_type;
    source->state = state;
    state->directory.context = source->context;
    state->descriptor = cnn_os_open(source->path);
    if (state->descriptor < 0)
        return cnn_fail_errno(source->path, "can't be opened");
    const char *root = cnn_source_join(source, source->path, "!/");
    if (!root)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->prefix = strlen(root);
    cnn_status status = cnn_archive_library_load(source->path, &state->library);
    if (!status)
        status = cnn_zip_directory_read(source->context, state->descriptor, source->path, &state->directory);
    for (size_t i = 0; i < state->directory.count && !status; i++)
        status = add_entry(source, root, &state->directory.entries[i], i);
    if (source->refused_name && source->images.count)
        cnn_log(source->context, CNN_LOG_WARNING,
                "%s: files whose names lead out of the zip are passed over, such as %s", source->path,
                source->refused_name);
    return status ? status : check_unpacked(source, state);
}
