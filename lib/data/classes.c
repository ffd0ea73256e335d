#include "data/classes.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

cnn_status cnn_classes_collect(cnn_context *context, const char *const *labels, size_t count, cnn_classes *classes)
{
    *classes = (cnn_classes){ 0 };
    const char **names = cnn_allocate_zeroed(context, count, sizeof *names);
    if (!names)
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t labelled = 0, distinct = 0;
    for (size_t i = 0; i < count; i++) /* neighbours mostly share their class */
        if (labels[i] && (!labelled || strcmp(names[labelled - 1], labels[i]) != 0))
            names[labelled++] = labels[i];
    if (labelled)
        qsort(names, labelled, sizeof *names, compare_texts);
    for (size_t i = 0; i < labelled; i++)
        if (!distinct || strcmp(names[distinct - 1], names[i]) != 0)
            names[distinct++] = names[i];
    *classes = (cnn_classes){ .names = names, .count = distinct };
    return CNN_OK;
}

int64_t cnn_classes_find(const cnn_classes *classes, const char *name, size_t length)
{
    size_t low = 0, high = classes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(classes->names[middle], name, length);
        if (!order && classes->names[middle][length])
            order = 1;
        if (!order)
            return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
