/* Loops over bfloat16 that aren't products: what those over floats make of the same values, then rounded. */
#include <string.h>

#include "check.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/pool/pool.h"

typedef struct arrays {
    float *wide;
    void *bf16;
    int64_t count;
} arrays;

static arrays draw(int64_t count, uint32_t seed)
{
    arrays a = { check_random(count, CHECK_FLOATS, seed), NULL, count };
    for (int64_t i = 0; i < count; i++)
        a.wide[i] *= 8; /* for relu6 to have something to cut */
    check_round(a.wide, count, CNN_BFLOAT16);
    a.bf16 = check_typed(a.wide, count, CNN_BFLOAT16);
    return a;
}

static void release(arrays *a)
{
    check_release(a->wide);
    check_release(a->bf16);
}

/* Compares, and releases both. */
static void compare(const char *what, arrays *results)
{
    void *expected = check_typed(results->wide, results->count, CNN_BFLOAT16);
    check_same_bits(what, expected, results->bf16, (size_t)results->count * sizeof(uint16_t));
    check_release(expected);
    release(results);
}

static void check_elementwise(cnn_context *context, int64_t count)
{
    static const cnn_elementwise operations[] = { CNN_ELEMENTWISE_RELU, CNN_ELEMENTWISE_RELU6 };
    arrays a = draw(count, 1), b = draw(count, 2);
    for (int i = 0; i < 2; i++) {
        arrays forward = draw(count, 3), backward = draw(count, 4);
        cnn_elementwise_forward(context, CNN_FLOAT32, operations[i], NULL, a.wide, forward.wide, (size_t)count);
        cnn_elementwise_forward(context, CNN_BFLOAT16, operations[i], NULL, a.bf16, forward.bf16, (size_t)count);
        cnn_elementwise_backward(context, CNN_FLOAT32, operations[i], NULL, forward.wide, b.wide, backward.wide,
                                 (size_t)count);
        cnn_elementwise_backward(context, CNN_BFLOAT16, operations[i], NULL, forward.bf16, b.bf16, backward.bf16,
                                 (size_t)count);
        compare("an activation", &forward);
        compare("an activation's gradient", &backward);
    }
    arrays sum = draw(count, 5), copy = draw(count, 6);
    cnn_elementwise_add(context, CNN_FLOAT32, a.wide, b.wide, sum.wide, (size_t)count);
    cnn_elementwise_add(context, CNN_BFLOAT16, a.bf16, b.bf16, sum.bf16, (size_t)count);
    compare("a sum", &sum);
    cnn_elementwise_copy(context, CNN_FLOAT32, a.wide, copy.wide, (size_t)count);
    cnn_elementwise_copy(context, CNN_BFLOAT16, a.bf16, copy.bf16, (size_t)count);
    compare("a copy", &copy);
    release(&a);
    release(&b);
}

static void check_dropout(cnn_context *context, int64_t count)
{
    const cnn_dropout_kernels *kernels = cnn_kernels_get(context)->dropout;
    arrays a = draw(count, 1), kept = draw(count, 2);
    uint8_t *keep = check_allocate((size_t)count);
    uint32_t state = 3;
    for (int64_t i = 0; i < count; i++)
        keep[i] = (uint8_t)check_draw(&state, 2);
    kernels->mask(keep, a.wide, 1.25f, kept.wide, (size_t)count);
    kernels->mask_bf16(keep, a.bf16, 1.25f, kept.bf16, (size_t)count);
    compare("dropout", &kept);
    check_release(keep);
    release(&a);
}

static void check_pool(cnn_context *context, cnn_pool_shape s, uint32_t seed)
{
    cnn_pool_shape bf16 = s;
    bf16.type = CNN_BFLOAT16;
    arrays image = draw(s.batch * s.in_height * s.in_width * s.channels, seed);
    int64_t pooled = s.batch * s.out_height * s.out_width * s.channels;
    arrays max = draw(pooled, 1), avg = draw(pooled, 2), gradient = draw(pooled, 3);
    arrays max_gradient = draw(image.count, 4), avg_gradient = draw(image.count, 5);
    uint16_t *places[2] = { check_allocate((size_t)pooled * 2), check_allocate((size_t)pooled * 2) };
    cnn_max_pool_forward(context, &s, image.wide, max.wide, places[0]);
    cnn_max_pool_forward(context, &bf16, image.bf16, max.bf16, places[1]);
    check_same_bits("places of maxima", places[0], places[1], (size_t)pooled * 2);
    compare("max pooling", &max);
    cnn_avg_pool_forward(context, &s, image.wide, avg.wide);
    cnn_avg_pool_forward(context, &bf16, image.bf16, avg.bf16);
    compare("average pooling", &avg);
    cnn_max_pool_backward(context, &s, gradient.wide, places[0], max_gradient.wide);
    cnn_max_pool_backward(context, &bf16, gradient.bf16, places[1], max_gradient.bf16);
    compare("max pooling's gradient", &max_gradient);
    cnn_avg_pool_backward(context, &s, gradient.wide, avg_gradient.wide);
    cnn_avg_pool_backward(context, &bf16, gradient.bf16, avg_gradient.bf16);
    compare("average pooling's gradient", &avg_gradient);
    check_release(places[0]);
    check_release(places[1]);
    release(&image);
    release(&gradient);
}

