/* The version of these headers, and of the library that a program runs with. */
#ifndef CNN_VERSION_H
#define CNN_VERSION_H

#include <cnn/export.h>

#define CNN_VERSION_MAJOR 0
#define CNN_VERSION_MINOR 1
#define CNN_VERSION_PATCH 0

CNN_BEGIN_DECLS

/* The library's own version as "major.minor.patch". Compare it with the macros above to learn whether a program runs
 * with the library it was compiled against. Static text; thread-safe. */
CNN_API const char *cnn_version(void);

CNN_END_DECLS

#endif
