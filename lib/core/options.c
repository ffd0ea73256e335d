#include "core/options.h"

#include <stdint.h>
#include <string.h>

#include "core/error.h"

enum { STRUCT_SIZE_LIMIT = 4096 }; /* no struct is so large: a larger size was never set */

static cnn_status read_size(const void *given, const char *type, size_t *size)
{
    uint32_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < sizeof given_size || given_size > STRUCT_SIZE_LIMIT)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: struct_size is %u; set it to sizeof(%s), or use its _init function",
                        type, given_size, type);
    *size = given_size;
    return CNN_OK;
}

cnn_status cnn_options_read(void *options, size_t size, const void *given, const char *type)
{
    if (!given)
        return CNN_OK;
    size_t given_size = 0;
    cnn_status status = read_size(given, type, &given_size);
    if (status)
        return status;
    const unsigned char *bytes = given;
    for (size_t i = size; i < given_size; i++)
        if (bytes[i])
            return cnn_fail(CNN_ERROR_UNSUPPORTED, "%s: an option is set that this version of the library doesn't have",
                            type);
    memcpy(options, given, given_size < size ? given_size : size);
    uint32_t own_size = (uint32_t)size;
    memcpy(options, &own_size, sizeof own_size);
    return CNN_OK;
}

cnn_status cnn_options_write(void *given, const void *result, size_t size, const char *type)
{
    if (!given)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: the result has no place: NULL was given", type);
    size_t given_size = 0;
    cnn_status status = read_size(given, type, &given_size);
    if (status)
        return status;
    if (given_size > size)
        given_size = size;
    memcpy((unsigned char *)given + sizeof(uint32_t), (const unsigned char *)result + sizeof(uint32_t),
           given_size - sizeof(uint32_t));
    return CNN_OK;
}
