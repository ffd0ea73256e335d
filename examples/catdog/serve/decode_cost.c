#include "serve/decode_cost.h"

enum { PNG_INTERLACE_PLACE = 28 }; /* of IHDR's last byte */

/* Whether all of a JPEG's coefficients are held until its last scan has come: progressive ones, by the frame's marker
 * (T.81, table B.1). */
static int is_progressive(const unsigned char *bytes, size_t size)
{
    for (size_t i = 2; i + 4 <= size && bytes[i] == 0xff;) {
        unsigned marker = bytes[i + 1];
        if (marker == 0xff) { /* fills */
            i++;
            continue;
        }
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
            return (marker & 3) == 2;
        i += 2 + ((size_t)bytes[i + 2] << 8 | bytes[i + 3]);
    }
    return 1; /* no frame was found where it should be */
}

/* What an image is decoded smaller by: an eighth is the least that all decoders know. */
static uint64_t reduction(const cnn_image_info *info, const cnn_preprocess *input)
{
    uint64_t by = 1;
    while (by < 8 && info->width / (2 * by) >= input->width && info->height / (2 * by) >= input->height)
        by *= 2;
    return by;
}

/* In memory are three bytes of each pixel of the result; two of each coefficient of a progressive JPEG; the four of
 * each pixel of an interlaced PNG. In time a PNG, or a progressive JPEG, costs some times as much as another JPEG. */
decode_cost decode_cost_of(const unsigned char *bytes, size_t size, const cnn_image_info *info,
                           const cnn_preprocess *input)
{
    enum { LARGE = 32000000, TIMES = 4 };
    const uint64_t pixels = (uint64_t)info->width * info->height, by = reduction(info, input);
    int is_png = info->format == CNN_IMAGE_PNG, is_whole = 0;
    decode_cost cost = { .bytes = 3 * pixels / (by * by) };
    if (is_png) {
        is_whole = size <= PNG_INTERLACE_PLACE || bytes[PNG_INTERLACE_PLACE];
        cost.bytes += is_whole ? 4 * pixels : 0;
    } else {
        is_whole = is_progressive(bytes, size);
        cost.bytes += is_whole ? 2 * info->channels * pixels : 0;
    }
    cost.is_slow = (is_png || is_whole ? TIMES : 1) * pixels > LARGE;
    return cost;
}
