#include "draw.h"

uint64_t draw_bits(draw *source)
{
    uint64_t z = source->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int32_t draw_below(draw *source, int32_t bound)
{
    return (int32_t)(((draw_bits(source) >> 32) * (uint64_t)bound) >> 32);
}

int32_t draw_between(draw *source, int32_t low, int32_t high)
{
    return low + draw_below(source, high - low + 1);
}

bool draw_one_in(draw *source, int32_t many)
{
    return !draw_below(source, many);
}

float draw_float(draw *source, float low, float high)
{
    return low + (high - low) * (float)(draw_bits(source) >> 40) / (float)(1 << 24);
}
