/* Draws how one image is augmented, and applies it. */
#include "data/augment.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/random.h"
#include "simd/pixel.h"

static const double degree = 3.14159265358979323846 / 180;
static const double least_magnification = 0.01;

static double between(cnn_random *random, double low, double high)
{
    return low + (high - low) * (double)cnn_random_uniform(random);
}

static double log_between(cnn_random *random, double highest)
{
    return exp(between(random, -log(highest), log(highest)));
}

/* A part of the area, of another shape, in fractions of width and height. */
static void draw_crop(cnn_random *random, const cnn_augment *augment, cnn_augment_draw *draw)
{
    double least = augment->crop_min_area > 0 ? (double)augment->crop_min_area : 1;
    double area = between(random, least, 1);
    double aspect = log_between(random, augment->crop_max_aspect > 0 ? (double)augment->crop_max_aspect : 4.0 / 3);
    draw->crop_x = between(random, 0, 1);
    draw->crop_y = between(random, 0, 1);
    draw->crop_width = augment->crop_min_area > 0 ? fmin(1, sqrt(area * aspect)) : 1;
    draw->crop_height = augment->crop_min_area > 0 ? fmin(1, sqrt(area / aspect)) : 1;
}

static void draw_erase(cnn_random *random, const cnn_augment *augment, cnn_augment_draw *draw)
{
    draw->erase = cnn_random_uniform(random) < augment->erase;
    draw->erase_area = cnn_random_between(random, 0.02f, 0.2f);
    draw->erase_aspect = (float)log_between(random, 3);
    draw->erase_x = cnn_random_uniform(random);
    draw->erase_y = cnn_random_uniform(random);
}

/* All numbers are drawn in the same order whatever is asked for, so that one option doesn't change another's. */
void cnn_augment_random(const cnn_augment *augment, uint64_t seed, uint32_t epoch, uint64_t image,
                        cnn_augment_draw *draw)
{
    cnn_random random;
    cnn_random_init(&random, seed, CNN_RANDOM_AUGMENT, epoch, image);
    draw->flip_horizontal = cnn_random_uniform(&random) < 0.5f && augment->flip_horizontal;
    draw->flip_vertical = cnn_random_uniform(&random) < 0.5f && augment->flip_vertical;
    draw->rotation = degree * between(&random, -(double)augment->rotation, (double)augment->rotation);
    draw->shear = degree * between(&random, -(double)augment->shear, (double)augment->shear);
    draw->magnification = fmax(least_magnification, 1 + (double)augment->zoom * between(&random, -1, 1));
    draw->shift_x = (double)augment->shift * between(&random, -1, 1);
    draw->shift_y = (double)augment->shift * between(&random, -1, 1);
    draw_crop(&random, augment, draw);
    draw->brightness = 1 + augment->brightness * cnn_random_between(&random, -1, 1);
    draw->contrast = 1 + augment->contrast * cnn_random_between(&random, -1, 1);
    draw->saturation = 1 + augment->saturation * cnn_random_between(&random, -1, 1);
    draw_erase(&random, augment, draw);
}

/* The fit, of a part of what it shows. */
static cnn_affine cropped(const cnn_augment_draw *draw, const cnn_affine *fit, uint32_t width, uint32_t height)
{
    cnn_affine map = *fit;
    map.xx *= draw->crop_width;
    map.yy *= draw->crop_height;
    map.x0 += draw->crop_x * (1 - draw->crop_width) * fit->xx * width;
    map.y0 += draw->crop_y * (1 - draw->crop_height) * fit->yy * height;
    return map;
}

cnn_affine cnn_augment_affine(const cnn_augment_draw *draw, const cnn_affine *fit, uint32_t width, uint32_t height)
{
    cnn_affine map = cropped(draw, fit, width, height);
    double box_width = map.xx * width, box_height = map.yy * height;
    double centre_x = map.x0 + box_width / 2, centre_y = map.y0 + box_height / 2;
    /* source = centre + shift + rotation · shear · flip / magnification · (fitted − centre) */
    double c = cos(draw->rotation), s = sin(draw->rotation), t = tan(draw->shear);
    double flip_x = (draw->flip_horizontal ? -1 : 1) / draw->magnification;
    double flip_y = (draw->flip_vertical ? -1 : 1) / draw->magnification;
    double a = c * flip_x, b = (c * t - s) * flip_y, d = s * flip_x, e = (s * t + c) * flip_y;
    return (cnn_affine){
        .xx = a * map.xx,
        .xy = b * map.yy,
        .x0 = centre_x + draw->shift_x * box_width + a * (map.x0 - centre_x) + b * (map.y0 - centre_y),
        .yx = d * map.xx,
        .yy = e * map.yy,
        .y0 = centre_y + draw->shift_y * box_height + d * (map.x0 - centre_x) + e * (map.y0 - centre_y),
    };
}

static const float luma[3] = { 0.299f, 0.587f, 0.114f }; /* ITU-R BT.601 */

static float mean_grey(const float *pixels, size_t count)
{
    enum { CHUNK = 12 }; /* four pixels, so that vectors of four hold the same channels again */
    float sums[CHUNK] = { 0 }, grey = 0;
    size_t values = 3 * count, done = 0;
    for (; done + CHUNK <= values; done += CHUNK)
        for (int i = 0; i < CHUNK; i++)
            sums[i] += pixels[done + i];
    for (; done < values; done++)
        sums[done % 3] += pixels[done];
    for (int i = 0; i < CHUNK; i++)
        grey += luma[i % 3] * sums[i];
    return grey / (float)count;
}

