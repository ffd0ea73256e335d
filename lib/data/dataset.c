#include "data/dataset_internal.h"

#include <string.h>
#include <strings.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "data/classes.h"
#include "data/layout.h"
#include "data/source_open.h"
#include "data/source_pixels.h"
#include "data/utf8.h"

enum { DEFAULT_MAX_CLASSES = 1000 };
static const uint64_t default_max_file_bytes = 64 << 20, default_max_decoded_bytes = (uint64_t)4 << 30;

static cnn_status read_options(const cnn_dataset_options *given, cnn_dataset_options *options)
{
    cnn_dataset_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_dataset_options");
    if (status)
        return status;
    if (options->part < CNN_PART_AUTO || options->part > CNN_PART_VALIDATION)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_options: %d is no part", (int)options->part);
    if (!options->max_classes)
        options->max_classes = DEFAULT_MAX_CLASSES;
    if (!options->max_file_bytes)
        options->max_file_bytes = default_max_file_bytes;
    if (!options->max_decoded_bytes)
        options->max_decoded_bytes = default_max_decoded_bytes;
    return CNN_OK;
}

static cnn_status check_source(const cnn_source *source)
{
    if (source->images.count > UINT32_MAX)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: has more than 4 billion images", source->path);
    if (source->images.count)
        return CNN_OK;
    if (source->inner_zip)
        return cnn_fail(CNN_ERROR_DATA, "%s: there are no images in it, but a zip, %s: unpack that, or open it",
                        source->path, source->inner_zip);
    if (source->refused_name)
        return cnn_fail(
            CNN_ERROR_DATA,
            "%s: the names of its files lead out of the zip, as %s, and are refused: make the zip anew, from "
            "within the folder",
            source->path, source->refused_name);
    return cnn_fail(CNN_ERROR_DATA, "%s: there are no images in it", source->path);
}

