#include "train/mixing.h"

#include <math.h>

#include "core/parallel.h"
#include "core/random.h"
#include "core/tensor_internal.h"

typedef struct batch {
    const cnn_mixing *mixing;
    cnn_tensor *images, *targets;
} batch;

/* Beta(α, α) for α up to 1: Jöhnk 1964, on logarithms, as powers of 1 / α underflow where α is small. There a share is
 * 0 or 1. */
static float draw_beta(cnn_random *random, float alpha)
{
    for (;;) {
        double x = log((double)cnn_random_uniform(random)) / (double)alpha;
        double y = log((double)cnn_random_uniform(random)) / (double)alpha;
        double larger = fmax(x, y);
        if (isfinite(larger) && larger + log1p(exp(-fabs(x - y))) <= 0)
            return (float)(1 / (1 + exp(y - x)));
    }
}

static void blend(float *restrict a, float *restrict b, int64_t count, float share)
{
    for (int64_t i = 0; i < count; i++) {
        float x = a[i], y = b[i];
        a[i] = y + share * (x - y);
        b[i] = x + share * (y - x);
    }
}

static void exchange(float *restrict a, float *restrict b, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        float kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* Where a side of that length begins and ends if its middle is at `middle` (0 to 1) of a larger one. */
static void place(double length, double middle, int64_t limit, int64_t *first, int64_t *end)
{
    double start = middle * (double)limit - length / 2;
    *first = (int64_t)fmax(0, start);
    *end = (int64_t)fmin((double)limit, start + length);
}

/* Exchanges a box of two images; gives the share of the area that they keep. */
static float exchange_box(cnn_random *random, const cnn_tensor *images, float *a, float *b, float share)
{
    int64_t height = images->dims[1], width = images->dims[2], channels = images->dims[3], top, bottom, left, right;
    double side = sqrt(1 - (double)share);
    place(side * (double)height, (double)cnn_random_uniform(random), height, &top, &bottom);
    place(side * (double)width, (double)cnn_random_uniform(random), width, &left, &right);
    for (int64_t y = top; y < bottom; y++) {
        int64_t start = (y * width + left) * channels;
        exchange(a + start, b + start, (right - left) * channels);
    }
    return 1 - (float)((bottom - top) * (right - left)) / (float)(height * width);
}

static void mix_pair(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    const batch *self = argument;
    const cnn_mixing *mixing = self->mixing;
    int64_t count = self->images->dims[0], size = self->images->count / count, outputs = self->targets->dims[1];
    int64_t first = (int64_t)task, last = count - 1 - first;
    float *images = self->images->data, *targets = self->targets->data;
    cnn_random random;
    cnn_random_init(&random, mixing->seed, CNN_RANDOM_MIX, (uint32_t)task, mixing->step);
    int cut = mixing->cutmix > 0 && (mixing->mixup == 0 || cnn_random_uniform(&random) < 0.5f);
    float share = draw_beta(&random, cut ? mixing->cutmix : mixing->mixup);
    share = fmaxf(share, 1 - share);
    if (cut)
        share = exchange_box(&random, self->images, images + first * size, images + last * size, share);
    else
        blend(images + first * size, images + last * size, size, share);
    blend(targets + first * outputs, targets + last * outputs, outputs, share);
}

void cnn_mix_batch(cnn_context *context, const cnn_mixing *mixing, cnn_tensor *images, cnn_tensor *targets)
{
    batch self = { mixing, images, targets };
    cnn_parallel(context, (size_t)images->dims[0] / 2, mix_pair, &self);
}
