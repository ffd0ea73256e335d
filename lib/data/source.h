/* Where a dataset's images come from: a folder, a zip, a CSV file or memory, behind one interface. A source lists its
 * entries when it is opened and reads the bytes of any of them later, from many threads at once. */
#ifndef CNN_DATA_SOURCE_H
#define CNN_DATA_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

#include "data/part_name.h"

typedef struct cnn_entry {
    const char *path;  /* in full, as messages name it; its first `prefix` bytes are the same in every entry */
    const char *label; /* from a list of labels; else NULL */
    uint64_t locator;  /* the source's own way to find it; in order of appearance */
    cnn_role role;     /* from a list that is divided into parts */
} cnn_entry;

typedef struct cnn_entry_list {
    cnn_entry *entries;
    size_t count, capacity;
} cnn_entry_list;

typedef struct cnn_source cnn_source;

typedef struct cnn_source_type {
    cnn_status (*read)(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes, size_t *size);
    /* for images that are decoded already: a tensor over an entry's pixels. NULL: `read` gives a file's bytes */
    cnn_status (*pixels)(cnn_source *source, const cnn_entry *entry, cnn_tensor **pixels);
    void (*close)(cnn_source *source); /* frees `state`; may be NULL */
} cnn_source_type;

struct cnn_source {
    const cnn_source_type *type;
    cnn_context *context;
    atomic_uint references;
    const char *path;       /* as the user gave it, without slashes at its end */
    size_t prefix;          /* bytes of each entry's path before the part that is relative to the source */
    bool is_list;           /* entries carry their labels: the paths say nothing of classes */
    bool is_divided;        /* and a training part and another are among them */
    cnn_entry_list images;  /* what may be images, sorted by path */
    cnn_entry_list folders; /* every folder below the source, with or without images; paths end in a slash; sorted */
    uint64_t max_unpacked_bytes;     /* of a zip; 0: what its size explains */
    const char *refused_name;        /* of an image in a zip that climbs out of it; NULL if there is none */
    const char *inner_zip;           /* a zip inside the source, which is passed over; NULL if there is none */
    atomic_uint_least64_t *contents; /* of each image: a hash of its file's bytes, 0 until they are read */
    struct text_block *texts;
    void *state;
};

/* A source of nothing yet, with one reference; NULL if there is no memory. Each share is released, too. */
cnn_source *cnn_source_new(cnn_context *context);
cnn_source *cnn_source_share(cnn_source *source);
void cnn_source_release(cnn_source *source); /* NULL is ignored */

/* Called when all images are listed. */
cnn_status cnn_source_make_contents(cnn_source *source);

/* Openers, called by cnn_source_open: each fills `type`, `prefix`, `state` and the lists. */
cnn_status cnn_source_open_folder(cnn_source *source, bool any_image);
cnn_status cnn_source_open_file(cnn_source *source);
cnn_status cnn_source_open_zip(cnn_source *source);
cnn_status cnn_source_open_csv(cnn_source *source, bool labels_wanted);

/* Reads a file of the file system: the `read` of folders and lists. */
cnn_status cnn_source_read_file(cnn_source *source, const cnn_entry *entry, uint64_t max_bytes, void **bytes,
                                size_t *size);

/* Adds to one of the source's lists. `path` must live as long as the source. */
cnn_status cnn_source_add(cnn_source *source, cnn_entry_list *list, const char *path, uint64_t locator);

/* Room for `count` images, where their number is known: too many for the memory fail at once. */
cnn_status cnn_source_reserve(cnn_source *source, size_t count);

/* Memory that lives as long as the source; for paths and labels. */
char *cnn_source_text(cnn_source *source, size_t size);

/* `first` followed by `second`, in such memory. */
char *cnn_source_join(cnn_source *source, const char *first, const char *second);

/* "image 7": the name of an image that has none of its own. */
char *cnn_source_number(cnn_source *source, uint64_t index);

#endif
