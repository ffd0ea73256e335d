/* No two entries of a sound zip share bytes; those of a bomb do, so that a small file holds the same data thousands of
 * times over. */
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "data/zip_directory.h"

enum { LOCAL_HEADER = 30, SHOWN = 200 };

typedef struct span {
    uint64_t first, end;
    size_t entry;
} span;

static int compare_spans(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static int shown(const cnn_zip_entry *entry)
{
    return entry->name_length < SHOWN ? (int)entry->name_length : SHOWN;
}

static cnn_status check(const cnn_zip_directory *directory, const span *spans, const char *path)
{
    for (size_t i = 1; i < directory->count; i++) {
        if (spans[i].first >= spans[i - 1].end)
            continue;
        const cnn_zip_entry *one = &directory->entries[spans[i - 1].entry],
                            *other = &directory->entries[spans[i].entry];
        return cnn_fail(CNN_ERROR_FORMAT, "%s: is a broken zip file: its entries %.*s and %.*s lie in the same place",
                        path, shown(one), one->name, shown(other), other->name);
    }
    return CNN_OK;
}

cnn_status cnn_zip_check_overlap(const cnn_zip_directory *directory, const char *path)
{
    span *spans = cnn_allocate_zeroed(directory->context, directory->count, sizeof *spans);
    if (!spans)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < directory->count; i++) {
        const cnn_zip_entry *entry = &directory->entries[i];
        uint64_t first = entry->header_offset, header = LOCAL_HEADER + entry->name_length;
        uint64_t most = UINT64_MAX - first; /* offsets and sizes are claims: their sum may be too large */
        uint64_t size = entry->packed_size < UINT64_MAX - header ? entry->packed_size + header : UINT64_MAX;
        spans[i] = (span){ first, first + (size < most ? size : most), i };
    }
    if (directory->count)
        qsort(spans, directory->count, sizeof *spans, compare_spans);
    cnn_status status = check(directory, spans, path);
    cnn_release(directory->context, spans);
    return status;
}
