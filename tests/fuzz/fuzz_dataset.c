/* Zips and lists of images from strangers. The first byte says which. */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cnn/cnn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_and_read(const char *path, const cnn_dataset_options *options)
{
    cnn_dataset *dataset;
    if (cnn_dataset_open(NULL, path, options, &dataset))
        return;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset) && i < 16; i++) {
        void *bytes;
        size_t bytes_size;
        if (!cnn_dataset_read(dataset, i, &bytes, &bytes_size))
            cnn_dataset_release_bytes(dataset, bytes);
    }
    cnn_dataset_destroy(dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    char path[64], list[64];
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = data[0] & 2;
    options.max_file_bytes = 1 << 16;
    int descriptor = memfd_create("dataset", 0);
    if (descriptor < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    snprintf(list, sizeof list, "/tmp/fuzz-dataset-%ld.csv", (long)getpid());
    if (write(descriptor, data + 1, size - 1) == (ssize_t)(size - 1)) {
        if (data[0] & 1 && !symlink(path, list))
            open_and_read(list, &options);
        else
            open_and_read(path, &options);
    }
    unlink(list);
    close(descriptor);
    return 0;
}
