/* What a folder or zip is read as, in a line: the tests of layouts. */
#ifndef CNN_TESTS_DATA_LAYOUT_H
#define CNN_TESTS_DATA_LAYOUT_H

#include "../test.h"

#include <stdio.h>
#include <string.h>

#include "files.h"

static const char *const pet_images[] = { "PetImages/Cat/1.jpg",
                                          "PetImages/Cat/2.jpg",
                                          "PetImages/Cat/Thumbs.db",
                                          "PetImages/Cat/.DS_Store",
                                          "PetImages/Dog/1.jpg",
                                          "PetImages/Dog/2.gif",
                                          "PetImages/Dog/nested/deep/3.JPG",
                                          "readme[1].txt",
                                          "MSR-LA - 3467.docx",
                                          "__MACOSX/PetImages/Cat/._1.jpg",
                                          NULL };

static inline cnn_dataset *open_part(const char *path, cnn_part part)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = part;
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, path, &options, &dataset));
    return dataset;
}

/* "2 Cat, 3 Dog" */
static inline const char *describe(const cnn_dataset *dataset)
{
    static char text[512];
    text[0] = 0;
    for (uint32_t c = 0; c < cnn_dataset_class_count(dataset); c++) {
        int count = 0;
        for (uint64_t i = 0; i < cnn_dataset_count(dataset); i++)
            count += cnn_dataset_label(dataset, i) == (int32_t)c;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%d %s", c ? ", " : "", count, cnn_dataset_class_name(dataset, c));
    }
    return text;
}

static inline void expect(const char *path, cnn_part part, const char *description)
{
    cnn_dataset *dataset = open_part(path, part);
    assert_string_equal(description, describe(dataset));
    cnn_dataset_destroy(dataset);
}

static inline void expect_error(const char *path, cnn_part part, cnn_status status, const char *words)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = part;
    cnn_dataset *dataset = NULL;
    assert_status(status, cnn_dataset_open(NULL, path, &options, &dataset));
    assert_null(dataset);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", cnn_last_error(), words);
}

static char log_text[4000];

static inline void keep_warning(cnn_log_level level, const char *message, void *user)
{
    (void)user;
    assert_int_equal(CNN_LOG_WARNING, level);
    strncat(log_text, message, 1000);
}

/* The dataset of the room, in a context whose warnings go to log_text. */
static inline void expect_and_log(const char *description)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.log = keep_warning;
    log_text[0] = 0;
    cnn_context *context;
    cnn_dataset *dataset;
    assert_ok(cnn_context_create(&options, &context));
    assert_ok(cnn_dataset_open(context, in_room(""), NULL, &dataset));
    assert_string_equal(description, describe(dataset));
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(context);
}

#endif
