/* How structs grow. Each struct of options begins with struct_size, its size where the program was compiled. Later
 * versions add fields at the end; the library reads no further than struct_size, writes no further, and takes what lies
 * beyond as not set. So a program runs with any later version of the library, and with an earlier one as long as it
 * sets nothing that the earlier one lacks.
 *
 * For that the _init functions are compiled into the program. All they do is set struct_size, and the rest to zero,
 * which is the default of every option (cnn_preprocess_init also fills in mean and scale). */
#ifndef CNN_OPTIONS_H
#define CNN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cnn/export.h>

CNN_BEGIN_DECLS

/* What the _init functions call. `options` may be NULL. */
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
