#include "serve/decode_cost.h"

#include <string.h>

enum { PNG_DEPTH_PLACE = 24, PNG_INTERLACE_PLACE = 28 }; /* of two of IHDR's bytes */

/* What a JPEG's markers tell (T.81, table B.1). */
typedef struct jpeg_kind {
    int is_arithmetic;
    uint64_t scans;
} jpeg_kind;

/* Where the frame begins; `size` if it isn't found where it should be. */
static size_t find_frame(const unsigned char *bytes, size_t size)
{
    for (size_t i = 2; i + 4 <= size && bytes[i] == 0xff;) {
        unsigned marker = bytes[i + 1];
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
            return i;
        i += marker == 0xff /* fills */ ? 1 : 2 + ((size_t)bytes[i + 2] << 8 | bytes[i + 3]);
    }
    return size;
}

/* Markers can't stand among the bits of a scan, so that the scans can be counted by theirs, up to the end's. */
static jpeg_kind look_at_jpeg(const unsigned char *bytes, size_t size)
{
    size_t frame = find_frame(bytes, size);
    jpeg_kind kind = { .is_arithmetic = frame < size && bytes[frame + 1] > 0xc8 };
    const unsigned char *at = bytes + frame, *end = bytes + size;
    while (end - at > 1 && (at = memchr(at, 0xff, (size_t)(end - at) - 1)) && *++at != 0xd9)
        kind.scans += *at == 0xda;
    return kind;
}

/* What an image is decoded smaller by: an eighth is the least that all decoders know. */
static uint64_t reduction(const cnn_image_info *info, const cnn_preprocess *input)
{
    uint64_t by = 1;
    while (by < 8 && info->width / (2 * by) >= input->width && info->height / (2 * by) >= input->height)
        by *= 2;
    return by;
}

/* A PNG takes some times as long as a JPEG; one with 16 bits twice as long as one with 8. */
static void count_png(const unsigned char *bytes, size_t size, uint64_t pixels, decode_cost *cost)
{
    enum { TIMES = 4 };
    int is_known = size > PNG_INTERLACE_PLACE;
    if (!is_known || bytes[PNG_INTERLACE_PLACE])
        cost->bytes += 4 * pixels;
    cost->work = TIMES * pixels * (is_known && bytes[PNG_DEPTH_PLACE] <= 8 ? 1 : 2);
}

/* Each scan of a JPEG walks over all of its pixels, which two bytes hold for each value until the last one has come.
 * Programs write ten scans. */
static void count_jpeg(const unsigned char *bytes, size_t size, uint64_t values, uint64_t pixels, decode_cost *cost)
{
    enum { TIMES = 4, SCANS = 10 };
    jpeg_kind kind = look_at_jpeg(bytes, size);
    int is_whole = kind.scans != 1;
    if (is_whole)
        cost->bytes += 2 * values;
    cost->work = (is_whole || kind.is_arithmetic ? TIMES : 1) * pixels * (1 + kind.scans / SCANS);
}

decode_cost decode_cost_of(const unsigned char *bytes, size_t size, const cnn_image_info *info,
                           const cnn_preprocess *input)
{
    const uint64_t pixels = (uint64_t)info->width * info->height, by = reduction(info, input);
    decode_cost cost = { .bytes = 3 * pixels / (by * by) };
    if (info->format == CNN_IMAGE_PNG)
        count_png(bytes, size, pixels, &cost);
    else
        count_jpeg(bytes, size, info->channels * pixels, pixels, &cost);
    return cost;
}
