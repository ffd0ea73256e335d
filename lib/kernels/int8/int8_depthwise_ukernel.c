#include "kernels/int8/int8_depthwise.h"
#include "kernels/int8/int8_finish.h"

/* Neighbouring results at a time: sums enough for the processor to work on while each waits for its last product. */
enum { PIXELS = 8 };

#if defined(CNN_VECTOR_AVX512) || defined(CNN_VECTOR_AVX2)

/* Bytes of a row, in the order in which interleaving within 128 bits leaves the channels in theirs. */
ALWAYS_INLINE vb load_row(const uint8_t *from, int64_t count)
{
    return vb_spread(count < VB_WIDTH ? vb_load_partial(from, (size_t)count) : vb_load(from));
}

static void interleave(const uint8_t *const rows[CNN_INT8_MAX_GROUP], int64_t count, uint8_t *to)
{
    for (int64_t i = 0; i < count; i += VB_WIDTH, to += 4 * VB_WIDTH) {
        vb first = load_row(rows[0] + i, count - i), second = load_row(rows[1] + i, count - i);
        vb low = vb_zip_low(first, second), high = vb_zip_high(first, second);
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
        vb third = load_row(rows[2] + i, count - i), fourth = load_row(rows[3] + i, count - i);
        vb low_2 = vb_zip_low(third, fourth), high_2 = vb_zip_high(third, fourth);
        vb_store(to, vb_zip_low_words(low, low_2));
        vb_store(to + VB_WIDTH, vb_zip_high_words(low, low_2));
        vb_store(to + 2 * VB_WIDTH, vb_zip_low_words(high, high_2));
        vb_store(to + 3 * VB_WIDTH, vb_zip_high_words(high, high_2));
#else
        vb zero = vb_zero();
        vb_store(to, vb_zip_low(low, zero));
        vb_store(to + VB_WIDTH, vb_zip_high(low, zero));
        vb_store(to + 2 * VB_WIDTH, vb_zip_low(high, zero));
        vb_store(to + 3 * VB_WIDTH, vb_zip_high(high, zero));
#endif
    }
}

#else

static void interleave(const uint8_t *const rows[CNN_INT8_MAX_GROUP], int64_t count, uint8_t *to)
{
    int16_t *words = (int16_t *)(void *)to;
    for (int64_t i = 0; i < count; i++) {
        words[2 * i] = rows[0][i];
        words[2 * i + 1] = rows[1][i];
    }
}

#endif

/* One vector of channels, from `channel` on, of some pixels from `pixel` on. */
ALWAYS_INLINE void multiply_pixels(const cnn_int8_depthwise_row *p, result_kind kind, int64_t pixel, int pixels,
                                   int64_t channel, size_t count)
{
    vi sum[PIXELS];
    UNROLLED (x, pixels)
        sum[x] = vi_load(p->bias + channel);
    const ptrdiff_t step = p->step;
    const uint8_t *source = p->source + pixel * step + channel * GROUP_BYTES;
    const uint8_t *weights = p->weights + channel * GROUP_BYTES;
    for (int64_t i = 0; i < p->tap_count; i++, weights += p->weight_stride) {
        const uint8_t *from = source + p->taps[i];
        vi factor = vi_load(weights);
        UNROLLED (x, pixels)
            sum[x] = vi_dot(sum[x], vi_load(from + x * step), factor);
    }
    UNROLLED (x, pixels)
        finish_vector(&p->result, kind, sum[x], channel, (pixel + x) * p->result_stride + channel, count);
}

/* `most`: pixels at a time, PIXELS or half as many. */
ALWAYS_INLINE void multiply_channels(const cnn_int8_depthwise_row *p, result_kind kind, int most, int64_t channel,
                                     size_t count)
{
    const cnn_int8_depthwise_row row = *p; /* a copy, which stores of bytes can't change */
    int64_t x = 0;
    for (; x + PIXELS <= row.pixels && most == PIXELS; x += PIXELS)
        multiply_pixels(&row, kind, x, PIXELS, channel, count);
    for (; x + PIXELS / 2 <= row.pixels; x += PIXELS / 2)
        multiply_pixels(&row, kind, x, PIXELS / 2, channel, count);
    for (; x < row.pixels; x++)
        multiply_pixels(&row, kind, x, 1, channel, count);
}

static void multiply(const cnn_int8_depthwise_row *p)
{
    result_kind kind = kind_of(&p->result);
    int64_t channel = 0;
    for (; channel + VF_WIDTH <= p->channels && kind == RESULT_BYTES; channel += VF_WIDTH)
        multiply_channels(p, RESULT_BYTES, PIXELS, channel, VF_WIDTH);
    for (; channel < p->channels; channel += VF_WIDTH)
        multiply_channels(p, kind, PIXELS / 2, channel, vf_lanes_left(p->channels - channel));
}

const cnn_int8_depthwise_kernels CNN_FOR_ISA(cnn_int8_depthwise_kernels) = {
    .group = GROUP,
    .group_bytes = GROUP_BYTES,
    .interleave = interleave,
    .multiply = multiply,
};
