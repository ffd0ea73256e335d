/* Options structs grow at their end from version to version; each begins with the size that the caller knows. */
#ifndef CNN_CORE_OPTIONS_H
#define CNN_CORE_OPTIONS_H

#include <stddef.h>

#include <cnn/status.h>

/* Overwrites the start of `options` (already filled with defaults, `size` bytes) with what the caller gave, as far as
 * its struct_size goes. `given` may be NULL. Fails if struct_size is 0 or 'given' sets fields that this version lacks.
 */
cnn_status cnn_options_read(void *options, size_t size, const void *given, const char *type);

/* Copies a result to the caller's struct, as far as its struct_size goes; struct_size itself stays. */
cnn_status cnn_options_write(void *given, const void *result, size_t size, const char *type);

#endif
