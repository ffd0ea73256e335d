#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "core/random.h"
#include "image/warp.h"

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* The plain way, in double: bilinear at positions to 1/64, edges repeated. */
static double reference(const cnn_photo *photo, cnn_border border, double x, double y, int channel)
{
    x = rint((x - 0.5) * 64) / 64;
    y = rint((y - 0.5) * 64) / 64;
    double right = (double)photo->width - 1, bottom = (double)photo->height - 1;
    if (border == CNN_BORDER_GREY && (x < -0.5 || y < -0.5 || x > right + 0.5 || y > bottom + 0.5))
        return 127.5;
    x = clamp(x, 0, right);
    y = clamp(y, 0, bottom);
    int64_t x0 = (int64_t)x, y0 = (int64_t)y;
    int64_t x1 = x0 + 1 < photo->width ? x0 + 1 : x0, y1 = y0 + 1 < photo->height ? y0 + 1 : y0;
    const uint8_t *bytes = photo->bytes + channel;
    double a = bytes[3 * (y0 * photo->width + x0)], b = bytes[3 * (y0 * photo->width + x1)];
    double c = bytes[3 * (y1 * photo->width + x0)], d = bytes[3 * (y1 * photo->width + x1)];
    double upper = a + (b - a) * (x - (double)x0), lower = c + (d - c) * (x - (double)x0);
    return upper + (lower - upper) * (y - (double)y0);
}

/* In memory of its own, with not a byte more, so that sanitizers see every step too far. */
static cnn_photo random_photo(cnn_random *random, int64_t width, int64_t height)
{
    uint8_t *bytes = malloc((size_t)(3 * width * height));
    for (int64_t i = 0; i < 3 * width * height; i++)
        bytes[i] = (uint8_t)cnn_random_word(random);
    return (cnn_photo){ .bytes = bytes, .width = width, .height = height };
}

/* Turned by `angle` about the photograph's centre, `step` source pixels to an output pixel. */
static cnn_affine turn(const cnn_photo *photo, uint32_t width, uint32_t height, double angle, double step)
{
    double c = step * cos(angle), s = step * sin(angle);
    return (cnn_affine){ .xx = c,
                         .xy = -s,
                         .x0 = (double)photo->width / 2 - c * width / 2 + s * height / 2,
                         .yx = s,
                         .yy = c,
                         .y0 = (double)photo->height / 2 - s * width / 2 - c * height / 2 };
}

static cnn_warp_target plain_target(uint32_t width, uint32_t height)
{
    float *floats = malloc(3 * sizeof(float) * width * height);
    return (cnn_warp_target){ .width = width, .height = height, .scale = { 1, 1, 1 }, .floats = floats };
}

static void check_against_reference(const cnn_photo *photo, const cnn_affine *map, cnn_border border, uint32_t width,
                                    uint32_t height)
{
    cnn_warp_target target = plain_target(width, height);
    assert_ok(cnn_warp(NULL, photo, map, border, &target));
    for (uint32_t i = 0; i < width * height * 3; i++) {
        double out_x = i / 3 % width + 0.5, out_y = i / 3 / width + 0.5;
        double x = map->xx * out_x + map->xy * out_y + map->x0, y = map->yx * out_x + map->yy * out_y + map->y0;
        double expected = reference(photo, border, x, y, (int)(i % 3));
        if (fabs(expected - (double)target.floats[i]) > 0.02)
            fail_msg("%dx%d: value %d is %g instead of %g", (int)photo->width, (int)photo->height, (int)i,
                     (double)target.floats[i], expected);
    }
    free(target.floats);
}

static void samples_are_bilinear_at_every_position(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 5, CNN_RANDOM_AUGMENT, 0, 0);
    const int64_t sides[] = { 1, 2, 3, 4, 7, 33 };
    for (int i = 0; i < 36 * 8; i++) {
        cnn_photo photo = random_photo(&random, sides[i % 6], sides[i / 6 % 6]);
        double angle = (double)cnn_random_between(&random, -4, 4),
               step = (double)cnn_random_between(&random, 0.05f, 1.7f);
        cnn_affine map = turn(&photo, 21, 17, angle, step);
        map.x0 += (double)cnn_random_between(&random, -5, 5);
        check_against_reference(&photo, &map, i % 2 ? CNN_BORDER_GREY : CNN_BORDER_REPEAT, 21, 17);
        free((void *)photo.bytes);
    }
}

