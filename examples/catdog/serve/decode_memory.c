#include "decode_memory.h"

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

/* Of a pixel: three bytes of the result; two of each coefficient of a progressive JPEG; the four of an interlaced PNG,
 * which is read as a whole before it is turned and made opaque. */
uint64_t decode_memory(const unsigned char *bytes, size_t size, const cnn_image_info *info)
{
    uint64_t each = 3;
    if (info->format == CNN_IMAGE_JPEG && is_progressive(bytes, size))
        each += 2 * (uint64_t)info->channels;
    else if (info->format == CNN_IMAGE_PNG && (size <= PNG_INTERLACE_PLACE || bytes[PNG_INTERLACE_PLACE]))
        each += 4;
    return each * info->width * info->height;
}
