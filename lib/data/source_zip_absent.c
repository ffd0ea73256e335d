/* In the place of source_zip.c in a build without libarchive. */
#include "core/error.h"
#include "data/source.h"

cnn_status cnn_source_open_zip(cnn_source *source)
{
    return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: this build of the library doesn't read zip files; unpack it first",
                    source->path);
}
