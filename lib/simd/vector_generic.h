/* Included by vector.h. The compilers' own vectors, which they turn into whatever the processor has. */
#include <math.h>

/* Few processors run plain C: its loops are to be small (VF_PLAIN). */
enum { VF_WIDTH = 4, VF_REGISTERS = 16, VF_PLAIN = 1 };

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vf_mask __attribute__((vector_size(16)));

static inline vf vf_zero(void)
{
    return (vf){ 0 };
}

static inline vf vf_broadcast(float a)
{
    return (vf){ a, a, a, a };
}

static inline vf vf_load(const float *from)
{
    vf a;
    memcpy(&a, from, sizeof a);
    return a;
}

static inline void vf_store(float *to, vf a)
{
    memcpy(to, &a, sizeof a);
}

static inline vf vf_load_partial(const float *from, size_t count)
{
    vf a = { 0 };
    memcpy(&a, from, count * sizeof *from);
    return a;
}

static inline void vf_store_partial(float *to, vf a, size_t count)
{
    memcpy(to, &a, count * sizeof *to);
}

static inline vf vf_add(vf a, vf b)
{
    return a + b;
}

static inline vf vf_sub(vf a, vf b)
{
    return a - b;
}

static inline vf vf_mul(vf a, vf b)
{
    return a * b;
}

static inline vf vf_div(vf a, vf b)
{
    return a / b;
}

static inline vf vf_sqrt(vf a)
{
    return (vf){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) };
}

static inline vf_mask vf_greater(vf a, vf b)
{
    return a > b;
}

static inline vf vf_select(vf_mask mask, vf yes, vf no)
{
    return (vf)((mask & (vf_mask)yes) | (~mask & (vf_mask)no));
}

static inline vf_mask vf_both(vf_mask a, vf_mask b)
{
    return a & b;
}

/* a > b ? a : b, so b where either is NaN */
static inline vf vf_max(vf a, vf b)
{
    return vf_select(a > b, a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return vf_select(a < b, a, b);
}

/* a * b + c, rounded twice: fused, it would be a slow function call on processors without it */
static inline vf vf_fmadd(vf a, vf b, vf c)
{
    return a * b + c;
}

/* Whole numbers 0 to 255 as bytes. */
static inline void vf_store_bytes(uint8_t *to, vf a, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)a[i];
}

static inline vf_mask vf_equal_bytes(const uint8_t *bytes, size_t count, uint8_t value)
{
    vf_mask mask = { 0 };
    for (size_t i = 0; i < count; i++)
        mask[i] = -(bytes[i] == value);
    return mask;
}

static inline vf vf_load_bf16(const uint16_t *from)
{
    return (vf)(vf_mask){ (int32_t)((uint32_t)from[0] << 16), (int32_t)((uint32_t)from[1] << 16),
                          (int32_t)((uint32_t)from[2] << 16), (int32_t)((uint32_t)from[3] << 16) };
}

static inline vf vf_load_bf16_partial(const uint16_t *from, size_t count)
{
    uint16_t lanes[4] = { 0 };
    memcpy(lanes, from, count * sizeof *from);
    return vf_load_bf16(lanes);
}

/* To the nearest, of two equally near ones the even one; NaN stays NaN. */
static inline void vf_store_bf16(uint16_t *to, vf a)
{
    typedef uint32_t words __attribute__((vector_size(16)));
    words bits = (words)a, high = bits >> 16, nan = (words)((bits & 0x7fffffffu) > 0x7f800000u);
    words nearest = (bits + 0x7fffu + (high & 1)) >> 16;
    words chosen = (nan & (high | 0x40)) | (~nan & nearest);
    for (int i = 0; i < VF_WIDTH; i++)
        to[i] = (uint16_t)chosen[i];
}

static inline void vf_store_bf16_partial(uint16_t *to, vf a, size_t count)
{
    uint16_t lanes[4];
    vf_store_bf16(lanes, a);
    memcpy(to, lanes, count * sizeof *to);
}
