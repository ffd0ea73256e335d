/* The names in a zip as paths in UTF-8. */
#ifndef CNN_DATA_ZIP_NAME_H
#define CNN_DATA_ZIP_NAME_H

#include "data/source.h"
#include "data/zip_directory.h"

/* `root` followed by the entry's name, in the source's memory: in UTF-8, with / where some Windows programs write \,
 * and without folders named ".". NULL without memory. */
char *cnn_zip_path(cnn_source *source, const char *root, const cnn_zip_entry *entry);

#endif
