/* What the files that find a layout share. */
#ifndef CNN_DATA_LAYOUT_INTERNAL_H
#define CNN_DATA_LAYOUT_INTERNAL_H

#include "data/classes.h"
#include "data/layout.h"

/* A folder, as the images below it: sorted by path they stand side by side. */
typedef struct cnn_layout_level {
    size_t first, end;
    size_t depth; /* bytes of each path before the names in this folder */
} cnn_layout_level;

typedef struct cnn_layout_finder {
    cnn_source *source;
    cnn_layout *layout;
    cnn_classes known;        /* the training part's classes, once they are known */
    const char *only_class;   /* for the error if there are no two: the only folder or name */
    const char *empty_folder; /* beside it */
    const char *lone_name;    /* the first of `lone_names` files whose class no other file's name has */
    size_t lone_names;
    bool only_parts;   /* every folder is named like a part, so that none of them is a class */
    bool has_training; /* one of them like a training part */
} cnn_layout_finder;

/* A folder's or file's name as a class name, in the source's memory. NULL without memory. */
const char *cnn_layout_make_label(cnn_source *source, const char *name, size_t length);

void cnn_layout_set_label(cnn_layout_finder *f, size_t image, const char *label, cnn_role role);

/* Labels the images that lie in the folder `at` itself by their names; `*classes` stays 0 if these tell none. */
cnn_status cnn_layout_label_flat(cnn_layout_finder *f, cnn_layout_level at, cnn_role role, size_t *classes);

#endif
