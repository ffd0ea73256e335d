/* Making datasets. */
#include "data/dataset_internal.h"

#include <assert.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "data/source_callback.h"
#include "data/source_open.h"
#include "data/source_pixels.h"

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
            return cnn_dataset_fail_unknown_class(dataset->source->images.entries[i].path, label, classes);
        dataset->items[dataset->count++] =
            (cnn_item){ .entry = (uint32_t)i, .label = (int32_t)class_index, .role = layout->roles[i] };
    }
    return CNN_OK;
}

static cnn_status choose_items(cnn_dataset *dataset, const cnn_dataset_options *options)
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
        status = cnn_dataset_find_classes(dataset, &layout, options->max_classes, &classes);
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
        status = choose_items(dataset, &options);
    if (status) {
        cnn_dataset_destroy(dataset);
        return status;
    }
    *result = dataset;
    return CNN_OK;
}

static cnn_status check_class_names(const char *const *names, uint32_t count, const char *function)
{
    if (count > DEFAULT_MAX_CLASSES)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: there are %u classes; at most %d are possible", function, count,
                        DEFAULT_MAX_CLASSES);
    if (count && !names)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: there are %u classes, but class_names is NULL", function, count);
    cnn_status status = cnn_check_class_names(names, count, function);
    for (uint32_t i = 0; i < count && !status; i++)
        for (uint32_t other = 0; other < i; other++)
            if (!strcmp(names[i], names[other]))
                return cnn_fail(CNN_ERROR_ARGUMENT, "%s: two classes are named \"%s\"", function, names[i]);
    return status;
}

static cnn_status take_labels(cnn_dataset *dataset, const int32_t *labels, const char *function)
{
    cnn_status status = take_all(dataset);
    for (size_t i = 0; i < dataset->count && labels && !status; i++) {
        if (labels[i] < -1 || labels[i] >= (int64_t)dataset->class_count)
            return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the label of image %zu is %d; there are %u classes", function, i,
                            (int)labels[i], dataset->class_count);
        dataset->items[i].label = labels[i];
    }
    return status;
}

/* A dataset of a source that the caller describes. Takes the source over. */
static cnn_status create_from_source(cnn_context *context, cnn_source *source, const cnn_dataset_source *described,
                                     const char *function, cnn_dataset **result)
{
    assert(result);
    cnn_dataset_options defaults;
    cnn_dataset *dataset = cnn_allocate_zeroed(context, 1, sizeof *dataset);
    cnn_status status = dataset ? read_options(NULL, &defaults) : CNN_ERROR_OUT_OF_MEMORY;
    if (status) {
        cnn_source_release(source);
        return status;
    }
    dataset->context = context;
    dataset->source = source;
    dataset->max_file_bytes = defaults.max_file_bytes;
    dataset->max_decoded_bytes = defaults.max_decoded_bytes;
    dataset->verified = source->type->pixels != NULL;
    status = cnn_dataset_copy_class_names(dataset, described->class_names, described->class_count);
    if (!status)
        status = take_labels(dataset, described->labels, function);
    if (status)
        cnn_dataset_destroy(dataset);
    else
        *result = dataset;
    return status;
}

cnn_status cnn_dataset_create_from_pixels(cnn_context *context, const cnn_tensor *const *images, const int32_t *labels,
                                          uint64_t count, const char *const *class_names, uint32_t class_count,
                                          cnn_dataset **result)
{
    static const char function[] = "cnn_dataset_create_from_pixels";
    if (result)
        *result = NULL;
    if (!result || !images || !count || count > UINT32_MAX)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: 1 to 4 billion images and a place for the result must be given",
                        function);
    const cnn_dataset_source described = { .class_count = class_count, .class_names = class_names, .labels = labels };
    cnn_source *source = NULL;
    cnn_status status = check_class_names(class_names, class_count, function);
    if (!status)
        status = cnn_source_create_pixels(context, images, count, &source);
    return status ? status : create_from_source(context, source, &described, function, result);
}

cnn_status cnn_dataset_create_from_source(cnn_context *context, const cnn_dataset_source *given, cnn_dataset **result)
{
    static const char function[] = "cnn_dataset_create_from_source";
    if (result)
        *result = NULL;
    cnn_dataset_source described;
    cnn_dataset_source_init(&described);
    cnn_status status = cnn_options_read(&described, sizeof described, given, "cnn_dataset_source");
    if (!status && (!result || !described.read || !described.count || described.count > UINT32_MAX))
        status = cnn_fail(CNN_ERROR_ARGUMENT,
                          "%s: 1 to 4 billion images, `read`, and a place for the result must be given", function);
    cnn_source *source = NULL;
    if (!status)
        status = check_class_names(described.class_names, described.class_count, function);
    if (!status)
        status = cnn_source_create_callback(context, &described, &source);
    return status ? status : create_from_source(context, source, &described, function, result);
}

void cnn_dataset_destroy(cnn_dataset *dataset)
{
    if (!dataset)
        return;
    cnn_dataset_release_class_names(dataset);
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
        status = cnn_dataset_copy_class_names(result, (const char *const *)dataset->class_names, dataset->class_count);
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
