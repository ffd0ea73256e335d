/* Opening a source by the kind of what is there. */
#ifndef CNN_DATA_SOURCE_OPEN_H
#define CNN_DATA_SOURCE_OPEN_H

#include "data/source.h"

/* Opens whatever is at `path`. With `any_image`, `path` may also be one image. The source has one reference. */
cnn_status cnn_source_open(cnn_context *context, const char *path, bool any_image, cnn_source **source);

#endif