static cnn_status allocate_items(cnn_dataset *dataset, size_t count)
{
    dataset->items = cnn_allocate_zeroed(dataset->context, count, sizeof *dataset->items);
    return dataset->items ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status take_all(cnn_dataset *dataset)
{
    cnn_status status = allocate_items(dataset, dataset->source->images.count);
    for (size_t i = 0; i < dataset->source->images.count && !status; i++)
        dataset->items[dataset->count++] = (cnn_item){ .entry = (uint32_t)i, .label = -1 };
    dataset->parts[CNN_ROLE_TRAINING] = dataset->count;
    return status;
}

static void release_class_names(cnn_dataset *dataset)
{
    for (uint32_t i = 0; i < dataset->class_count && dataset->class_names; i++)
        cnn_release(dataset->context, dataset->class_names[i]);
    cnn_release(dataset->context, dataset->class_names);
    dataset->class_names = NULL;
    dataset->class_count = 0;
}

static cnn_status copy_class_names(cnn_dataset *dataset, const char *const *names, size_t count)
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

static void warn_of_forms(const cnn_dataset *dataset, const cnn_classes *classes)
{
    for (size_t i = 1; i < classes->count && classes->count <= DEFAULT_MAX_CLASSES; i++)
        for (size_t other = 0; other < i; other++)
            if (cnn_differs_in_form(classes->names[other], classes->names[i]))
                cnn_log(dataset->context, CNN_LOG_WARNING,
                        "%s: two of its classes look the same, \"%s\": the letters' accents are stored in two ways "
                        "(Unicode's forms NFC and NFD); rename one, so that they become one class",
                        dataset->source->path, classes->names[i]);
}

/* The classes are those of the training part, whichever part is opened: a model knows no others. Without one they are
 * those of all parts. */
static cnn_status find_classes(cnn_dataset *dataset, const cnn_layout *layout, uint32_t max_classes,
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
    return copy_class_names(dataset, classes->names, classes->count);
}

static cnn_status fail_unknown_class(const char *path, const char *label, const cnn_classes *classes)
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

static cnn_status take_labelled(cnn_dataset *dataset, const cnn_layout *layout, const bool wanted[CNN_ROLES],
                                const cnn_classes *classes)
{
    size_t count = 0;
    for (int role = 0; role < CNN_ROLES; role++)
        count += wanted[role] ? layout->labelled[role] : 0;
    cnn_status status = allocate_items(dataset, count);
    if (status)
        return status;
    for (size_t i = 0; i < dataset->source->images.count; i++) {
        const char *label = layout->labels[i];
        if (!label || !wanted[layout->roles[i]])
            continue;
        int64_t class_index = cnn_classes_find(classes, label, strlen(label));
        if (class_index < 0)
            return fail_unknown_class(dataset->source->images.entries[i].path, label, classes);
        dataset->items[dataset->count++] =
            (cnn_item){ .entry = (uint32_t)i, .label = (int32_t)class_index, .role = layout->roles[i] };
    }
    return CNN_OK;
}

static cnn_status fill(cnn_dataset *dataset, const cnn_dataset_options *options)
{
    cnn_status status = check_source(dataset->source);
    if (status)
        return status;
    if (options->unlabelled)
        return take_all(dataset);
    cnn_layout layout;
    cnn_classes classes = { 0 };
    bool wanted[CNN_ROLES] = { false };
    status = cnn_layout_find(dataset->source, &layout);
    if (!status) {
        dataset->divided = layout.is_pair;
        memcpy(dataset->parts, layout.labelled, sizeof dataset->parts);
        status = cnn_dataset_choose_roles(dataset, options->part, wanted);
    }
    if (!status)
        status = find_classes(dataset, &layout, options->max_classes, &classes);
    if (!status)
        status = take_labelled(dataset, &layout, wanted, &classes);
    cnn_release(dataset->context, classes.names);
    cnn_layout_free(dataset->source, &layout);
    return status;
}

cnn_status cnn_dataset_open(cnn_context *context, const char *path, const cnn_dataset_options *given,
                            cnn_dataset **result)
{
    if (!result)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_open: the result has no place: NULL was given");
    *result = NULL;
    if (!path || !*path)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_open: no path was given");
    cnn_dataset_options options;
    cnn_status status = read_options(given, &options);
    if (status)
        return status;
    cnn_dataset *dataset = cnn_allocate_zeroed(context, 1, sizeof *dataset);
    if (!dataset)
        return CNN_ERROR_OUT_OF_MEMORY;
    dataset->context = context;
    dataset->max_file_bytes = options.max_file_bytes;
    dataset->max_decoded_bytes = options.max_decoded_bytes;
    status = cnn_source_open(context, path, options.unlabelled, options.max_unpacked_bytes, &dataset->source);
    if (!status)
        status = fill(dataset, &options);
    if (status) {
        cnn_dataset_destroy(dataset);
        return status;
    }
    *result = dataset;
    return CNN_OK;
}

static cnn_status check_class_names(const char *const *names, uint32_t count)
{
    if ((count && !names) || count > DEFAULT_MAX_CLASSES)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_create_from_pixels: the names of %u classes can't be had",
                        count);
    for (uint32_t i = 0; i < count; i++) {
        if (!names[i])
            return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_create_from_pixels: class %u has no name", i);
        for (uint32_t other = 0; other < i; other++)
            if (!strcmp(names[i], names[other]))
                return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_create_from_pixels: two classes are named \"%s\"",
                                names[i]);
    }
    return CNN_OK;
}

static cnn_status take_labels(cnn_dataset *dataset, const int32_t *labels)
{
    cnn_status status = take_all(dataset);
    for (size_t i = 0; i < dataset->count && labels && !status; i++) {
        if (labels[i] < -1 || labels[i] >= (int64_t)dataset->class_count)
            return cnn_fail(CNN_ERROR_ARGUMENT,
                            "cnn_dataset_create_from_pixels: the label of image %zu is %d; there "
                            "are %u classes",
                            i, (int)labels[i], dataset->class_count);
        dataset->items[i].label = labels[i];
    }
    return status;
}

