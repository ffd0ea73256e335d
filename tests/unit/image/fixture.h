/* The images that make_fixtures.py wrote. */
#ifndef CNN_TESTS_IMAGE_FIXTURE_H
#define CNN_TESTS_IMAGE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"

typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

/* The caller frees `data`, which holds no byte more than `size`, so that sanitizers see every step too far. */
static inline bytes read_fixture(const char *name)
{
    char path[512];
    unsigned char buffer[1 << 16];
    snprintf(path, sizeof path, "%s/%s", FIXTURES, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    bytes result = { .size = fread(buffer, 1, sizeof buffer, file) };
    fclose(file);
    result.data = malloc(result.size);
    memcpy(result.data, buffer, result.size);
    return result;
}

/* The pixels in NAME.rgb. */
static inline cnn_tensor *read_pixels(const char *name)
{
    char file[128];
    snprintf(file, sizeof file, "%s.rgb", name);
    bytes raw = read_fixture(file);
    int64_t width = raw.data[0] | raw.data[1] << 8, height = raw.data[2] | raw.data[3] << 8;
    cnn_tensor *pixels;
    assert_int_equal(raw.size, 4 + 3 * width * height);
    assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, (int64_t[]){ height, width, 3 }, &pixels));
    memcpy(cnn_tensor_data(pixels), raw.data + 4, raw.size - 4);
    free(raw.data);
    return pixels;
}

/* Both have one size, and no value differs by more than `tolerance`. */
static inline void assert_pixels_near(const char *name, const cnn_tensor *expected, const cnn_tensor *actual,
                                      int tolerance)
{
    if (cnn_tensor_rank(actual) != 3 || cnn_tensor_dim(actual, 0) != cnn_tensor_dim(expected, 0) ||
        cnn_tensor_dim(actual, 1) != cnn_tensor_dim(expected, 1))
        fail_msg("%s: %d×%d pixels instead of %d×%d", name, (int)cnn_tensor_dim(actual, 1),
                 (int)cnn_tensor_dim(actual, 0), (int)cnn_tensor_dim(expected, 1), (int)cnn_tensor_dim(expected, 0));
    const unsigned char *a = cnn_tensor_const_data(expected), *b = cnn_tensor_const_data(actual);
    for (int64_t i = 0; i < cnn_tensor_count(expected); i++)
        if (abs(a[i] - b[i]) > tolerance)
            fail_msg("%s: value %d is %d instead of %d", name, (int)i, b[i], a[i]);
}

#endif
