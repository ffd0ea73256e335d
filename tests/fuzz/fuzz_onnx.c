/* ONNX files from strangers. What is read is written and read again. Fuzz as fuzz_image.c says, with
 * tests/unit/io/onnx. */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cnn/cnn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const cnn_model *model)
{
    char path[64];
    cnn_model *again;
    snprintf(path, sizeof path, "/tmp/fuzz-onnx-%ld.onnx", (long)getpid());
    if (!cnn_model_save_onnx(model, path)) {
        if (cnn_model_load_onnx(NULL, path, NULL, &again))
            __builtin_trap(); /* what was written can be read */
        cnn_model_destroy(again);
    }
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    cnn_model *model;
    int descriptor = memfd_create("model", 0);
    if (descriptor < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (write(descriptor, data, size) == (ssize_t)size && !cnn_model_load_onnx(NULL, path, NULL, &model)) {
        write_and_read(model);
        cnn_model_destroy(model);
    }
    close(descriptor);
    return 0;
}
