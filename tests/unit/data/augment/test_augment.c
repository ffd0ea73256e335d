#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../test.h"
#include "data/augment.h"

enum { WIDTH = 24, HEIGHT = 20, VALUES = WIDTH * HEIGHT * 3 };

typedef struct scene {
    cnn_tensor *pixels;
    cnn_preprocess preprocess;
    cnn_augment augment;
    float plain[VALUES], output[VALUES];
} scene;

static int make_scene(void **state)
{
    scene *self = calloc(1, sizeof *self);
    assert_ok(cnn_tensor_create(NULL, CNN_UINT8, 3, (int64_t[]){ 30, 40, 3 }, &self->pixels));
    unsigned char *bytes = cnn_tensor_data(self->pixels);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++) {
            unsigned char *pixel = bytes + 3 * (y * 40 + x);
            pixel[0] = (unsigned char)(6 * x);
            pixel[1] = (unsigned char)(8 * y);
            pixel[2] = (unsigned char)(x > 20 && y < 12 ? 220 : 40);
        }
    cnn_preprocess_init(&self->preprocess);
    self->preprocess.width = WIDTH;
    self->preprocess.height = HEIGHT;
    cnn_augment_init(&self->augment);
    assert_ok(cnn_image_preprocess(NULL, self->pixels, &self->preprocess, self->plain));
    *state = self;
    return 0;
}

static int free_scene(void **state)
{
    scene *self = *state;
    cnn_tensor_destroy(self->pixels);
    free(self);
    return 0;
}

static void apply(scene *self, uint32_t epoch, uint64_t image)
{
    assert_ok(cnn_augment_apply(NULL, self->pixels, &self->augment, &self->preprocess, 11, epoch, image, self->output));
}

static void no_augmentation_is_plain_preprocessing(void **state)
{
    scene *self = *state;
    apply(self, 0, 0);
    assert_memory_equal(self->plain, self->output, sizeof self->plain);
    assert_ok(cnn_augment_apply(NULL, self->pixels, NULL, &self->preprocess, 1, 2, 3, self->output));
    assert_memory_equal(self->plain, self->output, sizeof self->plain);
}

static void the_same_key_gives_the_same_bits(void **state)
{
    scene *self = *state;
    assert_ok(cnn_augment_parse(
        "flip,vertical_flip,rotation,zoom,shift,shear,brightness,contrast,saturation,crop,erase", &self->augment));
    float first[VALUES];
    apply(self, 3, 17);
    memcpy(first, self->output, sizeof first);
    memset(self->output, 0, sizeof self->output);
    apply(self, 3, 17);
    assert_memory_equal(first, self->output, sizeof first);
    apply(self, 4, 17);
    assert_memory_not_equal(first, self->output, sizeof first);
    apply(self, 3, 18);
    assert_memory_not_equal(first, self->output, sizeof first);
    assert_ok(cnn_augment_apply(NULL, self->pixels, &self->augment, &self->preprocess, 12, 3, 17, self->output));
    assert_memory_not_equal(first, self->output, sizeof first);
}

static int is_mirror(const scene *self, int horizontally)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int other = horizontally ? y * WIDTH + WIDTH - 1 - x : (HEIGHT - 1 - y) * WIDTH + x;
            if (memcmp(self->output + 3 * (y * WIDTH + x), self->plain + 3 * other, 3 * sizeof(float)))
                return 0;
        }
    return 1;
}

static void a_flip_is_an_exact_mirror_half_of_the_time(void **state)
{
    scene *self = *state;
    for (int horizontally = 0; horizontally < 2; horizontally++) {
        self->augment.flip_horizontal = (uint32_t)horizontally;
        self->augment.flip_vertical = (uint32_t)!horizontally;
        int mirrored = 0;
        for (uint64_t image = 0; image < 200; image++) {
            apply(self, 0, image);
            int mirror = is_mirror(self, horizontally);
            assert_true(mirror || !memcmp(self->output, self->plain, sizeof self->plain));
            mirrored += mirror;
        }
        assert_in_range(mirrored, 75, 125);
    }
}

/* Where the map takes an output position. */
static void map_to(const cnn_affine *map, double x, double y, double *source_x, double *source_y)
{
    *source_x = map->xx * x + map->xy * y + map->x0;
    *source_y = map->yx * x + map->yy * y + map->y0;
}

