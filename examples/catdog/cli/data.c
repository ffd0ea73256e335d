#include "cli/data.h"

#include <stdio.h>
#include <string.h>

#include "cli/destination.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/paths.h"

/* Reports and samples that were saved among the photographs. */
static void warn_of_own_pictures(const cnn_dataset *dataset)
{
    uint64_t count = 0;
    const char *first = NULL;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset); i++) {
        const char *path = cnn_dataset_path(dataset, i);
        if (paths_ends_in(path, ".png") && destination_is_own_picture(path) && !count++)
            first = path;
    }
    if (count)
        output_error("warning: %llu of the images %s drawn by catdog, such as %s; move what is no photograph elsewhere",
                     (unsigned long long)count, count == 1 ? "was" : "were", first);
}

static cnn_status open_with(cnn_context *context, const data_options *data, cnn_dataset_options *options,
                            cnn_dataset **dataset)
{
    if (data->trusted)
        options->max_unpacked_bytes = options->max_decoded_bytes = UINT64_MAX;
    if (paths_is_of_the_kernel(data->path)) {
        output_error("%s: holds no photographs: the system shows its own state there; name a folder of photographs",
                     data->path);
        return CNN_ERROR_DATA;
    }
    cnn_status status = cnn_dataset_open(context, data->path, options, dataset);
    if (status)
        paths_library_error(data->path);
    else
        warn_of_own_pictures(*dataset);
    return status;
}

cnn_status data_open(cnn_context *context, const data_options *data, cnn_part part, cnn_dataset **dataset)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = part;
    return open_with(context, data, &options, dataset);
}

cnn_status data_open_unlabelled(cnn_context *context, const data_options *data, cnn_dataset **dataset)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = !cnn_dataset_has_test_part(NULL, data->path);
    return open_with(context, data, &options, dataset);
}

cnn_dataset_parts data_parts(const cnn_dataset *dataset)
{
    cnn_dataset_parts parts = { .struct_size = sizeof parts };
    cnn_dataset_get_parts(dataset, &parts);
    return parts;
}

/* Opens the wanted part of divided data, and says which one it is; or all of other data. */
static cnn_status open_part(cnn_context *context, const data_options *data, cnn_part wanted, cnn_dataset **dataset)
{
    if (!cnn_dataset_has_test_part(NULL, data->path)) /* a context of its own: warnings are for the opening */
        return data_open(context, data, CNN_PART_AUTO, dataset);
    cnn_status status = data_open(context, data, wanted, dataset);
    if (status)
        return status;
    cnn_dataset_parts parts = data_parts(*dataset);
    int is_test = wanted == CNN_PART_TEST ? parts.test > 0 : parts.validation == 0;
    output_text(stderr, data->path);
    fprintf(stderr, " has a %s part: its %llu images are used\n", is_test ? "test" : "validation",
            (unsigned long long)cnn_dataset_count(*dataset));
    return CNN_OK;
}

cnn_status data_open_for_testing(cnn_context *context, const data_options *data, cnn_dataset **dataset)
{
    return open_part(context, data, CNN_PART_TEST, dataset);
}

cnn_status data_open_for_validation(cnn_context *context, const data_options *data, cnn_dataset **dataset)
{
    return open_part(context, data, CNN_PART_VALIDATION, dataset);
}

typedef struct verifying {
    progress_line *progress;
    const char *what;
} verifying;

static void name_bad_file(const char *path, const char *reason, void *user)
{
    verifying *state = user;
    progress_clear(state->progress);
    output_error("left out: %s: %s", path, output_reason(path, reason));
}

static int show(uint64_t done, uint64_t total, void *user)
{
    verifying *state = user;
    progress_work(state->progress, state->what, done, total);
    return interrupt_asked();
}

cnn_status data_leave_out_bad(cnn_dataset *dataset, const char *what, progress_line *progress, uint64_t *skipped)
{
    verifying state = { progress, what };
    cnn_verify_options options;
    cnn_verify_options_init(&options);
    options.bad_file = name_bad_file;
    options.progress = show;
    options.bad_file_user = options.progress_user = &state;
    cnn_status status = cnn_dataset_verify(dataset, &options, skipped);
    progress_clear(progress);
    if (status == CNN_ERROR_STOPPED)
        output_error("interrupted; nothing was written");
    else if (status)
        output_library_error();
    return status;
}

enum { MOST_CLASSES = CNN_MAX_METRIC_CLASSES };

/* While photographs are aligned to those of a training, there is no model yet. */
static void name_training_data(const char *sentence)
{
    static const char model[] = "the model has no class";
    const char *found = strstr(sentence, model);
    if (found)
        output_error("%.*sthe training photographs have no class%s", (int)(found - sentence), sentence,
                     found + strlen(model));
    else
        output_error("%s", sentence);
}

cnn_status data_align(cnn_dataset *dataset, const cnn_dataset *like)
{
    const char *names[MOST_CLASSES];
    uint32_t count = 0;
    while (count < MOST_CLASSES && (names[count] = cnn_dataset_class_name(like, count)))
        count++;
    cnn_status status = cnn_dataset_align_classes(dataset, names, count);
    if (status)
        name_training_data(cnn_last_error());
    return status;
}

cnn_status data_align_to_classifier(cnn_dataset *dataset, const cnn_classifier *classifier)
{
    const char *names[MOST_CLASSES];
    uint32_t count = 0;
    while (count < MOST_CLASSES && (names[count] = cnn_classifier_class_name(classifier, count)))
        count++;
    cnn_status status = cnn_dataset_align_classes(dataset, names, count);
    if (status)
        output_error("%s; its classes are %s%s%s%s", cnn_last_error(), names[0], count > 2 ? ", " : " and ", names[1],
                     count > 2 ? ", ..." : "");
    return status;
}

void data_print_classes(FILE *file, const cnn_dataset *dataset)
{
    uint32_t count = cnn_dataset_class_count(dataset), shown = count > 6 ? 5 : count;
    for (uint32_t i = 0; i < shown; i++) {
        if (i)
            fputs(i + 1 == count ? " and " : ", ", file);
        output_text(file, cnn_dataset_class_name(dataset, i));
    }
    if (shown < count)
        fprintf(file, " and %u more", count - shown);
}
