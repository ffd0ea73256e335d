#include "kernels/kernels.h"
#include "kernels/vector.h"

static void add(float *sum, const float *terms, int64_t count)
{
    int64_t i = 0;
    for (; i + VF_WIDTH <= count; i += VF_WIDTH)
        vf_store(sum + i, vf_add(vf_load(sum + i), vf_load(terms + i)));
    if (i < count)
        vf_store_partial(sum + i, vf_add(vf_load_partial(sum + i, count - i), vf_load_partial(terms + i, count - i)),
                         count - i);
}

const cnn_vector_kernels CNN_FOR_ISA(cnn_vector_kernels) = { .add = add };
