#include "kernels/elementwise/dropout.h"
#include "simd/autovectorize.h"

/* Blocks of four words that are drawn side by side. */
enum { LANES = 32 };

/* Philox4x32-10, as in core/random.c, for LANES counters that differ in their first word. */
static void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t words[restrict 4][LANES])
{
    uint32_t start = counter[0], b = counter[1], c = counter[2], d = counter[3];
    uint32_t key_a = key[0], key_b = key[1];
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t w = start + i, x = b, y = c, z = d;
        for (uint32_t round = 0; round < 10; round++) {
            uint64_t first = (uint64_t)0xD2511F53u * w, second = (uint64_t)0xCD9E8D57u * y;
            w = (uint32_t)(second >> 32) ^ x ^ (key_a + round * 0x9E3779B9u);
            x = (uint32_t)second;
            y = (uint32_t)(first >> 32) ^ z ^ (key_b + round * 0xBB67AE85u);
            z = (uint32_t)first;
        }
        words[0][i] = w;
        words[1][i] = x;
        words[2][i] = y;
        words[3][i] = z;
    }
}

static void draw(const uint32_t key[2], const uint32_t counter[4], uint32_t threshold, uint8_t *kept, size_t count)
{
    uint32_t at[4] = { counter[0], counter[1], counter[2], counter[3] }, words[4][LANES];
    uint8_t group[4 * LANES];
    for (size_t done = 0; done < count; done += sizeof group) {
        philox(key, at, words);
        at[0] += LANES;
        for (int i = 0; i < LANES; i++)
            for (int word = 0; word < 4; word++)
                group[4 * i + word] = words[word][i] >= threshold;
        size_t left = count - done;
        memcpy(kept + done, group, left < sizeof group ? left : sizeof group);
    }
}

static void mask(const uint8_t *kept, const float *from, float scale, float *to, size_t count)
{
    CNN_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = from[i] * scale;
        to[i] = kept[i] ? value : 0;
    }
}

static void mask_bf16(const uint8_t *kept, const uint16_t *from, float scale, uint16_t *to, size_t count)
{
    for (size_t i = 0; i < count; i += VF_WIDTH) {
        size_t lanes = count - i < VF_WIDTH ? count - i : VF_WIDTH;
        vf value = vf_mul(vf_load_values(true, from, (ptrdiff_t)i, lanes), vf_broadcast(scale));
        vf_mask dropped = vf_equal_bytes(kept + i, lanes, 0);
        vf_store_values(true, to, (ptrdiff_t)i, vf_select(dropped, vf_zero(), value), lanes);
    }
}

const cnn_dropout_kernels CNN_FOR_ISA(cnn_dropout_kernels) = { .draw = draw, .mask = mask, .mask_bf16 = mask_bf16 };