cnn_status cnn_dataset_create_from_pixels(cnn_context *context, const cnn_tensor *const *images, const int32_t *labels,
                                          uint64_t count, const char *const *class_names, uint32_t class_count,
                                          cnn_dataset **result)
{
    if (result)
        *result = NULL;
    if (!result || !images || !count || count > UINT32_MAX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_create_from_pixels: 1 to 4 billion images and a place for the "
                                            "result must be given");
    cnn_status status = check_class_names(class_names, class_count);
    if (status)
        return status;
    cnn_dataset *dataset = cnn_allocate_zeroed(context, 1, sizeof *dataset);
    if (!dataset)
        return CNN_ERROR_OUT_OF_MEMORY;
    dataset->context = context;
    dataset->verified = true;
    status = cnn_source_create_pixels(context, images, count, &dataset->source);
    if (!status)
        status = copy_class_names(dataset, class_names, class_count);
    if (!status)
        status = take_labels(dataset, labels);
    if (status)
        cnn_dataset_destroy(dataset);
    else
        *result = dataset;
    return status;
}

void cnn_dataset_destroy(cnn_dataset *dataset)
{
    if (!dataset)
        return;
    release_class_names(dataset);
    cnn_release(dataset->context, dataset->items);
    cnn_source_release(dataset->source);
    cnn_release(dataset->context, dataset);
}

cnn_status cnn_dataset_derive(const cnn_dataset *dataset, size_t count, cnn_dataset **derived)
{
    *derived = NULL;
    cnn_dataset *result = cnn_allocate_zeroed(dataset->context, 1, sizeof *result);
    if (!result)
        return CNN_ERROR_OUT_OF_MEMORY;
    result->context = dataset->context;
    result->source = cnn_source_share(dataset->source);
    result->max_file_bytes = dataset->max_file_bytes;
    result->max_decoded_bytes = dataset->max_decoded_bytes;
    result->verified = dataset->verified;
    result->divided = dataset->divided;
    memcpy(result->parts, dataset->parts, sizeof result->parts);
    cnn_status status = allocate_items(result, count);
    if (!status)
        status = copy_class_names(result, (const char *const *)dataset->class_names, dataset->class_count);
    if (status)
        cnn_dataset_destroy(result);
    else
        *derived = result;
    return status;
}

cnn_status cnn_dataset_copy(const cnn_dataset *dataset, cnn_dataset **copy)
{
    cnn_status status = cnn_dataset_derive(dataset, dataset->count, copy);
    if (status)
        return status;
    memcpy((*copy)->items, dataset->items, dataset->count * sizeof *dataset->items);
    (*copy)->count = dataset->count;
    return CNN_OK;
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
                ", but for one that looks the same and stores its letters' accents in another way (Unicode's forms NFC "
                "and NFD): rename the data's class";
    return cnn_fail(CNN_ERROR_DATA, "%s: the class \"%s\" of %s is none that the model knows%s", dataset->source->path,
                    label, cnn_dataset_path(dataset, image), more);
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
    for (uint32_t i = 0; i < count; i++)
        if (!names[i])
            return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_align_classes: the name of class %u is NULL", i);
    int32_t *map = cnn_allocate_zeroed(dataset->context, dataset->class_count, sizeof *map);
    if (!map)
        return CNN_ERROR_OUT_OF_MEMORY;
    map_classes(dataset, names, count, map);
    cnn_dataset renamed = { .context = dataset->context };
    cnn_status status = check_alignment(dataset, map, names, count);
    if (!status)
        status = copy_class_names(&renamed, names, count);
    if (status) {
        release_class_names(&renamed);
    } else {
        for (size_t i = 0; i < dataset->count; i++)
            if (dataset->items[i].label >= 0)
                dataset->items[i].label = map[dataset->items[i].label];
        release_class_names(dataset);
        dataset->class_names = renamed.class_names;
        dataset->class_count = renamed.class_count;
    }
    cnn_release(dataset->context, map);
    return status;
}
