/* Included by vector.h. */
#include <arm_neon.h>

enum { VF_WIDTH = 4, VF_REGISTERS = 32, VF_PLAIN = 0 };

typedef float32x4_t vf;
typedef uint32x4_t vf_mask;

static inline vf vf_zero(void)
{
    return vdupq_n_f32(0);
}

static inline vf vf_broadcast(float a)
{
    return vdupq_n_f32(a);
}

static inline vf vf_load(const float *from)
{
    return vld1q_f32(from);
}

static inline void vf_store(float *to, vf a)
{
    vst1q_f32(to, a);
}

/* Without a loop over lanes or a way through memory, for these are in inner loops. */
static inline vf vf_load_partial(const float *from, size_t count)
{
    float32x2_t none = vdup_n_f32(0);
    float32x2_t low = count > 1 ? vld1_f32(from) : vld1_lane_f32(from, none, 0);
    float32x2_t high = count > 3 ? vld1_f32(from + 2) : count > 2 ? vld1_lane_f32(from + 2, none, 0) : none;
    return vcombine_f32(low, high);
}

static inline void vf_store_partial(float *to, vf a, size_t count)
{
    if (count > 1)
        vst1_f32(to, vget_low_f32(a));
    else
        vst1q_lane_f32(to, a, 0);
    if (count > 3)
        vst1_f32(to + 2, vget_high_f32(a));
    else if (count > 2)
        vst1q_lane_f32(to + 2, a, 2);
}

static inline vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}

static inline vf_mask vf_greater(vf a, vf b)
{
    return vcgtq_f32(a, b);
}

static inline vf vf_select(vf_mask mask, vf yes, vf no)
{
    return vbslq_f32(mask, yes, no);
}

static inline vf_mask vf_both(vf_mask a, vf_mask b)
{
    return vandq_u32(a, b);
}

/* a > b ? a : b, so b where either is NaN */
static inline vf vf_max(vf a, vf b)
{
    return vf_select(vf_greater(a, b), a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return vf_select(vf_greater(b, a), a, b);
}

/* a * b + c */
static inline vf vf_fmadd(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

/* Whole numbers 0 to 255 as bytes. */
static inline void vf_store_bytes(uint8_t *to, vf a, size_t count)
{
    uint16x4_t halves = vmovn_u32(vcvtq_u32_f32(a));
    uint8_t bytes[8];
    vst1_u8(bytes, vmovn_u16(vcombine_u16(halves, halves)));
    memcpy(to, bytes, count);
}

static inline vf_mask vf_equal_bytes(const uint8_t *bytes, size_t count, uint8_t value)
{
    uint8_t eight[8] = { 0 };
    memcpy(eight, bytes, count);
    return vceqq_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(eight)))), vdupq_n_u32(value));
}

static inline vf vf_load_bf16(const uint16_t *from)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(from), 16));
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
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    vst1_bf16((bfloat16_t *)(void *)to, vcvt_bf16_f32(a));
#else
    uint32x4_t bits = vreinterpretq_u32_f32(a), high = vshrq_n_u32(bits, 16);
    uint32x4_t nearest =
        vshrq_n_u32(vaddq_u32(bits, vaddq_u32(vandq_u32(high, vdupq_n_u32(1)), vdupq_n_u32(0x7fff))), 16);
    uint32x4_t quiet = vorrq_u32(high, vdupq_n_u32(0x40));
    vst1_u16(to, vmovn_u32(vbslq_u32(vceqq_f32(a, a), nearest, quiet)));
#endif
}

static inline void vf_store_bf16_partial(uint16_t *to, vf a, size_t count)
{
    uint16_t lanes[4];
    vf_store_bf16(lanes, a);
    memcpy(to, lanes, count * sizeof *to);
}

#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define VF_HAS_BF16_DOT

/* In each lane a pair of bfloat16, the nearest to `first` and to `second`. */
static inline vf vf_bf16_pairs_of(vf first, vf second)
{
    uint16x8_t low = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(first));
    uint16x8_t high = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(second));
    return vreinterpretq_f32_u16(vzip1q_u16(low, high));
}

static inline vf vf_bf16_first_of_pairs(vf pairs)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(pairs), 16));
}

static inline vf vf_bf16_second_of_pairs(vf pairs)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(pairs), vdupq_n_u32(0xffff0000)));
}

/* One pair, which multiplies all lanes. */
typedef bfloat16x4_t vf_bf16_pair;

static inline vf_bf16_pair vf_bf16_load_pair(const float *from)
{
    return vreinterpret_bf16_f32(vld1_lane_f32(from, vdup_n_f32(0), 0));
}

/* The sum of both products of the pairs, + c. */
static inline vf vf_bf16_dot_pair(vf_bf16_pair a, vf b, vf c)
{
    return vbfdotq_lane_f32(c, vreinterpretq_bf16_f32(b), a, 0);
}
#endif