static void an_output_of_one_pixel_or_row_is_filled(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 6, CNN_RANDOM_AUGMENT, 0, 0);
    cnn_photo photo = random_photo(&random, 30, 20);
    const uint32_t sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 } };
    for (int i = 0; i < 4; i++) {
        cnn_affine map = turn(&photo, sizes[i][0], sizes[i][1], 0.3, 1.5);
        check_against_reference(&photo, &map, CNN_BORDER_REPEAT, sizes[i][0], sizes[i][1]);
    }
    free((void *)photo.bytes);
}

static void far_outside_there_is_the_edge(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 7, CNN_RANDOM_AUGMENT, 0, 0);
    cnn_photo photo = random_photo(&random, 9, 9);
    cnn_affine map = turn(&photo, 5, 5, 0.5, 1);
    map.x0 += 1e9;
    check_against_reference(&photo, &map, CNN_BORDER_REPEAT, 5, 5);
    map.y0 -= 2e9;
    check_against_reference(&photo, &map, CNN_BORDER_REPEAT, 5, 5);
    map.x0 = 1e30;
    cnn_warp_target target = plain_target(5, 5);
    assert_status(CNN_ERROR_ARGUMENT, cnn_warp(NULL, &photo, &map, CNN_BORDER_REPEAT, &target));
    map.x0 = NAN;
    assert_status(CNN_ERROR_ARGUMENT, cnn_warp(NULL, &photo, &map, CNN_BORDER_REPEAT, &target));
    free(target.floats);
    free((void *)photo.bytes);
}

static double wave(double x, double y)
{
    return 128 + 60 * sin(x / 19) + 50 * cos(y / 15);
}

static cnn_photo wave_photo(int64_t width, int64_t height)
{
    uint8_t *bytes = malloc((size_t)(3 * width * height));
    for (int64_t i = 0; i < width * height; i++)
        for (int channel = 0; channel < 3; channel++)
            bytes[3 * i + channel] = (uint8_t)(wave((double)(i % width) + 0.5, (double)(i / width) + 0.5) + 0.5);
    return (cnn_photo){ .bytes = bytes, .width = width, .height = height };
}

/* Rotated by known angles, from enlarging to strongly shrinking, a smooth picture keeps its values. */
static void a_rotated_picture_is_close_to_its_formula(void **state)
{
    (void)state;
    cnn_photo photo = wave_photo(240, 200);
    const double steps[] = { 0.4, 1, 1.6, 2.1, 3.4, 5 };
    for (int i = 0; i < 6; i++) {
        uint32_t size = (uint32_t)(100 / steps[i]);
        cnn_affine map = turn(&photo, size, size, 0.35, steps[i]);
        cnn_warp_target target = plain_target(size, size);
        assert_ok(cnn_warp(NULL, &photo, &map, CNN_BORDER_REPEAT, &target));
        for (uint32_t p = 0; p < size * size; p++) {
            double x = p % size + 0.5, y = p / size + 0.5;
            double expected = wave(map.xx * x + map.xy * y + map.x0, map.yx * x + map.yy * y + map.y0);
            if (fabs(expected - (double)target.floats[3 * p]) > 2.5)
                fail_msg("step %g, pixel %d: %g instead of %g", steps[i], (int)p, (double)target.floats[3 * p],
                         expected);
        }
        free(target.floats);
    }
    free((void *)photo.bytes);
}

static void shrinking_while_rotating_averages(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(3 * 128 * 128);
    for (int i = 0; i < 128 * 128; i++)
        memset(bytes + 3 * i, (i + i / 128) % 2 ? 255 : 0, 3); /* a chessboard becomes grey */
    cnn_photo photo = { .bytes = bytes, .width = 128, .height = 128 };
    cnn_affine map = turn(&photo, 16, 16, 0.2, 4);
    cnn_warp_target target = plain_target(16, 16);
    assert_ok(cnn_warp(NULL, &photo, &map, CNN_BORDER_REPEAT, &target));
    for (int i = 0; i < 16 * 16 * 3; i++)
        assert_true(fabsf(target.floats[i] - 127.5f) < 1);
    free(target.floats);
    free(bytes);
}

static void a_map_without_rotation_meets_one_with_next_to_none(void **state)
{
    (void)state;
    cnn_photo photo = wave_photo(50, 40);
    cnn_affine straight = { .xx = 0.8, .x0 = 3.3, .yy = 0.9, .y0 = -2.2 }, turned = straight;
    turned.xy = 1e-9;
    cnn_warp_target a = plain_target(44, 44), b = plain_target(44, 44);
    assert_ok(cnn_warp(NULL, &photo, &straight, CNN_BORDER_REPEAT, &a));
    assert_ok(cnn_warp(NULL, &photo, &turned, CNN_BORDER_REPEAT, &b));
    for (int i = 0; i < 44 * 44 * 3; i++)
        assert_true(fabsf(a.floats[i] - b.floats[i]) < 0.07f);
    free(a.floats);
    free(b.floats);
    free((void *)photo.bytes);
}

