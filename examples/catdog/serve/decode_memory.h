/* What decoding an image takes, told by its head. */
#ifndef CATDOG_SERVE_DECODE_MEMORY_H
#define CATDOG_SERVE_DECODE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

/* Bytes, at most; `info` is what cnn_image_probe says of them. */
uint64_t decode_memory(const unsigned char *bytes, size_t size, const cnn_image_info *info);

#endif
