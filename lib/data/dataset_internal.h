/* The struct behind cnn_dataset, and what its source files share. */
#ifndef CNN_DATA_DATASET_INTERNAL_H
#define CNN_DATA_DATASET_INTERNAL_H

#include <cnn/dataset.h>

#include "data/classes.h"
#include "data/layout.h"
#include "data/source.h"

typedef struct cnn_item {
    uint32_t entry; /* index into source->images */
    int32_t label;  /* class index; −1: none */
    cnn_role role;  /* CNN_ROLE_TRAINING where the source isn't divided */
} cnn_item;

struct cnn_dataset {
    cnn_context *context;
    cnn_source *source; /* shared with the datasets that were split off */
    cnn_item *items;
    size_t count;
    char **class_names;
    uint32_t class_count;
    uint64_t max_file_bytes, max_decoded_bytes;
    bool divided;            /* the source is, into a training part and another */
    size_t parts[CNN_ROLES]; /* images with a class in each part of the source */
    bool verified;           /* every image has been decoded once */
};

/* A dataset over the same source with the same classes, and room for `count` items, of which it has none yet. */
cnn_status cnn_dataset_derive(const cnn_dataset *dataset, size_t count, cnn_dataset **derived);

/* As cnn_dataset_decode, for an input of options->min_width × min_height. `fit`: see image/decode.h. */
cnn_status cnn_dataset_decode_to_fit(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                                     int fit, cnn_tensor **pixels);

/* Which parts `part` means. */
cnn_status cnn_dataset_choose_roles(const cnn_dataset *dataset, cnn_part part, bool wanted[CNN_ROLES]);

/* Finds the classes of a layout, and gives the dataset their names. They are those of the training part, whichever part
 * is opened, as a model knows no others; without a training part, those of all parts. */
cnn_status cnn_dataset_find_classes(cnn_dataset *dataset, const cnn_layout *layout, uint32_t max_classes,
                                    cnn_classes *classes);

/* Says that the class of an image is none of the training part's, and which one may have been meant. */
cnn_status cnn_dataset_fail_unknown_class(const char *path, const char *label, const cnn_classes *classes);

/* Refuses names that are NULL or not UTF-8. `function` begins the sentence. */
cnn_status cnn_check_class_names(const char *const *names, uint32_t count, const char *function);

cnn_status cnn_dataset_copy_class_names(cnn_dataset *dataset, const char *const *names, size_t count);
void cnn_dataset_release_class_names(cnn_dataset *dataset);

/* A dataset of the same images. */
cnn_status cnn_dataset_copy(const cnn_dataset *dataset, cnn_dataset **copy);

#endif
