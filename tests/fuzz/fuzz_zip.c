/* Zips (and other archives) of images from strangers. */
#include "fuzz.h"
#include "use_dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_use_dataset(fuzz_hash(data, size), fuzz_write_file("photos.zip", data, size));
    return 0;
}