/* Of colours: value × own + grey × shared + constant, then normalised. */
typedef struct recolouring {
    float own, shared, constant;
    cnn_float4 mean, scale;
} recolouring;

static inline cnn_float4 recolour(const recolouring *self, cnn_float4 pixel)
{
    float grey = luma[0] * pixel[0] + luma[1] * pixel[1] + luma[2] * pixel[2];
    cnn_float4 changed = pixel * self->own + (self->shared * grey + self->constant);
    return (cnn_clamp_floats(changed) - self->mean) * self->scale;
}

/* Brightness, then contrast around the mean grey, then saturation around each pixel's grey, all at once. Pixels are
 * 0 … 255 before, normalised after. */
static void change_colours(const cnn_augment_draw *draw, const cnn_preprocess *preprocess, float *pixels)
{
    size_t count = (size_t)preprocess->width * preprocess->height;
    recolouring change = {
        .own = draw->saturation * draw->contrast * draw->brightness,
        .shared = (1 - draw->saturation) * draw->contrast * draw->brightness,
        .constant = (1 - draw->contrast) * draw->brightness * mean_grey(pixels, count),
    };
    for (int channel = 0; channel < 3; channel++) {
        change.mean[channel] = preprocess->mean[channel];
        change.scale[channel] = preprocess->scale[channel];
    }
    /* a store's fourth value falls on the next pixel, which is therefore loaded before; behind the last there is none
     */
    float *end = pixels + 3 * (count - 1);
    cnn_float4 last = { end[0], end[1], end[2], 0 }, pixel = count > 1 ? cnn_load_floats(pixels) : last;
    for (float *at = pixels; at < end; at += 3) {
        cnn_float4 next = at + 3 < end ? cnn_load_floats(at + 3) : last;
        cnn_store_floats(at, recolour(&change, pixel));
        pixel = next;
    }
    last = recolour(&change, last);
    memcpy(end, &last, 3 * sizeof *end);
}

static uint32_t erased_side(float side, uint32_t limit)
{
    return side < 1 ? 1 : side > (float)limit ? limit : (uint32_t)side;
}

/* Zhong et al. 2017, "Random erasing data augmentation". */
static void erase(const cnn_augment_draw *draw, const cnn_preprocess *preprocess, float *pixels)
{
    float area = draw->erase_area * (float)preprocess->width * (float)preprocess->height;
    uint32_t width = erased_side(sqrtf(area * draw->erase_aspect), preprocess->width);
    uint32_t height = erased_side(sqrtf(area / draw->erase_aspect), preprocess->height);
    uint32_t left = (uint32_t)(draw->erase_x * (float)(preprocess->width - width));
    uint32_t top = (uint32_t)(draw->erase_y * (float)(preprocess->height - height));
    for (uint32_t y = top; y < top + height; y++) {
        float *row = pixels + 3 * ((size_t)y * preprocess->width + left);
        for (size_t i = 0; i < 3 * (size_t)width; i++)
            row[i] = 0; /* the mean, normalised */
    }
}

static cnn_status apply_draw(cnn_context *context, const cnn_photo *photo, const cnn_augment_draw *draw,
                             const cnn_preprocess *preprocess, float *output)
{
    int recoloured = draw->brightness != 1 || draw->contrast != 1 || draw->saturation != 1;
    cnn_warp_target target = { .width = preprocess->width, .height = preprocess->height, .floats = output };
    for (int channel = 0; channel < 3; channel++) {
        target.mean[channel] = recoloured ? 0 : preprocess->mean[channel];
        target.scale[channel] = recoloured ? 1 : preprocess->scale[channel];
    }
    cnn_affine fit = cnn_fit_affine(preprocess->fit, photo, preprocess->width, preprocess->height);
    cnn_affine map = cnn_augment_affine(draw, &fit, preprocess->width, preprocess->height);
    cnn_status status = cnn_warp(context, photo, &map, cnn_fit_border(preprocess->fit), &target);
    if (status)
        return status;
    if (recoloured)
        change_colours(draw, preprocess, output);
    if (draw->erase)
        erase(draw, preprocess, output);
    return CNN_OK;
}

cnn_status cnn_augment_apply(cnn_context *context, const cnn_tensor *pixels, const cnn_augment *given,
                             const cnn_preprocess *given_preprocess, uint64_t seed, uint32_t epoch, uint64_t image,
                             float *output)
{
    cnn_photo photo;
    cnn_preprocess preprocess;
    cnn_augment augment;
    cnn_augment_draw draw;
    cnn_status status = cnn_photo_open(pixels, "cnn_augment_apply", &photo);
    if (!status)
        status = cnn_preprocess_read(given_preprocess, &preprocess);
    if (!status)
        status = cnn_augment_read(given, &augment);
    if (status)
        return status;
    if (!output)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_augment_apply: output must not be NULL");
    cnn_augment_random(&augment, seed, epoch, image, &draw);
    return apply_draw(context, &photo, &draw, &preprocess, output);
}
