/* Text that grows. */
#ifndef CNN_CORE_TEXT_H
#define CNN_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <cnn/context.h>

/* Zeros and a context are an empty one. */
typedef struct cnn_text {
    cnn_context *context;
    char *bytes; /* from the context's memory, ended by a zero; NULL while empty */
    size_t size, capacity;
    bool failed; /* there was no memory for all of it */
} cnn_text;

void cnn_text_append(cnn_text *text, const char *bytes, size_t size);
void cnn_text_repeat(cnn_text *text, char c, size_t count);

/* At most 511 bytes at a time. */
__attribute__((format(printf, 2, 3))) void cnn_text_format(cnn_text *text, const char *format, ...);

/* Hands its bytes over, to be released by the caller; CNN_ERROR_OUT_OF_MEMORY if it isn't whole. */
cnn_status cnn_text_finish(cnn_text *text, char **result);

#endif
