/* What decoding an image costs, told by its head and its scans. */
#ifndef CATDOG_SERVE_DECODE_COST_H
#define CATDOG_SERVE_DECODE_COST_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

/* Of work that takes much longer than a photograph of a camera does. */
enum { DECODE_COST_SLOW = 32000000 };

typedef struct decode_cost {
    uint64_t bytes; /* of memory, at most */
    uint64_t work;  /* pixels of an ordinary JPEG that take as long */
} decode_cost;

/* `info` is what cnn_image_probe says of the bytes, `input` what the image is decoded for. */
decode_cost decode_cost_of(const unsigned char *bytes, size_t size, const cnn_image_info *info,
                           const cnn_preprocess *input);

#endif
