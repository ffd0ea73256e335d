/* Class names, sorted by bytes, each once. */
#ifndef CNN_DATA_CLASSES_H
#define CNN_DATA_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>
#include <cnn/status.h>

typedef struct cnn_classes {
    const char **names; /* the array is owned, the texts are not */
    size_t count;
} cnn_classes;

/* The distinct names among `labels`, in which NULL stands for none. */
cnn_status cnn_classes_collect(cnn_context *context, const char *const *labels, size_t count, cnn_classes *classes);

/* The index of the name that is `length` bytes at `name`; −1 if there is none. */
int64_t cnn_classes_find(const cnn_classes *classes, const char *name, size_t length);

#endif
