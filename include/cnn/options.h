/* Structs of options: how they are filled, and how they grow.
 *
 * Call the struct's _init function first, then set the fields that you want to change:
 *
 *     cnn_train_options options;
 *     cnn_train_options_init(&options);
 *     options.epochs = 30;
 *
 * The _init function sets every field to its default, which is zero unless the field's comment ends in another number.
 * Where a comment says what 0 means, as in "0: 32", the library puts that in the place of 0.
 *
 * Each struct begins with struct_size: its size when the program was compiled. Later versions of the library add fields
 * at the end, with a default of zero. The library neither reads nor writes beyond struct_size, so a program runs with
 * any later version. It also runs with an earlier version, unless it sets a field that this one doesn't have: it then
 * gets CNN_ERROR_UNSUPPORTED. The _init functions are compiled into the program, and so know its struct_size.
 *
 * A field that answers yes or no is a uint32_t: 0 is no, anything else is yes. No struct ends in padding, and no enum's
 * size depends on the compiler. */
#ifndef CNN_OPTIONS_H
#define CNN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cnn/export.h>

CNN_BEGIN_DECLS

/* Sets the `size` bytes of a struct to zero, and its first field, struct_size, to `size`. Each _init function begins
 * with this. NULL is ignored. */
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
