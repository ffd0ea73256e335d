#include "check.h"
#include "check_pair.h"
#include "kernels/pool/pool.h"

static void check_windows(cnn_context *context, cnn_pool_shape s, uint32_t seed)
{
    cnn_pool_shape bf16 = s;
    bf16.type = CNN_BFLOAT16;
    check_pair image = check_pair_draw(s.batch * s.in_height * s.in_width * s.channels, seed);
    int64_t pooled = s.batch * s.out_height * s.out_width * s.channels;
    check_pair max = check_pair_draw(pooled, 1), avg = check_pair_draw(pooled, 2),
               gradient = check_pair_draw(pooled, 3);
    check_pair max_gradient = check_pair_draw(image.count, 4), avg_gradient = check_pair_draw(image.count, 5);
    uint16_t *places[2] = { check_allocate((size_t)pooled * 2), check_allocate((size_t)pooled * 2) };
    cnn_max_pool_forward(context, &s, image.wide, max.wide, places[0]);
    cnn_max_pool_forward(context, &bf16, image.bf16, max.bf16, places[1]);
    check_same_bits("places of maxima", places[0], places[1], (size_t)pooled * 2);
    check_pair_compare("max pooling", &max);
    cnn_avg_pool_forward(context, &s, image.wide, avg.wide);
    cnn_avg_pool_forward(context, &bf16, image.bf16, avg.bf16);
    check_pair_compare("average pooling", &avg);
    cnn_max_pool_backward(context, &s, gradient.wide, places[0], max_gradient.wide);
    cnn_max_pool_backward(context, &bf16, gradient.bf16, places[1], max_gradient.bf16);
    check_pair_compare("max pooling's gradient", &max_gradient);
    cnn_avg_pool_backward(context, &s, gradient.wide, avg_gradient.wide);
    cnn_avg_pool_backward(context, &bf16, gradient.bf16, avg_gradient.bf16);
    check_pair_compare("average pooling's gradient", &avg_gradient);
    check_release(places[0]);
    check_release(places[1]);
    check_pair_release(&image);
    check_pair_release(&gradient);
}

static void check_global_pool(cnn_context *context, int64_t pixels, int64_t channels)
{
    check_pair image = check_pair_draw(3 * pixels * channels, 1), gradient = check_pair_draw(image.count, 2);
    float *means[2] = { check_random(3 * channels, CHECK_FLOATS, 3), check_random(3 * channels, CHECK_FLOATS, 4) };
    cnn_global_pool_shape floats = { 3, pixels, channels, CNN_FLOAT32 }, bf16 = { 3, pixels, channels, CNN_BFLOAT16 };
    cnn_global_avg_pool_forward(context, &floats, image.wide, means[0]);
    cnn_global_avg_pool_forward(context, &bf16, image.bf16, means[1]);
    check_equal("global pooling", means[0], means[1], 3 * channels, 1e-5f);
    cnn_global_avg_pool_backward(context, &floats, means[0], gradient.wide);
    cnn_global_avg_pool_backward(context, &bf16, means[0], gradient.bf16);
    check_pair_compare("global pooling's gradient", &gradient);
    check_release(means[0]);
    check_release(means[1]);
    check_pair_release(&image);
}

void check_pool(const check_sets *sets)
{
    static const int64_t channels[] = { 1, 3, 16, 40, 64, 130 };
    static const cnn_pool_shape pools[] = {
        { 2, 9, 11, 5, 4, 5, { 3, 3 }, { 2, 2 }, 0, 0, CNN_FLOAT32 },
        { 1, 8, 8, 70, 8, 8, { 3, 3 }, { 1, 1 }, 1, 1, CNN_FLOAT32 },
        { 3, 6, 7, 16, 3, 3, { 2, 2 }, { 2, 2 }, 0, 0, CNN_FLOAT32 },
    };
    for (int i = 0; i < sets->count; i++) {
        cnn_context *context = sets->sets[i].contexts[i % CHECK_THREADS];
        check_case("%s: pooling, in bfloat16", sets->sets[i].name);
        for (int k = 0; k < 6; k++)
            check_global_pool(context, 21, channels[k]);
        for (uint32_t k = 0; k < 3; k++)
            check_windows(context, pools[k], k);
    }
}
