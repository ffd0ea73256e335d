/* The classes of a dataset, and their order. */
#include <string.h>
#include <strings.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "data/dataset_internal.h"
#include "data/utf8.h"

void cnn_dataset_release_class_names(cnn_dataset *dataset)
{
    for (uint32_t i = 0; i < dataset->class_count && dataset->class_names; i++)
        cnn_release(dataset->context, dataset->class_names[i]);
    cnn_release(dataset->context, dataset->class_names);
    dataset->class_names = NULL;
    dataset->class_count = 0;
}

cnn_status cnn_check_class_names(const char *const *names, uint32_t count, const char *function)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!names[i])
            return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the name of class %u is NULL", function, i);
        if (!cnn_is_utf8(names[i], strlen(names[i]))) /* no model file could hold it */
            return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the name of class %u is not UTF-8: convert it", function, i);
    }
    return CNN_OK;
}

cnn_status cnn_dataset_copy_class_names(cnn_dataset *dataset, const char *const *names, size_t count)
{
    dataset->class_names = cnn_allocate_zeroed(dataset->context, count, sizeof *dataset->class_names);
    if (!dataset->class_names)
        return CNN_ERROR_OUT_OF_MEMORY;
    dataset->class_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        if (!(dataset->class_names[i] = cnn_copy_text(dataset->context, names[i])))
            return CNN_ERROR_OUT_OF_MEMORY;
    return CNN_OK;
}

/* Each name is compared with each. */
enum { MOST_COMPARED = 1000 };

static void warn_of_forms(const cnn_dataset *dataset, const cnn_classes *classes)
{
    for (size_t i = 1; i < classes->count && classes->count <= MOST_COMPARED; i++)
        for (size_t other = 0; other < i; other++)
            if (cnn_differs_in_form(classes->names[other], classes->names[i]))
                cnn_log(dataset->context, CNN_LOG_WARNING,
                        "%s: two of its classes look the same, \"%s\": the letters' accents are stored in two ways "
                        "(Unicode's forms NFC and NFD); rename one, so that they become one class",
                        dataset->source->path, classes->names[i]);
}

cnn_status cnn_dataset_find_classes(cnn_dataset *dataset, const cnn_layout *layout, uint32_t max_classes,
                                    cnn_classes *classes)
{
    size_t count = dataset->source->images.count;
    const char **labels = cnn_allocate_zeroed(dataset->context, count, sizeof *labels);
    if (!labels)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        labels[i] =
            layout->roles[i] == CNN_ROLE_TRAINING || !layout->labelled[CNN_ROLE_TRAINING] ? layout->labels[i] : NULL;
    cnn_status status = cnn_classes_collect(dataset->context, labels, count, classes);
    cnn_release(dataset->context, labels);
    if (status)
        return status;
    const char *path = dataset->source->path;
    if (classes->count < 2)
        return cnn_fail(CNN_ERROR_DATA, "%s: there is only one class, \"%s\"; at least two are needed", path,
                        classes->count ? classes->names[0] : "");
    if (classes->count > max_classes)
        return cnn_fail(CNN_ERROR_DATA, "%s: there are %zu classes (\"%s\", \"%s\", ...); at most %u are allowed", path,
                        classes->count, classes->names[0], classes->names[1], max_classes);
    warn_of_forms(dataset, classes);
    return cnn_dataset_copy_class_names(dataset, classes->names, classes->count);
}

cnn_status cnn_dataset_fail_unknown_class(const char *path, const char *label, const cnn_classes *classes)
{
    for (size_t i = 0; i < classes->count; i++)
        if (!strcasecmp(label, classes->names[i]))
            return cnn_fail(
                CNN_ERROR_DATA,
                "%s: its class \"%s\" is none of the training part's, which has \"%s\": rename one, so that "
                "both are written alike",
                path, label, classes->names[i]);
    for (size_t i = 0; i < classes->count; i++)
        if (cnn_differs_in_form(label, classes->names[i]))
            return cnn_fail(
                CNN_ERROR_DATA,
                "%s: its class \"%s\" is none of the training part's, which has one that looks the same: the "
                "letters' accents are stored in another way (Unicode's forms NFC and NFD); rename one, so "
                "that both are written alike",
                path, label);
    return cnn_fail(CNN_ERROR_DATA, "%s: its class \"%s\" is none of the training part's", path, label);
}

/* What each class's index becomes; −1 for a class that `names` doesn't have. */
static void map_classes(const cnn_dataset *dataset, const char *const *names, uint32_t count, int32_t *map)
{
    for (uint32_t old = 0; old < dataset->class_count; old++) {
        map[old] = -1;
        for (uint32_t i = 0; i < count; i++)
            if (!strcmp(names[i], dataset->class_names[old]))
                map[old] = (int32_t)i;
    }
}

static cnn_status fail_unknown_to_model(const cnn_dataset *dataset, size_t image, const char *const *names,
                                        uint32_t count)
{
    const char *label = dataset->class_names[dataset->items[image].label], *more = "";
    for (uint32_t i = 0; i < count; i++)
        if (cnn_differs_in_form(label, names[i]))
            more =
                "; it has one that looks the same, but stores its accents in another Unicode form (NFC or NFD): rename "
                "the data's class";
    return cnn_fail(CNN_ERROR_DATA, "%s: the model has no class \"%s\", which is the class of %s%s",
                    dataset->source->path, label, cnn_dataset_path(dataset, image), more);
}

static cnn_status check_alignment(const cnn_dataset *dataset, const int32_t *map, const char *const *names,
                                  uint32_t count)
{
    for (size_t i = 0; i < dataset->count; i++) {
        int32_t label = dataset->items[i].label;
        if (label >= 0 && map[label] < 0)
            return fail_unknown_to_model(dataset, i, names, count);
    }
    return CNN_OK;
}

cnn_status cnn_dataset_align_classes(cnn_dataset *dataset, const char *const *names, uint32_t count)
{
    if (!dataset || !names || !count)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_align_classes: a dataset and class names must be given");
    cnn_status status = cnn_check_class_names(names, count, "cnn_dataset_align_classes");
    if (status)
        return status;
    int32_t *map = cnn_allocate_zeroed(dataset->context, dataset->class_count, sizeof *map);
    if (!map)
        return CNN_ERROR_OUT_OF_MEMORY;
    map_classes(dataset, names, count, map);
    cnn_dataset renamed = { .context = dataset->context };
    status = check_alignment(dataset, map, names, count);
    if (!status)
        status = cnn_dataset_copy_class_names(&renamed, names, count);
    if (status) {
        cnn_dataset_release_class_names(&renamed);
    } else {
        for (size_t i = 0; i < dataset->count; i++)
            if (dataset->items[i].label >= 0)
                dataset->items[i].label = map[dataset->items[i].label];
        cnn_dataset_release_class_names(dataset);
        dataset->class_names = renamed.class_names;
        dataset->class_count = renamed.class_count;
    }
    cnn_release(dataset->context, map);
    return status;
}
