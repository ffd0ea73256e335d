#include "data/zip_directory.h"

#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"

enum {
    LOCAL_SIGNATURE = 0x04034B50,
    DIRECTORY_SIGNATURE = 0x02014B50,
    END_SIGNATURE = 0x06054B50,
    END64_LOCATOR_SIGNATURE = 0x07064B50,
    END64_SIGNATURE = 0x06064B50,
    LOCAL_HEADER = 30,
    DIRECTORY_HEADER = 46,
    END_RECORD = 22,
    MAX_COMMENT = 65535,
    END64_LOCATOR = 20,
    END64_RECORD = 56,
    FLAG_ENCRYPTED = 1,
    FLAG_UTF8 = 1 << 11,
    FLAG_DIRECTORY_ENCRYPTED = 1 << 13,
    EXTRA_ZIP64 = 1,
    METHOD_AES = 99,
    MADE_BY_UNIX = 3,
    UNIX_KIND_SHIFT = 28, /* of the file type in the external attributes */
    UNIX_KIND_REGULAR = 8,
    UNIX_KIND_FOLDER = 4
};
static const uint64_t max_directory_bytes = (uint64_t)1 << 30;

static uint32_t get16(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const unsigned char *at)
{
    return get16(at) | get16(at + 2) << 16;
}