static void rotation_is_about_the_centre_and_keeps_proportions(void **state)
{
    scene *self = *state;
    self->augment.rotation = 30;
    double least = 1, most = -1;
    cnn_photo photo;
    assert_ok(cnn_photo_open(self->pixels, "", &photo));
    cnn_affine fit = cnn_fit_affine(CNN_FIT_STRETCH, &photo, WIDTH, HEIGHT);
    for (uint64_t image = 0; image < 300; image++) {
        cnn_augment_draw draw;
        cnn_augment_random(&self->augment, 1, 1, image, &draw);
        least = fmin(least, draw.rotation);
        most = fmax(most, draw.rotation);
        cnn_affine map = cnn_augment_affine(&draw, &fit, WIDTH, HEIGHT);
        double x, y, right_x, right_y;
        map_to(&map, WIDTH / 2.0, HEIGHT / 2.0, &x, &y);
        assert_true(fabs(x - 20) < 1e-9 && fabs(y - 15) < 1e-9);
        map_to(&map, WIDTH, HEIGHT / 2.0, &right_x, &right_y);
        assert_true(fabs(hypot(right_x - 20, right_y - 15) - 20) < 1e-9);
        assert_true(fabs(atan2(right_y - 15, right_x - 20) - draw.rotation) < 1e-9);
    }
    assert_true(least > -0.5236 && least < -0.45 && most < 0.5236 && most > 0.45);
}

static void zoom_magnifies_about_the_centre(void **state)
{
    scene *self = *state;
    self->augment.zoom = 0.5f;
    cnn_photo photo;
    assert_ok(cnn_photo_open(self->pixels, "", &photo));
    cnn_affine fit = cnn_fit_affine(CNN_FIT_STRETCH, &photo, WIDTH, HEIGHT);
    for (uint64_t image = 0; image < 100; image++) {
        cnn_augment_draw draw;
        cnn_augment_random(&self->augment, 1, 1, image, &draw);
        assert_true(draw.magnification >= 0.5 && draw.magnification <= 1.5);
        cnn_affine map = cnn_augment_affine(&draw, &fit, WIDTH, HEIGHT);
        assert_true(fabs(map.xx * draw.magnification - fit.xx) < 1e-9 && map.xy == 0 && map.yx == 0);
        double x, y;
        map_to(&map, WIDTH / 2.0, HEIGHT / 2.0, &x, &y);
        assert_true(fabs(x - 20) < 1e-9 && fabs(y - 15) < 1e-9);
    }
}

static void a_random_crop_stays_within_the_photograph(void **state)
{
    scene *self = *state;
    self->augment.crop_min_area = 0.3f;
    self->augment.crop_max_aspect = 2;
    cnn_photo photo;
    assert_ok(cnn_photo_open(self->pixels, "", &photo));
    for (uint64_t image = 0; image < 500; image++) {
        cnn_augment_draw draw;
        cnn_augment_random(&self->augment, 1, 1, image, &draw);
        assert_true(draw.crop_width <= 1 && draw.crop_height <= 1 && draw.crop_width * draw.crop_height > 0.2);
        cnn_fit fit = image % 2 ? CNN_FIT_CROP : CNN_FIT_STRETCH;
        cnn_affine plain = cnn_fit_affine(fit, &photo, WIDTH, HEIGHT);
        cnn_affine map = cnn_augment_affine(&draw, &plain, WIDTH, HEIGHT);
        double left, top, right, bottom;
        map_to(&map, 0, 0, &left, &top);
        map_to(&map, WIDTH, HEIGHT, &right, &bottom);
        assert_true(left >= -1e-9 && top >= -1e-9 && right <= 40 + 1e-9 && bottom <= 30 + 1e-9);
    }
}

static void shift_moves_and_shear_slants(void **state)
{
    scene *self = *state;
    self->augment.shift = 0.25f;
    self->augment.shear = 30;
    cnn_photo photo;
    assert_ok(cnn_photo_open(self->pixels, "", &photo));
    cnn_affine fit = cnn_fit_affine(CNN_FIT_STRETCH, &photo, WIDTH, HEIGHT);
    cnn_augment_draw draw;
    cnn_augment_random(&self->augment, 1, 1, 1, &draw);
    cnn_affine map = cnn_augment_affine(&draw, &fit, WIDTH, HEIGHT);
    double x, y;
    map_to(&map, WIDTH / 2.0, HEIGHT / 2.0, &x, &y);
    assert_true(draw.shift_x != 0 && fabs(x - 20 - 40 * draw.shift_x) < 1e-9);
    assert_true(draw.shift_y != 0 && fabs(y - 15 - 30 * draw.shift_y) < 1e-9);
    assert_true(map.yx == 0 && fabs(map.xy / map.yy - tan(draw.shear)) < 1e-9);
}

