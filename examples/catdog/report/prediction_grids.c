#include "report/prediction_grids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "report/heat.h"
#include "report/isolate.h"
#include "report/photo.h"

static void describe(const photo_source *source, const predictions *all, const prediction *one, cell *shown)
{
    char file[CELL_TEXT / 2 - 8]; /* so that a class's name has room beside it */
    int right = one->label == one->predicted;
    char label[CLASS_NAME + 8], predicted[CLASS_NAME + 8];
    isolate(label, sizeof label, all->names[one->label]);
    isolate(predicted, sizeof predicted, all->names[one->predicted]);
    photo_source_file_name(source, one->image, file, sizeof file);
    shown->mark = right ? MARK_RIGHT : MARK_WRONG;
    snprintf(shown->title, CELL_TEXT, "%s %.1f\xc2\xa0%%", predicted, 100 * one->confidence);
    if (right)
        snprintf(shown->note, CELL_TEXT, "%s", file);
    else
        snprintf(shown->note, CELL_TEXT, "label: %s, %s", label, file);
    snprintf(shown->alt, sizeof shown->alt,
             right ? "A photograph labelled %s, predicted correctly" : "A photograph labelled %s, predicted as %s",
             label, predicted);
}

static const prediction *find_prediction(const predictions *all, uint64_t image)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].image == image)
            return &all->list[i];
    return NULL;
}

static int add_prediction(const photo_source *source, const predictions *all, const prediction *one, grid *g)
{
    cell *added = photo_source_add_thumbnail(source, one->image, g);
    if (added)
        describe(source, all, one, added);
    return added ? 0 : -1;
}

int prediction_grid_create(const photo_source *source, const predictions *all, size_t count, uint64_t seed, grid *g)
{
    uint64_t *images = calloc(count, sizeof *images);
    if (!images)
        return photo_source_out_of_memory();
    long found = photo_source_draw(source, count, seed, images);
    int wrong = found < 0 || grid_create(g, (size_t)found, PHOTO_COLUMNS, PHOTO_DRAWN, PHOTO_DRAWN);
    for (long i = 0; i < found && !wrong; i++) {
        const prediction *one = find_prediction(all, images[i]);
        wrong = one && add_prediction(source, all, one, g);
    }
    free(images);
    return wrong ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    const prediction *x = *(const prediction *const *)a, *y = *(const prediction *const *)b;
    if (x->confidence != y->confidence)
        return x->confidence < y->confidence ? 1 : -1;
    return (x->image > y->image) - (x->image < y->image);
}

/* Mistakes, the most confident first. The caller frees the list. */
static const prediction **sort_mistakes(const predictions *all, size_t *count)
{
    const prediction **list = calloc(all->count, sizeof(const prediction *));
    *count = 0;
    for (size_t i = 0; list && i < all->count; i++)
        if (all->list[i].label != all->list[i].predicted)
            list[(*count)++] = &all->list[i];
    if (list)
        qsort(list, *count, sizeof(const prediction *), compare);
    return list;
}

int mistake_grid_create(const photo_source *source, const predictions *all, size_t count, grid *g)
{
    size_t mistakes;
    const prediction **list = sort_mistakes(all, &mistakes);
    if (!list)
        return photo_source_out_of_memory();
    mistakes = mistakes < count ? mistakes : count;
    int wrong = grid_create(g, mistakes, PHOTO_COLUMNS, PHOTO_DRAWN, PHOTO_DRAWN);
    for (size_t i = 0; i < mistakes && !wrong; i++)
        wrong = add_prediction(source, all, list[i], g);
    free(list);
    return wrong ? -1 : 0;
}

/* The photograph as the net sees it, and beside it again with its heat map. */
static cairo_surface_t *paint_pair(cnn_context *context, const cnn_tensor *pixels, cnn_fit fit, cnn_tensor *map)
{
    cnn_tensor *scaled;
    if (cnn_image_resize(context, pixels, PHOTO_SIDE, PHOTO_SIDE, fit, &scaled)) {
        output_library_error();
        return NULL;
    }
    unsigned char *pair = malloc((size_t)PHOTO_SIDE * PHOTO_SIDE * 6), *photo = cnn_tensor_data(scaled);
    for (int side = 0; side < 2 && pair; side++) {
        if (side)
            heat_paint(map, photo, PHOTO_SIDE, PHOTO_SIDE);
        for (size_t y = 0; y < PHOTO_SIDE; y++)
            memcpy(pair + (2 * y + (size_t)side) * PHOTO_SIDE * 3, photo + y * PHOTO_SIDE * 3, (size_t)PHOTO_SIDE * 3);
    }
    cairo_surface_t *image = pair ? photo_create(pair, 2 * PHOTO_SIDE, PHOTO_SIDE) : NULL;
    if (!pair)
        photo_source_out_of_memory();
    free(pair);
    cnn_tensor_destroy(scaled);
    return image;
}

/* 1: the model can't be explained. */
static int add_heat_map(const photo_source *source, const heat_map_samples *samples, const prediction *one, grid *g)
{
    cnn_prediction explained = { .struct_size = sizeof explained };
    const cnn_preprocess *input = cnn_classifier_preprocess(samples->classifier);
    int side = (int)(input->width > input->height ? input->width : input->height);
    cnn_tensor *map, *pixels = photo_decode(source->dataset, one->image, side > PHOTO_SIDE ? side : PHOTO_SIDE);
    if (!pixels)
        return -1;
    cnn_status status =
        cnn_classifier_explain_pixels(samples->classifier, pixels, (int32_t)one->predicted, &explained, &map);
    if (status) {
        cnn_tensor_destroy(pixels);
        if (status == CNN_ERROR_OUT_OF_MEMORY)
            output_library_error();
        return status == CNN_ERROR_OUT_OF_MEMORY ? -1 : 1;
    }
    cairo_surface_t *pair = paint_pair(source->context, pixels, input->fit, map);
    cell *added = pair ? grid_add(g, pair) : NULL;
    if (added) {
        describe(source, samples->predictions, one, added);
        strncat(added->alt, "; beside it, its heat map", sizeof added->alt - strlen(added->alt) - 1);
    }
    cnn_tensor_destroy(map);
    cnn_tensor_destroy(pixels);
    return added ? 0 : -1;
}

int heat_map_grid_create(const photo_source *source, const heat_map_samples *samples, grid *g)
{
    const size_t count = samples->count;
    size_t mistakes;
    const prediction **list = sort_mistakes(samples->predictions, &mistakes);
    uint64_t *images = calloc(count, sizeof *images);
    if (!list || !images) {
        free(images);
        free(list);
        photo_source_out_of_memory();
        return -1;
    }
    long found = photo_source_draw(source, count, samples->seed, images);
    int wrong =
        found < 0 || grid_create(g, count + (size_t)found, PHOTO_COLUMNS / 2, 2.0 * PHOTO_DRAWN, PHOTO_DRAWN) ? -1 : 0;
    mistakes = mistakes < count / 3 ? mistakes : count / 3;
    for (size_t i = 0; i < mistakes && !wrong; i++)
        wrong = add_heat_map(source, samples, list[i], g);
    /* The draw is class by class: every so-manyth of it keeps some of each class. */
    for (long i = 0, wanted = (long)(count - mistakes); i < wanted && i < found && !wrong; i++) {
        const prediction *one = find_prediction(samples->predictions, images[i * found / wanted]);
        wrong = one ? add_heat_map(source, samples, one, g) : 0;
    }
    free(images);
    free(list);
    return wrong < 0 ? -1 : 0;
}
