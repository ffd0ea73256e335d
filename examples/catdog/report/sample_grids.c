#include "report/sample_grids.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output.h"
#include "report/photo.h"
#include "report/predictions.h"

int sample_grid_create(const photo_source *source, size_t count, uint64_t seed, grid *g)
{
    uint64_t *images = calloc(count, sizeof *images);
    if (!images)
        return photo_source_out_of_memory();
    long found = photo_source_draw(source, count, seed, images);
    int columns = found <= 6 * PHOTO_COLUMNS ? PHOTO_COLUMNS : (int)sqrt((double)found) + 1;
    int wrong = found < 0 || grid_create(g, (size_t)found, columns, PHOTO_DRAWN, PHOTO_DRAWN);
    for (long i = 0; i < found && !wrong; i++) {
        cell *added = photo_source_add_thumbnail(source, images[i], g);
        if (!(wrong = !added)) {
            uint32_t label = (uint32_t)cnn_dataset_label(source->dataset, images[i]);
            output_utf8_into(added->title, CLASS_NAME, cnn_dataset_class_name(source->dataset, label));
            photo_source_file_name(source, images[i], added->note, CELL_TEXT);
            snprintf(added->alt, sizeof added->alt, "A photograph labelled %s", added->title);
        }
    }
    free(images);
    return wrong ? -1 : 0;
}

static cairo_surface_t *photo_of_floats(const float *input, const cnn_preprocess *size)
{
    size_t count = (size_t)size->width * size->height * 3;
    unsigned char *bytes = malloc(count);
    if (!bytes) {
        photo_source_out_of_memory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)lrintf(fminf(fmaxf(input[i], 0), 255));
    cairo_surface_t *photo = photo_create(bytes, (int)size->width, (int)size->height);
    free(bytes);
    return photo;
}

/* One row: an image as it is, then its variants. `input` has room for one of them. */
static int add_row(const photo_source *source, const augmented_samples *samples, uint64_t image, float *input, grid *g)
{
    const cnn_preprocess *size = samples->preprocess;
    cnn_tensor *pixels =
        photo_decode(source->dataset, image, (int)(size->width > size->height ? size->width : size->height));
    int wrong = !pixels;
    for (uint32_t i = 0; i <= samples->variants && !wrong; i++) {
        if (cnn_augment_apply(source->context, pixels, i ? samples->augment : NULL, size, samples->seed, i, image,
                              input)) {
            output_library_error();
            wrong = -1;
            break;
        }
        cairo_surface_t *photo = photo_of_floats(input, size);
        cell *added = photo ? grid_add(g, photo) : NULL;
        if (!(wrong = !added)) {
            snprintf(added->title, CELL_TEXT, "%s", i ? "" : "original");
            snprintf(added->alt, sizeof added->alt, i ? "The same photograph, augmented" : "A photograph");
        }
    }
    cnn_tensor_destroy(pixels);
    return wrong;
}

int augmented_grid_create(const photo_source *source, const augmented_samples *samples, grid *g)
{
    const size_t photographs = samples->photographs;
    cnn_preprocess bytes = *samples->preprocess; /* what the net sees, as values from 0 to 255 */
    for (int channel = 0; channel < 3; channel++) {
        bytes.mean[channel] = 0;
        bytes.scale[channel] = 1;
    }
    augmented_samples shown = *samples;
    shown.preprocess = &bytes;
    uint64_t *images = calloc(photographs, sizeof *images);
    float *input = calloc((size_t)bytes.width * bytes.height * 3, sizeof *input);
    if (!images || !input) {
        free(images);
        free(input);
        photo_source_out_of_memory();
        return -1;
    }
    long found = photo_source_draw(source, photographs, samples->seed, images);
    int columns = (int)samples->variants + 1;
    double tall = (double)PHOTO_DRAWN * bytes.height / bytes.width;
    int wrong = found < 0 || grid_create(g, (size_t)found * (size_t)columns, columns, PHOTO_DRAWN, tall);
    for (long i = 0; i < found && !wrong; i++)
        wrong = add_row(source, &shown, images[i], input, g);
    free(images);
    free(input);
    return wrong ? -1 : 0;
}
