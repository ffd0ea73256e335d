#include "check.h"
#include "check_pair.h"
#include "kernels/norm/batch_norm.h"

static void check_channels(cnn_context *context, int64_t rows, int64_t channels)
{
    size_t r = (size_t)rows, c = (size_t)channels;
    check_pair x = check_pair_draw(rows * channels, 1), g = check_pair_draw(rows * channels, 2),
               y = check_pair_draw(rows * channels, 3);
    check_pair z = check_pair_draw(rows * channels, 4);
    float *numbers = check_random(4 * channels, CHECK_FLOATS, 5), *sums = check_random(8 * channels, CHECK_FLOATS, 6);
    void *workspace = check_allocate(cnn_batch_norm_workspace(r, c));
    const cnn_channels floats = { CNN_FLOAT32, r, c }, bf16 = { CNN_BFLOAT16, r, c };
    const cnn_batch_norm_backward of_floats = { NULL, x.wide, g.wide, numbers },
                                  of_bf16 = { NULL, x.bf16, g.bf16, numbers };
    cnn_batch_norm_moments(context, &floats, x.wide, sums, sums + c, workspace);
    cnn_batch_norm_gradient_sums(context, &floats, &of_floats, sums + 2 * c, sums + 3 * c, workspace);
    cnn_batch_norm_moments(context, &bf16, x.bf16, sums + 4 * c, sums + 5 * c, workspace);
    cnn_batch_norm_gradient_sums(context, &bf16, &of_bf16, sums + 6 * c, sums + 7 * c, workspace);
    check_equal("sums of channels", sums, sums + 4 * c, 4 * channels, 1e-4f * (float)rows);
    cnn_batch_norm_affine affine = { numbers, numbers + c, numbers + 2 * c };
    cnn_batch_norm_apply(context, &floats, &affine, NULL, x.wide, y.wide);
    cnn_batch_norm_apply(context, &bf16, &affine, NULL, x.bf16, y.bf16);
    check_pair_compare("normalised channels", &y);
    cnn_batch_norm_slopes slopes = { numbers + 2 * c, numbers + 3 * c, numbers + c };
    cnn_batch_norm_input_gradient(context, &floats, &of_floats, &slopes, z.wide);
    cnn_batch_norm_input_gradient(context, &bf16, &of_bf16, &slopes, z.bf16);
    check_pair_compare("gradients by normalised channels", &z);
    check_release(workspace);
    check_release(numbers);
    check_release(sums);
    check_pair_release(&x);
    check_pair_release(&g);
}

void check_batch_norm(const check_sets *sets)
{
    static const int64_t channels[] = { 1, 3, 16, 40, 64, 130 };
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: batch normalisation, in bfloat16", sets->sets[i].name);
        for (int k = 0; k < 6; k++) {
            check_channels(sets->sets[i].contexts[i % CHECK_THREADS], 37, channels[k]);
            check_channels(sets->sets[i].contexts[i % CHECK_THREADS], 1200, channels[k]);
        }
    }
}
