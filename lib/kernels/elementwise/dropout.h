/* Dropout's loops. */
#ifndef CNN_KERNELS_ELEMENTWISE_DROPOUT_H
#define CNN_KERNELS_ELEMENTWISE_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

/* Loops of one instruction set. */
typedef struct cnn_dropout_kernels {
    /* kept[i] tells whether word i of the stream, from the block at `counter` on (see core/random.h), is `threshold` or
     * more. */
    void (*draw)(const uint32_t key[2], const uint32_t counter[4], uint32_t threshold, uint8_t *kept, size_t count);
    /* to = kept ? from × scale : 0; `to` may be `from` */
    void (*mask)(const uint8_t *kept, const float *from, float scale, float *to, size_t count);
    void (*mask_bf16)(const uint8_t *kept, const uint16_t *from, float scale, uint16_t *to, size_t count);
} cnn_dropout_kernels;

#endif
