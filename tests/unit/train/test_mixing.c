#include "../test.h"

#include <math.h>
#include <string.h>

#include "train/mixing.h"

enum { IMAGES = 7, SIDE = 8, SIZE = SIDE * SIDE * 3 };

/* Image i is all i, of class i. */
static void fill(cnn_tensor *images, cnn_tensor *targets)
{
    for (int i = 0; i < IMAGES; i++) {
        for (int k = 0; k < SIZE; k++)
            ((float *)cnn_tensor_data(images))[i * SIZE + k] = (float)i;
        for (int k = 0; k < IMAGES; k++)
            ((float *)cnn_tensor_data(targets))[i * IMAGES + k] = (float)(i == k);
    }
}

typedef struct batch {
    cnn_context *context;
    cnn_tensor *images, *targets;
} batch;

static batch make_batch(uint32_t threads)
{
    batch b;
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = threads;
    assert_ok(cnn_context_create(&options, &b.context));
    assert_ok(cnn_tensor_create(b.context, CNN_FLOAT32, 4, (int64_t[]){ IMAGES, SIDE, SIDE, 3 }, &b.images));
    assert_ok(cnn_tensor_create(b.context, CNN_FLOAT32, 2, (int64_t[]){ IMAGES, IMAGES }, &b.targets));
    fill(b.images, b.targets);
    return b;
}

static void destroy_batch(batch *b)
{
    cnn_tensor_destroy(b->images);
    cnn_tensor_destroy(b->targets);
    cnn_context_destroy(b->context);
}

static float target(const batch *b, int image, int class_index)
{
    return ((const float *)cnn_tensor_const_data(b->targets))[image * IMAGES + class_index];
}

static const float *image(const batch *b, int index)
{
    return (const float *)cnn_tensor_const_data(b->images) + index * SIZE;
}

static double mean(const float *values)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++)
        sum += (double)values[i];
    return sum / SIZE;
}

/* Whatever the mixture, an image's pixels have the shares that its target says, of itself and its partner. */
static void assert_shares(const batch *b)
{
    for (int i = 0; i < IMAGES; i++) {
        int partner = IMAGES - 1 - i;
        double own = (double)target(b, i, i), other = partner == i ? 0 : (double)target(b, i, partner);
        assert_true(fabs(own + other - 1) < 1e-6);
        assert_true(fabs(own * i + other * partner - mean(image(b, i))) < 1e-5);
    }
    assert_true(target(b, IMAGES / 2, IMAGES / 2) == 1); /* the middle one has no partner */
}

static void images_and_targets_are_mixed_in_the_same_shares(void **state)
{
    (void)state;
    const cnn_mixing kinds[] = { { 0.4f, 0, 1, 0 }, { 0, 1, 1, 0 }, { 1, 1, 1, 0 } };
    for (int k = 0; k < 3; k++) {
        int mixed = 0;
        for (uint64_t step = 0; step < 50; step++) {
            batch b = make_batch(1);
            cnn_mixing mixing = kinds[k];
            mixing.step = step;
            cnn_mix_batch(b.context, &mixing, b.images, b.targets);
            assert_shares(&b);
            mixed += target(&b, 0, 0) < 0.9f;
            destroy_batch(&b);
        }
        assert_true(mixed > 5 && mixed < 50);
    }
}

static void mixup_blends_and_each_stays_the_larger_part(void **state)
{
    (void)state;
    batch b = make_batch(1);
    cnn_mix_batch(b.context, &(cnn_mixing){ .mixup = 1, .seed = 4 }, b.images, b.targets);
    for (int i = 0; i < IMAGES; i++) {
        assert_true(target(&b, i, i) >= 0.5f);
        for (int k = 1; k < SIZE; k++)
            assert_true(image(&b, i)[k] == image(&b, i)[0]);
    }
    destroy_batch(&b);
}

static void cutmix_exchanges_a_rectangle(void **state)
{
    (void)state;
    batch b = make_batch(1);
    cnn_mix_batch(b.context, &(cnn_mixing){ .cutmix = 1, .seed = 4 }, b.images, b.targets);
    for (int i = 0; i < IMAGES; i++)
        for (int k = 0; k < SIZE; k++)
            assert_true(image(&b, i)[k] == (float)i || image(&b, i)[k] == (float)(IMAGES - 1 - i));
    destroy_batch(&b);
}

static void the_same_seed_and_step_give_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    const cnn_mixing mixing = { 0.5f, 0.5f, 9, 3 };
    batch a = make_batch(1), b = make_batch(3), c = make_batch(1);
    cnn_mix_batch(a.context, &mixing, a.images, a.targets);
    cnn_mix_batch(b.context, &mixing, b.images, b.targets);
    cnn_mix_batch(c.context, &(cnn_mixing){ 0.5f, 0.5f, 9, 4 }, c.images, c.targets);
    assert_memory_equal(image(&a, 0), image(&b, 0), IMAGES * SIZE * sizeof(float));
    assert_memory_not_equal(image(&a, 0), image(&c, 0), IMAGES * SIZE * sizeof(float));
    destroy_batch(&a);
    destroy_batch(&b);
    destroy_batch(&c);
}

/* The mean square of a share's distance from one half, which is Beta(α, α)'s variance: 1 / (4 (2 α + 1)). */
static double spread(float alpha, uint64_t steps)
{
    double sum = 0;
    batch b = make_batch(1);
    for (uint64_t step = 0; step < steps; step++) {
        fill(b.images, b.targets);
        cnn_mix_batch(b.context, &(cnn_mixing){ .mixup = alpha, .seed = 2, .step = step }, b.images, b.targets);
        for (int i = 0; i < IMAGES / 2; i++)
            sum += pow((double)target(&b, i, i) - 0.5, 2);
    }
    destroy_batch(&b);
    return sum / (double)(steps * (IMAGES / 2));
}

static void shares_are_beta_distributed(void **state)
{
    (void)state;
    const double alphas[] = { 1, 0.5, 0.2, 0.05, 0.005 };
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++)
        assert_true(fabs(spread((float)alphas[i], 1000) * 4 * (2 * alphas[i] + 1) - 1) < 0.08);
}

static void the_smallest_parameters_come_to_an_end_and_leave_images_whole(void **state)
{
    (void)state;
    const float alphas[] = { 1e-6f, 1e-30f, 1e-38f, 1e-45f };
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++) {
        const cnn_mixing kinds[] = { { alphas[i], 0, 1, 0 }, { 0, alphas[i], 1, 0 }, { alphas[i], alphas[i], 1, 0 } };
        for (int k = 0; k < 3; k++) {
            batch b = make_batch(1);
            cnn_mix_batch(b.context, &kinds[k], b.images, b.targets);
            assert_shares(&b);
            for (int image_index = 0; image_index < IMAGES; image_index++)
                assert_true(target(&b, image_index, image_index) == 1);
            destroy_batch(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_targets_are_mixed_in_the_same_shares),
        cmocka_unit_test(mixup_blends_and_each_stays_the_larger_part),
        cmocka_unit_test(cutmix_exchanges_a_rectangle),
        cmocka_unit_test(shares_are_beta_distributed),
        cmocka_unit_test(the_smallest_parameters_come_to_an_end_and_leave_images_whole),
        cmocka_unit_test(the_same_seed_and_step_give_the_same_bits_at_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
