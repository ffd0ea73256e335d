/* Where the reading of an ONNX file ends: sentences that name the node, and the limit of memory. */
#include <stdarg.h>
#include <stdio.h>

#include "core/error.h"
#include "core/memory.h"
#include "formats/onnx/import.h"

const char *cnn_onnx_plain(const char *text, char to[128])
{
    size_t length = 0;
    for (; text && text[length] && length < 120; length++)
        to[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    to[length] = 0;
    return to;
}

cnn_status cnn_onnx_fail(const cnn_onnx_import *import, cnn_status status, const char *format, ...)
{
    char sentence[512], name[128], type[128];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof sentence, format, values);
    va_end(values);
    for (char *at = sentence; *at; at++) /* it may quote the file */
        *at = (unsigned char)*at < ' ' ? '?' : *at;
    const CnnOnnx__Node *node = import->node;
    if (!node)
        return cnn_fail(status, "%s: %s", import->path, sentence);
    const char *title = node->name && *node->name ? node->name : node->n_output ? node->output[0] : "";
    return cnn_fail(status, "%s: node %s (%s): %s", import->path, cnn_onnx_plain(title, name),
                    cnn_onnx_plain(node->op_type, type), sentence);
}

cnn_status cnn_onnx_memory(cnn_onnx_import *import, int64_t count, size_t size, void **memory)
{
    /* Constants grow when they are read: a whole number of one byte becomes one of eight. */
    enum { GROWTH = 16, ALWAYS = 16 << 20, LEAST = 64 };
    uint64_t read = import->file_bytes + import->external_bytes;
    size_t bytes;
    *memory = NULL;
    if (count < 0 || !cnn_multiply(count, size, &bytes) || bytes > PTRDIFF_MAX ||
        (import->used_bytes += bytes + LEAST) > GROWTH * read + ALWAYS)
        return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "its constants take much more memory than the file is large");
    if (!cnn_grow(import->context, (void **)&import->blocks, &import->block_capacity, import->block_count + 1,
                  sizeof *import->blocks))
        return CNN_ERROR_OUT_OF_MEMORY;
    *memory = cnn_allocate(import->context, bytes);
    if (!*memory)
        return CNN_ERROR_OUT_OF_MEMORY;
    import->blocks[import->block_count++] = *memory;
    return CNN_OK;
}
