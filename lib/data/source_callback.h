/* Images whose files the caller gives when they are asked for. */
#ifndef CNN_DATA_SOURCE_CALLBACK_H
#define CNN_DATA_SOURCE_CALLBACK_H

#include <cnn/dataset.h>

#include "data/source.h"

/* A source whose entries are those of `given`, in their order. */
cnn_status cnn_source_create_callback(cnn_context *context, const cnn_dataset_source *given, cnn_source **source);

#endif
