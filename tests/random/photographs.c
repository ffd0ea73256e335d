#include "photographs.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const paths[PHOTOGRAPH_FILES] = {
    SOURCE_ROOT "/examples/catdog/sample/test/cats/cat.10000.jpg",
    SOURCE_ROOT "/examples/catdog/sample/test/cats/cat.10001.jpg",
    SOURCE_ROOT "/examples/catdog/sample/test/dogs/dog.10000.jpg",
    SOURCE_ROOT "/examples/catdog/sample/test/dogs/dog.10001.jpg",
};

enum { MOST_SIDE = 20 };
static uint8_t pixels[MOST_PHOTOGRAPHS][MOST_SIDE * MOST_SIDE * 3];

/* A class is told by its colour, mostly. */
static cnn_status draw_picture(case_trial *trial, draw *source, int32_t number, int32_t classes, cnn_tensor **picture)
{
    int64_t dims[3] = { draw_between(source, 1, MOST_SIDE), draw_between(source, 1, MOST_SIDE), 3 };
    for (int64_t i = 0; i < dims[0] * dims[1] * 3; i++)
        pixels[number][i] = (uint8_t)(draw_below(source, 128) + (i % 3 == number % classes % 3 ? 100 : 0));
    return cnn_tensor_wrap(trial->plain, CNN_UINT8, 3, dims, pixels[number], picture);
}

cnn_status photographs_dataset(case_trial *trial, cnn_context *context, int32_t classes, cnn_dataset **dataset)
{
    static const char *const names[MOST_PHOTOGRAPHS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
                                                         "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x" };
    cnn_tensor *pictures[MOST_PHOTOGRAPHS] = { 0 };
    int32_t labels[MOST_PHOTOGRAPHS];
    draw source = { trial->it->seed ^ 0xda7a };
    int32_t count = draw_between(&source, classes, MOST_PHOTOGRAPHS);
    cnn_status status = CNN_OK;
    for (int32_t i = 0; i < count && !status; i++) {
        labels[i] = i % classes;
        status = draw_picture(trial, &source, i, classes, &pictures[i]);
    }
    if (!status)
        status = cnn_dataset_create_from_pixels(context, (const cnn_tensor *const *)pictures, labels, (uint64_t)count,
                                                names, (uint32_t)classes, dataset);
    for (int32_t i = 0; i < count; i++)
        cnn_tensor_destroy(pictures[i]);
    return status;
}

const char *photographs_path(int32_t number)
{
    return paths[number % PHOTOGRAPH_FILES];
}

const void *photographs_bytes(int32_t number, size_t *size)
{
    static unsigned char *bytes[PHOTOGRAPH_FILES];
    static size_t sizes[PHOTOGRAPH_FILES];
    enum { MOST_BYTES = 1 << 20 };
    number %= PHOTOGRAPH_FILES;
    if (!bytes[number]) {
        FILE *file = fopen(paths[number], "rb");
        bytes[number] = malloc(MOST_BYTES);
        if (file && bytes[number]) {
            sizes[number] = fread(bytes[number], 1, MOST_BYTES, file);
            fclose(file);
        }
    }
    *size = sizes[number];
    return bytes[number];
}
