/* Which images have which class, told from nothing but their paths: the same for folders and for zips. */
#ifndef CNN_DATA_LAYOUT_H
#define CNN_DATA_LAYOUT_H

#include <stdbool.h>

#include "data/source.h"

typedef struct cnn_layout {
    const char **labels;  /* of the source's images, in their order; NULL: no class. The texts are the source's. */
    unsigned char *roles; /* a cnn_role each; all CNN_ROLE_TRAINING where there is no pair */
    size_t labelled[CNN_ROLES]; /* images that have a class, by role */
    bool is_pair;               /* the source is divided into a training part and another */
} cnn_layout;

/* Errors: CNN_ERROR_DATA if no two classes can be told. Freed with cnn_layout_free, also after an error. */
cnn_status cnn_layout_find(cnn_source *source, cnn_layout *layout);
void cnn_layout_free(cnn_source *source, cnn_layout *layout);

#endif
