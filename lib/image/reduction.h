/* How many of a photograph's pixels are kept when it is decoded for a smaller input. */
#ifndef CNN_IMAGE_REDUCTION_H
#define CNN_IMAGE_REDUCTION_H

#include <stdbool.h>
#include <stdint.h>

/* What the pixels are for: an input of this size, which they will be fitted to in this way. */
typedef struct cnn_reduction_aim {
    uint32_t width, height; /* 0: all pixels are kept */
    int fit;                /* a cnn_fit, or CNN_FIT_UNKNOWN: the whole is kept, in its proportions */
} cnn_reduction_aim;

enum { CNN_FIT_UNKNOWN = -1 };

/* Of a window of the photograph, blocks become their mean. */
typedef struct cnn_reduction {
    uint32_t left, top, width, height; /* the window; its margins are equal on both sides */
    uint32_t block_width, block_height;
} cnn_reduction;

/* How often both sides can be halved, as a factor, and remain as large as the aim. */
uint32_t cnn_even_reduction(const cnn_reduction_aim *aim, uint32_t width, uint32_t height);

/* Blocks of `even` × `even` pixels. What stretches out far beyond the aim in one direction is reduced more in that one,
 * or its ends are left out, if the fit would do so; photographs of usual proportions aren't changed by that. */
cnn_reduction cnn_choose_reduction(const cnn_reduction_aim *aim, uint32_t width, uint32_t height, uint32_t even);

/* The size of what remains. */
uint32_t cnn_reduced_width(const cnn_reduction *reduction);
uint32_t cnn_reduced_height(const cnn_reduction *reduction);

#endif
