/* A dataset from within. */
#ifndef CNN_DATA_DATASET_INTERNAL_H
#define CNN_DATA_DATASET_INTERNAL_H

#include <cnn/dataset.h>

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

/* A dataset of the same images. */
cnn_status cnn_dataset_copy(const cnn_dataset *dataset, cnn_dataset **copy);

#endif
