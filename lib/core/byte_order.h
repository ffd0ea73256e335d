/* Numbers in files are little-endian, whatever the processor's own order is. */
#ifndef CNN_CORE_BYTE_ORDER_H
#define CNN_CORE_BYTE_ORDER_H

#include <stddef.h>
#include <stdint.h>

enum { CNN_BIG_ENDIAN = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };

static inline uint16_t cnn_load_little16(const unsigned char *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t cnn_load_little32(const unsigned char *from)
{
    return cnn_load_little16(from) | (uint32_t)cnn_load_little16(from + 2) << 16;
}

static inline uint64_t cnn_load_little64(const unsigned char *from)
{
    return cnn_load_little32(from) | (uint64_t)cnn_load_little32(from + 4) << 32;
}

/* From the processor's order to that of files, and back: numbers of `size` bytes each, in place. */
static inline void cnn_swap_little(void *numbers, size_t bytes, size_t size)
{
    unsigned char *number = numbers;
    for (size_t at = 0; CNN_BIG_ENDIAN && size > 1 && at < bytes; at += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char first = number[at + i];
            number[at + i] = number[at + size - 1 - i];
            number[at + size - 1 - i] = first;
        }
}

#endif