static uint64_t get64(const unsigned char *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static void put16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

static void put32(unsigned char *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

static cnn_status broken(const char *path, const char *what)
{
    return cnn_fail(CNN_ERROR_FORMAT, "%s: is a broken zip file: %s", path, what);
}

static cnn_status read_at(int descriptor, const char *path, uint64_t offset, void *to, size_t size)
{
    if (offset > (uint64_t)INT64_MAX - size)
        return broken(path, "an offset lies outside it");
    if (cnn_os_read_at(descriptor, to, size, offset))
        return CNN_OK;
    return errno ? cnn_fail_errno(path, "can't be read") : broken(path, "it ends too early");
}

typedef struct extent {
    uint64_t offset, size;
    uint64_t entries;
    uint64_t end; /* where it ends, if it lies right before the record of a zip that isn't 64-bit; else 0 */
    bool exact;   /* else only the lower 16 bits of `entries` are known */
} extent;

/* Beyond 4 GiB or 65,535 entries the directory's place stands in a second record, before the first. */
static cnn_status find_directory64(int descriptor, const char *path, uint64_t end_offset, extent *directory)
{
    unsigned char locator[END64_LOCATOR] = { 0 }, record[END64_RECORD] = { 0 };
    if (end_offset < END64_LOCATOR)
        return CNN_OK;
    cnn_status status = read_at(descriptor, path, end_offset - END64_LOCATOR, locator, sizeof locator);
    if (status || get32(locator) != END64_LOCATOR_SIGNATURE)
        return status;
    status = read_at(descriptor, path, get64(locator + 8), record, sizeof record);
    if (status)
        return status;
    if (get32(record) != END64_SIGNATURE)
        return broken(path, "the end of its directory is not where it should be");
    *directory = (extent){
        .offset = get64(record + 48), .size = get64(record + 40), .entries = get64(record + 32), .exact = true
    };
    return CNN_OK;
}

/* The record at the very end says where the directory is; a comment of up to 64 KiB may follow it. */
static cnn_status find_directory(cnn_context *context, int descriptor, const char *path, uint64_t file_size,
                                 extent *directory)
{
    size_t tail_size = file_size < END_RECORD + MAX_COMMENT ? (size_t)file_size : END_RECORD + MAX_COMMENT;
    if (tail_size < END_RECORD)
        return broken(path, "it is too short");
    unsigned char *tail = cnn_allocate(context, tail_size);
    if (!tail)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = read_at(descriptor, path, file_size - tail_size, tail, tail_size);
    size_t at = tail_size - END_RECORD;
    while (!status && (get32(tail + at) != END_SIGNATURE || at + END_RECORD + get16(tail + at + 20) > tail_size))
        if (at-- == 0)
            status = broken(path, "it has no directory, as if it had been cut off");
    if (!status) {
        *directory = (extent){ .offset = get32(tail + at + 16),
                               .size = get32(tail + at + 12),
                               .entries = get16(tail + at + 10) };
        uint32_t disk = get16(tail + at + 4);
        status = disk && disk != UINT16_MAX
                     ? cnn_fail(CNN_ERROR_UNSUPPORTED,
                                "%s: is the last of %u parts of a zip; join them, or unpack it and give the folder",
                                path, disk + 1)
                     : CNN_OK;
    }
    if (!status) {
        directory->end = file_size - tail_size + at;
        status = find_directory64(descriptor, path, directory->end, directory);
    }
    cnn_release(context, tail);
    return status;
}

/* The values that don't fit 32 bits stand in an extra field, in this order. */
static bool read_extra64(cnn_zip_entry *entry, const unsigned char *at, const unsigned char *end)
{
    uint64_t *values[] = { &entry->size, &entry->packed_size, &entry->header_offset };
    for (; end - at >= 4; at += 4 + get16(at + 2)) {
        size_t left = get16(at + 2);
        if (left > (size_t)(end - at - 4))
            return false;
        if (get16(at) != EXTRA_ZIP64)
            continue;
        const unsigned char *from = at + 4;
        for (int i = 0; i < 3; i++) {
            if (*values[i] != UINT32_MAX)
                continue;
            if (left < 8)
                return false;
            *values[i] = get64(from);
            from += 8;
            left -= 8;
        }
        return true;
    }
    return true;
}

static bool is_special(const unsigned char *header)
{
    uint32_t kind = get32(header + 38) >> UNIX_KIND_SHIFT;
    return header[5] == MADE_BY_UNIX && kind && kind != UNIX_KIND_REGULAR && kind != UNIX_KIND_FOLDER;
}

/* One header of the directory; its size, 0 if it is broken. */
static size_t parse_header(const unsigned char *header, size_t available, cnn_zip_entry *entry)
{
    if (available < DIRECTORY_HEADER || get32(header) != DIRECTORY_SIGNATURE)
        return 0;
    size_t name = get16(header + 28), extra = get16(header + 30), comment = get16(header + 32);
    size_t size = DIRECTORY_HEADER + name + extra + comment;
    if (size > available)
        return 0;
    uint32_t flags = get16(header + 8);
    const unsigned char *text = header + DIRECTORY_HEADER;
    *entry = (cnn_zip_entry){ .name = (const char *)text,
                              .name_length = name,
                              .extra = text + name,
                              .extra_length = extra,
                              .utf8 = (flags & FLAG_UTF8) != 0,
                              .header_offset = get32(header + 42),
                              .packed_size = get32(header + 20),
                              .size = get32(header + 24),
                              .crc = get32(header + 16),
                              .method = (uint16_t)get16(header + 10),
                              .special = is_special(header) };
    entry->encrypted = (flags & (FLAG_ENCRYPTED | FLAG_DIRECTORY_ENCRYPTED)) || entry->method == METHOD_AES;
    return read_extra64(entry, text + name, text + name + extra) ? size : 0;
}

static cnn_status parse_directory(cnn_zip_directory *directory, const char *path, extent place)
{
    size_t size = (size_t)place.size;
    for (size_t at = 0; at < size;) {
        if (!cnn_grow(directory->context, (void **)&directory->entries, &directory->capacity, directory->count + 1,
                      sizeof *directory->entries))
            return CNN_ERROR_OUT_OF_MEMORY;
        size_t used = parse_header(directory->bytes + at, size - at, &directory->entries[directory->count]);
        if (!used)
            return broken(path, "its directory makes no sense");
        directory->entries[directory->count++].header_offset += directory->prefix;
        at += used;
    }
    if (place.exact ? place.entries != directory->count : place.entries != (directory->count & UINT16_MAX))
        return cnn_fail(CNN_ERROR_FORMAT,
                        "%s: is a broken zip file: its directory has %zu entries, not the %llu it says", path,
                        directory->count, (unsigned long long)place.entries);
    return cnn_zip_check_overlap(directory, path);
}

/* A self-extracting zip begins with a program, which its offsets may leave out: then its directory stands later than it
 * says, and right before the record of its end. */
static uint64_t find_prefix(int descriptor, const char *path, const extent *place)
{
    unsigned char start[4] = { 0 };
    if (place->end < place->size || place->offset >= place->end - place->size)
        return 0;
    uint64_t offset = place->end - place->size;
    if (read_at(descriptor, path, offset, start, sizeof start) || get32(start) != DIRECTORY_SIGNATURE)
        return 0;
    return offset - place->offset;
}

cnn_status cnn_zip_directory_read(cnn_context *context, int descriptor, const char *path, cnn_zip_directory *directory)
{
    *directory = (cnn_zip_directory){ .context = context };
    cnn_file_info info;
    if (!cnn_os_fstat(descriptor, &info))
        return cnn_fail_errno(path, "can't be read");
    uint64_t file_size = directory->file_size = info.size;
    extent place = { 0 };
    cnn_status status = find_directory(context, descriptor, path, file_size, &place);
    if (status)
        return status;
    directory->prefix = find_prefix(descriptor, path, &place);
    place.offset += directory->prefix;
    if (place.offset > file_size || place.size > file_size - place.offset)
        return broken(path, "its directory lies outside it");
    if (place.size > max_directory_bytes)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: its directory is larger than a gibibyte", path);
    directory->bytes = cnn_allocate(context, (size_t)place.size);
    if (!directory->bytes)
        return CNN_ERROR_OUT_OF_MEMORY;
    status = read_at(descriptor, path, place.offset, directory->bytes, (size_t)place.size);
    return status ? status : parse_directory(directory, path, place);
}

void cnn_zip_directory_free(cnn_zip_directory *directory)
{
    cnn_release(directory->context, directory->entries);
    cnn_release(directory->context, directory->bytes);
    *directory = (cnn_zip_directory){ 0 };
}

/* The sizes, which the file's own local header may leave open, from the directory; a name of one letter. */
static void write_header(unsigned char *header, const cnn_zip_entry *entry)
{
    memset(header, 0, LOCAL_HEADER);
    put32(header, LOCAL_SIGNATURE);
    put16(header + 4, 20); /* the version needed: that of deflate */
    put16(header + 8, entry->method);
    put32(header + 14, entry->crc);
    put32(header + 18, (uint32_t)entry->packed_size);
    put32(header + 22, (uint32_t)entry->size);
    put16(header + 26, 1);
    header[LOCAL_HEADER] = 'x';
}

cnn_status cnn_zip_read_packed(cnn_context *context, int descriptor, const char *name, const cnn_zip_entry *entry,
                               unsigned char **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    unsigned char local[LOCAL_HEADER] = { 0 };
    cnn_status status = read_at(descriptor, name, entry->header_offset, local, sizeof local);
    if (status)
        return status;
    if (get32(local) != LOCAL_SIGNATURE)
        return broken(name, "the entry is not where the directory says");
    if (entry->packed_size >= UINT32_MAX || entry->size >= UINT32_MAX)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: is larger than 4 GiB", name);
    size_t header = LOCAL_HEADER + 1, packed = (size_t)entry->packed_size;
    unsigned char *memory = cnn_allocate(context, header + packed);
    if (!memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    write_header(memory, entry);
    uint64_t data = entry->header_offset + LOCAL_HEADER + get16(local + 26) + get16(local + 28);
    status = read_at(descriptor, name, data, memory + header, packed);
    if (status) {
        cnn_release(context, memory);
        return status;
    }
    *bytes = memory;
    *size = header + packed;
    return CNN_OK;
}
