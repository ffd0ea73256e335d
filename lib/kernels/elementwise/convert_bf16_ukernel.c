#include "kernels/elementwise/convert_bf16.h"
#include "simd/vector.h"

static void round_floats(const float *from, cnn_bf16 *to, size_t count)
{
    size_t i = 0;
    for (; i + VF_WIDTH <= count; i += VF_WIDTH)
        vf_store_bf16(to + i, vf_load(from + i));
    if (i < count)
        vf_store_bf16_partial(to + i, vf_load_partial(from + i, count - i), count - i);
}

static void widen_floats(const cnn_bf16 *from, float *to, size_t count)
{
    size_t i = 0;
    for (; i + VF_WIDTH <= count; i += VF_WIDTH)
        vf_store(to + i, vf_load_bf16(from + i));
    if (i < count)
        vf_store_partial(to + i, vf_load_bf16_partial(from + i, count - i), count - i);
}

const cnn_convert_bf16_kernels CNN_FOR_ISA(cnn_convert_bf16_kernels) = { .round = round_floats, .widen = widen_floats };
