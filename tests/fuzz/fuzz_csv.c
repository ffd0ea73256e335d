/* Lists of images from strangers. */
#include "fuzz.h"
#include "use_dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t no_image[] = "no image";
    fuzz_write_file("a.jpg", no_image, sizeof no_image);
    fuzz_write_file("b.png", no_image, sizeof no_image);
    fuzz_use_dataset(fuzz_hash(data, size), fuzz_write_file("list.csv", data, size));
    return 0;
}
