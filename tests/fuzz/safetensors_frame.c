/* A mutated header's length is wrong, and data for it missing: most inputs would be refused at the door for that. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { DATA_MAX = 1 << 18 };

/* The largest end of a pair of data_offsets. */
static size_t data_bytes(const char *json, size_t size)
{
    static const char key[] = "\"data_offsets\":[";
    size_t largest = 0;
    for (size_t i = 0; i + sizeof key < size; i++) {
        if (memcmp(json + i, key, sizeof key - 1))
            continue;
        size_t at = i + sizeof key - 1, value = 0;
        while (at < size && json[at] != ',' && json[at] != ']')
            at++;
        for (at++; at < size && json[at] >= '0' && json[at] <= '9' && value < DATA_MAX; at++)
            value = value * 10 + (size_t)(json[at] - '0');
        if (value > largest && value <= DATA_MAX)
            largest = value;
    }
    return largest;
}

uint8_t *fuzz_frame_safetensors(const uint8_t *data, size_t size, size_t *framed)
{
    static const float values[] = { 0.25f, -0.125f, 0.5f, 1.0f };
    int raw = !size || !(data[0] & 1);
    const uint8_t *body = size ? data + 1 : data;
    size_t length = size ? size - 1 : 0;
    size_t tail = raw ? 0 : data_bytes((const char *)body, length);
    *framed = length + (raw ? 0 : 8 + tail);
    uint8_t *bytes = malloc(*framed ? *framed : 1), *at = bytes;
    if (!bytes)
        fuzz_fail("out of memory");
    for (int i = 0; i < 8 && !raw; i++)
        *at++ = (uint8_t)((uint64_t)length >> 8 * i);
    if (length)
        memcpy(at, body, length);
    for (size_t i = 0; i < tail; i++)
        at[length + i] = ((const uint8_t *)values)[i % sizeof values];
    return bytes;
}
