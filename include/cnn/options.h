/* How structs grow, and where defaults come from.
 *
 * Each struct that may grow begins with struct_size, its size where the program was compiled. Later versions add fields
 * at the end, whose default is zero. The library reads no further than struct_size, writes no further, and takes what
 * lies beyond as not set. So a program runs with any later version of the library, and with an earlier one as long as
 * it sets nothing that the earlier one lacks (CNN_ERROR_UNSUPPORTED if it does).
 *
 * For that the _init functions are compiled into the program. Each sets struct_size and every field's default: the
 * number that stands in the field's comment, zero where none does. Call it first, then change what you like:
 *
 *     cnn_train_options options;
 *     cnn_train_options_init(&options);
 *     options.epochs = 30;
 *
 * No struct ends in padding, no enum's size depends on the compiler, and fields that answer yes or no are uint32_t:
 * 0 is no, anything else yes. */
#ifndef CNN_OPTIONS_H
#define CNN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cnn/export.h>

CNN_BEGIN_DECLS

/* Sets struct_size, and all else to zero: what the _init functions begin with. `options` may be NULL. */
CNN_INLINE void cnn_options_clear(void *options, size_t size)
{
    const uint32_t struct_size = (uint32_t)size;
    if (!options)
        return;
    memset(options, 0, size);
    memcpy(options, &struct_size, sizeof struct_size);
}

CNN_END_DECLS

#endif
