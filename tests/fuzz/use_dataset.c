#include "use_dataset.h"

#include "fuzz.h"

static void read_files(const cnn_dataset *dataset)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = 1 << 16;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset) && i < 8; i++) {
        void *bytes;
        size_t size;
        cnn_tensor *pixels;
        int32_t label = cnn_dataset_label(dataset, i);
        if (label >= (int32_t)cnn_dataset_class_count(dataset))
            fuzz_fail("an image is of a class that there isn't");
        if (!cnn_dataset_path(dataset, i))
            fuzz_fail("an image has no path");
        if (!cnn_dataset_read(dataset, i, &bytes, &size))
            cnn_bytes_free(bytes);
        if (!cnn_dataset_decode(dataset, i, &options, &pixels))
            cnn_tensor_destroy(pixels);
    }
}

static void split(const cnn_dataset *dataset, uint32_t choice)
{
    cnn_dataset *rest, *part;
    if (cnn_dataset_split(dataset, 0.3, choice, &rest, &part))
        return;
    if (cnn_dataset_count(rest) + cnn_dataset_count(part) != cnn_dataset_count(dataset))
        fuzz_fail("a split loses images");
    cnn_dataset_destroy(rest);
    cnn_dataset_destroy(part);
}

void fuzz_use_dataset(uint32_t choice, const char *path)
{
    cnn_context *context = fuzz_context(choice);
    cnn_dataset *dataset;
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = choice / 1024 % 4 == 0;
    options.max_file_bytes = 1 << 16;
    options.part = (cnn_part)(choice / 4096 % 4);
    if (!cnn_dataset_open(context, path, &options, &dataset)) {
        cnn_verify_options verify;
        cnn_verify_options_init(&verify);
        verify.find_duplicates = choice / 16384 % 2;
        read_files(dataset);
        split(dataset, choice);
        if (cnn_dataset_count(dataset) <= 16)
            cnn_dataset_verify(dataset, &verify, NULL);
        cnn_dataset_destroy(dataset);
    }
    fuzz_allocations_succeed();
}
