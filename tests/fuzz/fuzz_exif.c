/* EXIF from strangers. */
#include "fuzz.h"
#include "image/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t orientation = cnn_exif_orientation(data, size);
    if (orientation < 1 || orientation > 8)
        fuzz_fail("an orientation is none of the eight");
    return 0;
}
