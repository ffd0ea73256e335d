/* The cost of decoding an image, estimated from its header and its scans. */
#ifndef CATDOG_SERVE_DECODE_COST_H
#define CATDOG_SERVE_DECODE_COST_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

/* Work far beyond that of a photograph from a camera. */
enum { DECODE_COST_SLOW = 32000000 };

typedef struct decode_cost {
    uint64_t bytes; /* of memory, at its peak */
    uint64_t work;  /* pixels of an ordinary JPEG that take as long */
} decode_cost;

/* `info` comes from cnn_image_probe; `input` is the size that the image is decoded for. */
decode_cost decode_cost_of(const unsigned char *bytes, size_t size, const cnn_image_info *info,
                           const cnn_preprocess *input);

#endif
