/* The one thing that is read from EXIF: which way up the photograph is. */
#ifndef CNN_IMAGE_EXIF_H
#define CNN_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1 to 8, that a block of EXIF (from its TIFF header on) asks for; 1 if it is absent or broken. */
uint32_t cnn_exif_orientation(const uint8_t *bytes, size_t size);

/* The same from the text that ImageMagick makes of a block: a name, the number of bytes, and these in hexadecimal. The
 * text is overwritten. */
uint32_t cnn_exif_text_orientation(char *text);

/* Whether an EXIF orientation exchanges width and height. */
static inline int cnn_orientation_swaps(uint32_t orientation)
{
    return orientation >= 5;
}

#endif
