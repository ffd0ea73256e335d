/* What the name of a file or folder tells: hidden, no image. */
#ifndef CNN_DATA_FILE_NAME_H
#define CNN_DATA_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a file or folder of this name is passed over: hidden, or by its extension surely no image. Content decides
 * about all others, when they are verified. */
bool cnn_name_is_hidden(const char *name, size_t length);
bool cnn_name_is_no_image(const char *name);

/* What follows the last dot of a name; "" where there is none. */
const char *cnn_name_extension(const char *name);
bool cnn_name_has_extension(const char *name, const char *extension);

#endif
