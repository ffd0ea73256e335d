/* Opening a source by the kind of what is there. */
#ifndef CNN_DATA_SOURCE_OPEN_H
#define CNN_DATA_SOURCE_OPEN_H

#include "data/source.h"

/* Opens whatever is at `path`. With `any_image`, `path` may also be one image. The source has one reference.
 * `max_unpacked_bytes`: see cnn_dataset_options. */
cnn_status cnn_source_open(cnn_context *context, const char *path, bool any_image, uint64_t max_unpacked_bytes,
                           cnn_source **source);

#endif