static void brightness_contrast_and_saturation_follow_their_formulas(void **state)
{
    scene *self = *state;
    self->augment.brightness = self->augment.contrast = self->augment.saturation = 0.5f;
    cnn_augment_draw draw;
    cnn_augment_random(&self->augment, 11, 0, 5, &draw);
    apply(self, 0, 5);
    double mean = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        for (int c = 0; c < 3; c++)
            mean += ((double)self->plain[3 * i + c] * 127.5 + 127.5) * (double[]){ 0.299, 0.587, 0.114 }[c];
    mean *= (double)draw.brightness / (WIDTH * HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        double value[3], grey = 0;
        for (int c = 0; c < 3; c++) {
            value[c] = ((double)self->plain[3 * i + c] * 127.5 + 127.5) * (double)draw.brightness;
            value[c] = mean + (value[c] - mean) * (double)draw.contrast;
            grey += value[c] * (double[]){ 0.299, 0.587, 0.114 }[c];
        }
        for (int c = 0; c < 3; c++) {
            double expected = fmin(255, fmax(0, grey + (value[c] - grey) * (double)draw.saturation));
            assert_true(fabs(expected - ((double)self->output[3 * i + c] * 127.5 + 127.5)) < 0.05);
        }
    }
}

static void erasing_blanks_one_rectangle(void **state)
{
    scene *self = *state;
    self->augment.erase = 1;
    for (uint64_t image = 0; image < 50; image++) {
        apply(self, 0, image);
        int left = WIDTH, right = -1, top = HEIGHT, bottom = -1, blank = 0;
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            const float *pixel = self->output + 3 * i;
            if (pixel[0] == 0 && pixel[1] == 0 && pixel[2] == 0) {
                int x = i % WIDTH, y = i / WIDTH;
                left = x < left ? x : left, right = x > right ? x : right;
                top = y < top ? y : top, bottom = y > bottom ? y : bottom;
                blank++;
            } else {
                assert_memory_equal(pixel, self->plain + 3 * i, 3 * sizeof(float));
            }
        }
        assert_in_range(blank, 4, WIDTH * HEIGHT / 5);
        assert_int_equal(blank, (right - left + 1) * (bottom - top + 1));
    }
    self->augment.erase = 0.25f;
    int erased = 0;
    for (uint64_t image = 0; image < 400; image++) {
        cnn_augment_draw draw;
        cnn_augment_random(&self->augment, 1, 0, image, &draw);
        erased += draw.erase;
    }
    assert_in_range(erased, 70, 130);
}

static void a_rotated_letterbox_is_grey_outside(void **state)
{
    scene *self = *state;
    self->preprocess.fit = CNN_FIT_LETTERBOX;
    self->augment.rotation = 1;
    apply(self, 0, 1);
    assert_true(fabsf(self->output[0]) < 1e-6f && fabsf(self->output[VALUES - 1]) < 1e-6f);
}

static void one_option_does_not_change_anothers_numbers(void **state)
{
    scene *self = *state;
    self->augment.rotation = 30;
    cnn_augment_draw alone, together;
    cnn_augment_random(&self->augment, 1, 1, 9, &alone);
    assert_ok(cnn_augment_parse("flip,crop,zoom,shift,erase,rotation=30", &self->augment));
    cnn_augment_random(&self->augment, 1, 1, 9, &together);
    assert_true(alone.rotation == together.rotation);
}