static cnn_context *context_for(cnn_instruction_set set)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.instruction_set = set; /* or the best there is */
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    return context;
}

/* Photographs of many shapes, the smallest and the last column and row included, seen from near and far. */
static void every_instruction_set_gives_the_same_bits(void **state)
{
    (void)state;
    cnn_context *contexts[] = { context_for(CNN_ISA_GENERIC), context_for(CNN_ISA_AVX2), context_for(CNN_ISA_AVX512),
                                context_for(CNN_ISA_NEON) };
    cnn_random random;
    cnn_random_init(&random, 8, CNN_RANDOM_AUGMENT, 0, 0);
    const int64_t sides[][2] = { { 67, 71 }, { 180, 40 }, { 2, 2 }, { 1, 9 }, { 9, 1 }, { 3, 2 }, { 300, 3 } };
    const uint32_t widths[] = { 53, 8, 7, 129, 300, 16, 25 };
    for (int i = 0; i < 7 * 40; i++) {
        cnn_photo photo = random_photo(&random, sides[i % 7][0], sides[i % 7][1]);
        uint32_t width = widths[i / 7 % 7], height = 9;
        cnn_affine map = turn(&photo, width, height, 0.1 + i * 0.03, (double)cnn_random_between(&random, 0.05f, 1.7f));
        map.x0 += (double)cnn_random_between(&random, -20, 20);
        map.y0 += i % 11 == 0 ? 1e7 : i % 13 == 0 ? -1e8 : 0;
        cnn_warp_target plain = plain_target(width, height), other = plain_target(width, height);
        plain.mean[1] = other.mean[1] = 100;
        plain.scale[2] = other.scale[2] = 0.01f;
        for (int k = 0; k < 8; k++) {
            cnn_border border = k % 2 ? CNN_BORDER_GREY : CNN_BORDER_REPEAT;
            assert_ok(cnn_warp(contexts[0], &photo, &map, border, &plain));
            assert_ok(cnn_warp(contexts[k / 2], &photo, &map, border, &other));
            assert_memory_equal(plain.floats, other.floats, sizeof(float) * 3 * width * height);
        }
        free(plain.floats);
        free(other.floats);
        free((void *)photo.bytes);
    }
    for (int k = 0; k < 4; k++)
        cnn_context_destroy(contexts[k]);
}

static void averaged_blocks_are_the_rounded_mean_at_ragged_edges(void **state)
{
    (void)state;
    cnn_random random;
    cnn_random_init(&random, 9, CNN_RANDOM_AUGMENT, 0, 0);
    const int64_t sides[][2] = { { 31, 20 }, { 32, 33 }, { 5, 7 }, { 90, 61 } };
    for (int i = 0; i < 4 * 5; i++) {
        cnn_photo photo = random_photo(&random, sides[i % 4][0], sides[i % 4][1]);
        int64_t block = 2 + i / 4, columns = (photo.width + block - 1) / block;
        int64_t rows = (photo.height + block - 1) / block;
        /* samples at the blocks' centres; the skew is far below what counts */
        cnn_affine map = { .xx = (double)block, .xy = 1e-12, .yx = 1e-12, .yy = (double)block };
        cnn_warp_target target = plain_target((uint32_t)columns, (uint32_t)rows);
        assert_ok(cnn_warp(NULL, &photo, &map, CNN_BORDER_REPEAT, &target));
        for (int64_t value = 0; value < 3 * columns * rows; value++) {
            int64_t x0 = value / 3 % columns * block, y0 = value / 3 / columns * block, sum = 0, count = 0;
            for (int64_t y = y0; y < y0 + block && y < photo.height; y++)
                for (int64_t x = x0; x < x0 + block && x < photo.width; x++, count++)
                    sum += photo.bytes[3 * (y * photo.width + x) + value % 3];
            assert_int_equal((sum + count / 2) / count, (int)target.floats[value]);
        }
        free(target.floats);
        free((void *)photo.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_bilinear_at_every_position),
        cmocka_unit_test(an_output_of_one_pixel_or_row_is_filled),
        cmocka_unit_test(far_outside_there_is_the_edge),
        cmocka_unit_test(a_rotated_picture_is_close_to_its_formula),
        cmocka_unit_test(shrinking_while_rotating_averages),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
        cmocka_unit_test(averaged_blocks_are_the_rounded_mean_at_ragged_edges),
        cmocka_unit_test(a_map_without_rotation_meets_one_with_next_to_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