static void check_global_pool(cnn_context *context, int64_t pixels, int64_t channels)
{
    arrays image = draw(3 * pixels * channels, 1), gradient = draw(image.count, 2);
    float *means[2] = { check_random(3 * channels, CHECK_FLOATS, 3), check_random(3 * channels, CHECK_FLOATS, 4) };
    cnn_global_avg_pool_forward(context, CNN_FLOAT32, image.wide, 3, pixels, channels, means[0]);
    cnn_global_avg_pool_forward(context, CNN_BFLOAT16, image.bf16, 3, pixels, channels, means[1]);
    check_equal("global pooling", means[0], means[1], 3 * channels, 1e-5f);
    cnn_global_avg_pool_backward(context, CNN_FLOAT32, means[0], 3, pixels, channels, gradient.wide);
    cnn_global_avg_pool_backward(context, CNN_BFLOAT16, means[0], 3, pixels, channels, gradient.bf16);
    compare("global pooling's gradient", &gradient);
    check_release(means[0]);
    check_release(means[1]);
    release(&image);
}

static void check_channels(cnn_context *context, int64_t rows, int64_t channels)
{
    size_t r = (size_t)rows, c = (size_t)channels;
    arrays x = draw(rows * channels, 1), g = draw(rows * channels, 2), y = draw(rows * channels, 3);
    arrays z = draw(rows * channels, 4);
    float *numbers = check_random(4 * channels, CHECK_FLOATS, 5), *sums = check_random(8 * channels, CHECK_FLOATS, 6);
    void *workspace = check_allocate(cnn_batch_norm_workspace(r, c));
    cnn_batch_norm_moments(context, CNN_FLOAT32, x.wide, r, c, sums, sums + c, workspace);
    cnn_batch_norm_gradient_sums(context, CNN_FLOAT32, NULL, x.wide, g.wide, r, c, numbers, sums + 2 * c, sums + 3 * c,
                                 workspace);
    cnn_batch_norm_moments(context, CNN_BFLOAT16, x.bf16, r, c, sums + 4 * c, sums + 5 * c, workspace);
    cnn_batch_norm_gradient_sums(context, CNN_BFLOAT16, NULL, x.bf16, g.bf16, r, c, numbers, sums + 6 * c, sums + 7 * c,
                                 workspace);
    check_equal("sums of channels", sums, sums + 4 * c, 4 * channels, 1e-4f * (float)rows);
    cnn_batch_norm_affine affine = { numbers, numbers + c, numbers + 2 * c };
    cnn_batch_norm_apply(context, CNN_FLOAT32, &affine, NULL, x.wide, r, c, y.wide);
    cnn_batch_norm_apply(context, CNN_BFLOAT16, &affine, NULL, x.bf16, r, c, y.bf16);
    compare("normalised channels", &y);
    cnn_batch_norm_input_gradient(context, CNN_FLOAT32, NULL, &affine, numbers + 3 * c, x.wide, g.wide, r, c, z.wide);
    cnn_batch_norm_input_gradient(context, CNN_BFLOAT16, NULL, &affine, numbers + 3 * c, x.bf16, g.bf16, r, c, z.bf16);
    compare("gradients by normalised channels", &z);
    check_release(workspace);
    check_release(numbers);
    check_release(sums);
    release(&x);
    release(&g);
}

void check_values_of_bf16(const check_sets *sets)
{
    static const int64_t counts[] = { 1, 15, 16, 100, 16384 + 3, 70001 };
    static const int64_t channels[] = { 1, 3, 16, 40, 64, 130 };
    static const cnn_pool_shape pools[] = {
        { 2, 9, 11, 5, 4, 5, { 3, 3 }, { 2, 2 }, 0, 0, CNN_FLOAT32 },
        { 1, 8, 8, 70, 8, 8, { 3, 3 }, { 1, 1 }, 1, 1, CNN_FLOAT32 },
        { 3, 6, 7, 16, 3, 3, { 2, 2 }, { 2, 2 }, 0, 0, CNN_FLOAT32 },
    };
    for (int i = 0; i < sets->count; i++) {
        cnn_context *context = sets->sets[i].contexts[i % CHECK_THREADS];
        check_case("%s: values of bfloat16", sets->sets[i].name);
        for (int k = 0; k < 6; k++) {
            check_elementwise(context, counts[k]);
            check_dropout(context, counts[k]);
            check_channels(context, 37, channels[k]);
            check_channels(context, 1200, channels[k]);
            check_global_pool(context, 21, channels[k]);
        }
        for (uint32_t k = 0; k < 3; k++)
            check_pool(context, pools[k], k);
    }
}