static void a_list_is_read(void **state)
{
    (void)state;
    cnn_augment augment;
    cnn_augment_init(&augment);
    assert_ok(cnn_augment_parse("flip,rotation=22.5, zoom=.3 ,crop", &augment));
    assert_int_equal(1, augment.flip_horizontal);
    assert_true(augment.rotation == 22.5f && augment.zoom == 0.3f && augment.crop_min_area == 0.5f);
    assert_true(augment.shift == 0 && augment.erase == 0 && augment.flip_vertical == 0);
    assert_ok(cnn_augment_parse("vertical_flip,rotation,zoom,shift,shear,brightness,contrast,saturation,aspect,erase",
                                &augment));
    assert_int_equal(1, augment.flip_vertical);
    assert_true(augment.rotation == 20 && augment.zoom == 0.2f && augment.shift == 0.1f && augment.shear == 10);
    assert_true(augment.brightness == 0.2f && augment.contrast == 0.2f && augment.saturation == 0.2f);
    assert_true(augment.crop_max_aspect == 4.0f / 3 && augment.erase == 0.25f && augment.flip_horizontal == 0);
    const char *none[] = { "", "none" };
    for (int i = 0; i < 2; i++) {
        cnn_augment cleared;
        cnn_augment_init(&cleared);
        assert_ok(cnn_augment_parse(none[i], &augment));
        assert_memory_equal(&cleared, &augment, sizeof cleared);
    }
}

static void a_word_that_is_not_understood_is_named(void **state)
{
    (void)state;
    const char *lists[][2] = {
        { "flip,wiggle=3", "'wiggle=3'" },
        { "rotation=x", "'rotation=x'" },
        { "rotation=", "'rotation='" },
        { "zoom=1.5", "'zoom=1.5'" },
        { "shift=-1", "'shift=-1' is out of range: it can be 0 to 1" },
        { "crop=2", "'crop=2' is out of range: it can be 0, or 0.01 to 1" },
        { "shift=-", "'shift=-' has no number" },
        { "flip,,zoom", "''" },
        { "flip,", "''" },
        { "zoom=0.1.2", "'zoom=0.1.2'" },
        { "Flip", "'Flip'" },
        { "flip=2", "'flip=2'" },
        { "erase=1e9", "'erase=1e9' has no number that is written as 0.25 is" },
        { "none,flip", "'none'" },
        { "crop=0.001", "'crop=0.001'" },
        { "rot", "'rot'" },
        { "zoom=99999999999999999999999999999999999999999999999999", "'zoom=999" },
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        cnn_augment augment;
        cnn_augment_init(&augment);
        assert_status(CNN_ERROR_ARGUMENT, cnn_augment_parse(lists[i][0], &augment));
        if (!strstr(cnn_last_error(), lists[i][1]))
            fail_msg("%s: %s", lists[i][0], cnn_last_error());
    }
}

static void wrong_arguments_are_refused(void **state)
{
    scene *self = *state;
    cnn_augment augment;
    assert_status(CNN_ERROR_ARGUMENT, cnn_augment_parse(NULL, &augment));
    assert_status(CNN_ERROR_ARGUMENT, cnn_augment_parse("flip", NULL));
    const float bad[] = { -1, 2, NAN, INFINITY };
    for (int i = 0; i < 4; i++) {
        cnn_augment_init(&augment);
        augment.zoom = bad[i];
        assert_status(CNN_ERROR_ARGUMENT,
                      cnn_augment_apply(NULL, self->pixels, &augment, &self->preprocess, 0, 0, 0, self->output));
        assert_non_null(strstr(cnn_last_error(), "zoom"));
    }
    augment = (cnn_augment){ 0 };
    assert_status(CNN_ERROR_ARGUMENT,
                  cnn_augment_apply(NULL, self->pixels, &augment, &self->preprocess, 0, 0, 0, self->output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_augment_apply(NULL, NULL, NULL, &self->preprocess, 0, 0, 0, self->output));
    assert_status(CNN_ERROR_ARGUMENT, cnn_augment_apply(NULL, self->pixels, NULL, &self->preprocess, 0, 0, 0, NULL));
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, make_scene, free_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(no_augmentation_is_plain_preprocessing),
        scene_test(the_same_key_gives_the_same_bits),
        scene_test(a_flip_is_an_exact_mirror_half_of_the_time),
        scene_test(rotation_is_about_the_centre_and_keeps_proportions),
        scene_test(zoom_magnifies_about_the_centre),
        scene_test(a_random_crop_stays_within_the_photograph),
        scene_test(shift_moves_and_shear_slants),
        scene_test(brightness_contrast_and_saturation_follow_their_formulas),
        scene_test(erasing_blanks_one_rectangle),
        scene_test(a_rotated_letterbox_is_grey_outside),
        scene_test(one_option_does_not_change_anothers_numbers),
        scene_test(a_list_is_read),
        scene_test(a_word_that_is_not_understood_is_named),
        scene_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
