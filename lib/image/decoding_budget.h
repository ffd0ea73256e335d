/* How much memory the images that are being decoded at once may take together. */
#ifndef CNN_IMAGE_DECODING_BUDGET_H
#define CNN_IMAGE_DECODING_BUDGET_H

#include <stdint.h>

/* Takes `bytes` for an image, waiting while those of other threads leave too little; one that wants more than there is
 * waits until it is alone. Small images take nothing and never wait. Returns what cnn_decoding_end gives back. Who
 * holds some must not wait for other images. */
uint64_t cnn_decoding_begin(uint64_t bytes);
void cnn_decoding_end(uint64_t taken);

#endif
