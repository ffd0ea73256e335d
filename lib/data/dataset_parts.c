/* The parts of a dataset: for training, validation and tests. */
#include "core/error.h"
#include "core/options.h"
#include "data/dataset_internal.h"
#include "data/source_open.h"

cnn_status cnn_dataset_choose_roles(const cnn_dataset *dataset, cnn_part part, bool wanted[CNN_ROLES])
{
    const size_t *images = dataset->parts;
    const char *path = dataset->source->path;
    cnn_role role = part == CNN_PART_TEST         ? CNN_ROLE_TEST
                    : part == CNN_PART_VALIDATION ? CNN_ROLE_VALIDATION
                                                  : CNN_ROLE_TRAINING;
    if (part != CNN_PART_AUTO && part != CNN_PART_ALL && !dataset->divided)
        return cnn_fail(CNN_ERROR_DATA, "%s: isn't divided into a training part and one for validation or tests", path);
    if (role == CNN_ROLE_TEST && !images[role])
        role = CNN_ROLE_VALIDATION;
    else if (role == CNN_ROLE_VALIDATION && !images[role])
        role = CNN_ROLE_TEST;
    if (role == CNN_ROLE_TRAINING && part != CNN_PART_ALL && dataset->divided && !images[role])
        return cnn_fail(CNN_ERROR_DATA,
                        "%s: has a validation and a test part, and no training part: that is a folder train beside "
                        "them, or rows of a list whose split is train",
                        path);
    if (role != CNN_ROLE_TRAINING && !images[role])
        return cnn_fail(CNN_ERROR_DATA, "%s: the images of its test part are in no classes", path);
    for (int i = 0; i < CNN_ROLES; i++)
        wanted[i] = part == CNN_PART_ALL || i == (int)role;
    return CNN_OK;
}

cnn_status cnn_dataset_get_parts(const cnn_dataset *dataset, cnn_dataset_parts *given)
{
    if (!dataset)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_get_parts: no dataset was given");
    const cnn_dataset_parts parts = { .struct_size = sizeof parts,
                                      .divided = dataset->divided &&
                                                 (dataset->parts[CNN_ROLE_VALIDATION] || dataset->parts[CNN_ROLE_TEST]),
                                      .training = dataset->parts[CNN_ROLE_TRAINING],
                                      .validation = dataset->parts[CNN_ROLE_VALIDATION],
                                      .test = dataset->parts[CNN_ROLE_TEST] };
    return cnn_options_write(given, &parts, sizeof parts, "cnn_dataset_parts");
}

uint32_t cnn_dataset_has_test_part(cnn_context *context, const char *path)
{
    cnn_source *source;
    cnn_layout layout = { 0 };
    if (!path || !*path || cnn_source_open(context, path, false, UINT64_MAX, &source)) /* nothing is unpacked */
        return 0;
    int has = source->images.count && !cnn_layout_find(source, &layout) && layout.is_pair &&
              (layout.labelled[CNN_ROLE_TEST] || layout.labelled[CNN_ROLE_VALIDATION]);
    cnn_layout_free(source, &layout);
    cnn_source_release(source);
    return has;
}
