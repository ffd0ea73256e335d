#include "data/archive_kind.h"

#include <string.h>

typedef struct signature {
    size_t offset;
    const char *bytes;
    cnn_archive_kind kind;
} signature;

static const signature signatures[] = {
    { 0, "\x1F\x8B", { "a gzip archive (tar.gz)", "tar -xzf" } },
    { 0, "BZh", { "a bzip2 archive (tar.bz2)", "tar -xjf" } },
    { 0,
      "\xFD"
      "7zXZ",
      { "an xz archive (tar.xz)", "tar -xJf" } },
    { 0, "\x28\xB5\x2F\xFD", { "a Zstandard archive (tar.zst)", "tar --zstd -xf" } },
    { 0, "7z\xBC\xAF\x27\x1C", { "a 7-Zip archive", "7z x" } },
    { 0, "Rar!\x1A\x07", { "a RAR archive", "unrar x" } },
    { 257, "ustar", { "a tar archive", "tar -xf" } },
};

const cnn_archive_kind *cnn_archive_kind_of(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        size_t length = strlen(signatures[i].bytes);
        if (signatures[i].offset + length <= size && !memcmp(start + signatures[i].offset, signatures[i].bytes, length))
            return &signatures[i].kind;
    }
    return NULL;
}
