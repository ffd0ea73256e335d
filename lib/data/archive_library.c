#include "data/archive_library.h"

#ifdef CNN_LINKS_LIBARCHIVE

cnn_status cnn_archive_library_load(const char *path, cnn_archive_library *library)
{
    (void)path;
#define POINTER(name) name,
    *library = (cnn_archive_library){ CNN_ARCHIVE_FUNCTIONS(POINTER) };
#undef POINTER
    return CNN_OK;
}

#else

#include "core/error.h"
#include "core/os.h"

/* The number changes when the functions do. */
#define FILE_NAME "libarchive.so.13"

static cnn_status fail_load(const char *path)
{
    return cnn_fail(CNN_ERROR_UNSUPPORTED,
                    "%s: zips are unpacked by " FILE_NAME ", which can't be loaded (%s): install libarchive, or unpack "
                    "the zip and give the folder",
                    path, cnn_os_library_error());
}

cnn_status cnn_archive_library_load(const char *path, cnn_archive_library *library)
{
    void *loaded = cnn_os_load_library(FILE_NAME);
    if (!loaded)
        return fail_load(path);
#define FIND(name)                                                                  \
    if (!cnn_os_find_function(loaded, #name, &library->name, sizeof library->name)) \
        return fail_load(path);
    CNN_ARCHIVE_FUNCTIONS(FIND)
#undef FIND
    return CNN_OK;
}

#endif
