#include "image/png_chunks.h"

#include <assert.h>
#include <string.h>

enum { SIGNATURE_SIZE = 8, HEAD_SIZE = 8, CHECKSUM_SIZE = 4 };

typedef struct chunk {
    const uint8_t *type, *content;
    size_t size;
} chunk;

static size_t read_size(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

/* Moves `*position` past the chunk that begins there. False if the file ends within it. */
static bool next_chunk(const cnn_image_source *source, size_t *position, chunk *next)
{
    if (*position > source->size || source->size - *position < HEAD_SIZE + CHECKSUM_SIZE)
        return false;
    const uint8_t *head = source->bytes + *position;
    *next = (chunk){ .type = head + 4, .content = head + HEAD_SIZE, .size = read_size(head) };
    if (next->size > source->size - *position - HEAD_SIZE - CHECKSUM_SIZE)
        return false;
    *position += HEAD_SIZE + next->size + CHECKSUM_SIZE;
    assert(*position <= source->size);
    return true;
}

const uint8_t *cnn_png_find_chunk(const cnn_image_source *source, const char *type, size_t *size)
{
    size_t position = SIGNATURE_SIZE;
    chunk found;
    while (next_chunk(source, &position, &found))
        if (!memcmp(found.type, type, 4)) {
            *size = found.size;
            return found.content;
        }
    return NULL;
}

bool cnn_png_has_all_pixels(const cnn_image_source *source)
{
    size_t position = SIGNATURE_SIZE;
    chunk found;
    bool pixels = false;
    while (next_chunk(source, &position, &found))
        pixels = pixels || !memcmp(found.type, "IDAT", 4);
    bool within_pixels = source->size - position >= HEAD_SIZE && !memcmp(source->bytes + position + 4, "IDAT", 4);
    return pixels && !within_pixels;
}
