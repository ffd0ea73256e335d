/* Activations that kernels compute on the way to the result. Each is a clamp. */
#ifndef CNN_KERNELS_ACTIVATION_H
#define CNN_KERNELS_ACTIVATION_H

#include <math.h>

typedef enum cnn_activation { CNN_ACTIVATION_NONE = 0, CNN_ACTIVATION_RELU, CNN_ACTIVATION_RELU6 } cnn_activation;

/* Values below `min` become it, values above `max` become that; NaN stays NaN. */
typedef struct cnn_clamp {
    float min, max;
} cnn_clamp;

#define CNN_NO_CLAMP ((cnn_clamp){ -INFINITY, INFINITY })

static inline cnn_clamp cnn_activation_clamp(cnn_activation activation)
{
    return (cnn_clamp){ activation == CNN_ACTIVATION_NONE ? -INFINITY : 0,
                        activation == CNN_ACTIVATION_RELU6 ? 6 : INFINITY };
}

#endif
