#include "report/pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "report/heat.h"
#include "report/isolate.h"
#include "report/photo.h"

enum { PHOTO = 192, COLUMNS = 6 }; /* pixels of a photograph, photographs in a row */
static const double drawn = 120;   /* of a photograph in a figure */

/* Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators". */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int out_of_memory(void)
{
    output_error("out of memory: photographs can't be shown");
    return -1;
}

/* The images of a class in random order, those that are wanted first. */
static size_t draw_of_class(const cnn_dataset *dataset, int32_t class_index, size_t wanted, uint64_t *random,
                            uint64_t *order, uint64_t *images)
{
    size_t count = 0;
    for (uint64_t i = 0; i < cnn_dataset_count(dataset); i++)
        if (cnn_dataset_label(dataset, i) == class_index)
            order[count++] = i;
    wanted = wanted < count ? wanted : count;
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + (size_t)(next_random(random) % (count - i));
        images[i] = order[other];
        order[other] = order[i];
    }
    return wanted;
}

long pictures_draw(const cnn_dataset *dataset, size_t count, uint64_t seed, uint64_t *images)
{
    uint32_t classes = cnn_dataset_class_count(dataset);
    uint64_t *order = calloc((size_t)cnn_dataset_count(dataset), sizeof *order), random = seed;
    size_t found = 0;
    if (!order)
        return out_of_memory();
    for (uint32_t k = 0; k < classes; k++) {
        size_t wanted = count * (k + 1) / classes - count * k / classes;
        found += draw_of_class(dataset, (int32_t)k, wanted, &random, order, images + found);
    }
    free(order);
    return (long)found;
}

/* The file's name without its folders. */
static void set_file_name(char *to, size_t size, const cnn_dataset *dataset, uint64_t image)
{
    const char *path = cnn_dataset_path(dataset, image), *slash = strrchr(path, '/');
    output_utf8_into(to, size, slash ? slash + 1 : path);
}

static cell *add_thumbnail(cnn_context *context, const cnn_dataset *dataset, uint64_t image, grid *g)
{
    cairo_surface_t *photo = photo_thumbnail(context, dataset, image, PHOTO);
    return photo ? grid_add(g, photo) : NULL;
}

int pictures_samples(cnn_context *context, const cnn_dataset *dataset, size_t count, uint64_t seed, grid *g)
{
    uint64_t *images = calloc(count, sizeof *images);
    if (!images)
        return out_of_memory();
    long found = pictures_draw(dataset, count, seed, images);
    int wrong = found < 0 || grid_create(g, (size_t)found,
                                         found <= 6 * COLUMNS ? COLUMNS : (int)sqrt((double)found) + 1, drawn, drawn);
    for (long i = 0; i < found && !wrong; i++) {
        cell *added = add_thumbnail(context, dataset, images[i], g);
        if (!(wrong = !added)) {
            output_utf8_into(added->title, CLASS_NAME,
                             cnn_dataset_class_name(dataset, (uint32_t)cnn_dataset_label(dataset, images[i])));
            set_file_name(added->note, CELL_TEXT, dataset, images[i]);
            snprintf(added->alt, sizeof added->alt, "A photograph of class %s", added->title);
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
        out_of_memory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)lrintf(fminf(fmaxf(input[i], 0), 255));
    cairo_surface_t *photo = photo_create(bytes, (int)size->width, (int)size->height);
    free(bytes);
    return photo;
}

static int add_variants(cnn_context *context, const cnn_tensor *pixels, const cnn_augment *augment,
                        const cnn_preprocess *size, size_t changes, uint64_t seed, uint64_t image, grid *g)
{
    float *input = calloc((size_t)size->width * size->height * 3, sizeof *input);
    if (!input)
        return out_of_memory();
    int wrong = 0;
    for (uint32_t i = 0; i <= changes && !wrong; i++) {
        if (cnn_augment_apply(context, pixels, i ? augment : NULL, size, seed, i, image, input)) {
            free(input);
            output_library_error();
            return -1;
        }
        cairo_surface_t *photo = photo_of_floats(input, size);
        cell *added = photo ? grid_add(g, photo) : NULL;
        if (!(wrong = !added)) {
            if (!i)
                snprintf(added->title, CELL_TEXT, "as it is");
            snprintf(added->alt, sizeof added->alt, i ? "The same photograph, changed at random" : "A photograph");
        }
    }
    free(input);
    return wrong;
}

int pictures_augmented(cnn_context *context, const cnn_dataset *dataset, const cnn_augment *augment,
                       const cnn_preprocess *size, size_t photographs, size_t changes, uint64_t seed, grid *g)
{
    uint64_t *images = calloc(photographs, sizeof *images);
    cnn_preprocess bytes = *size; /* what the net sees, as values of 0 to 255 */
    for (int channel = 0; channel < 3; channel++) {
        bytes.mean[channel] = 0;
        bytes.scale[channel] = 1;
    }
    if (!images)
        return out_of_memory();
    long found = pictures_draw(dataset, photographs, seed, images);
    int wrong = found < 0 || grid_create(g, (size_t)found * (changes + 1), (int)changes + 1, drawn,
                                         drawn * size->height / size->width);
    for (long i = 0; i < found && !wrong; i++) {
        cnn_tensor *pixels =
            photo_decode(dataset, images[i], (int)(size->width > size->height ? size->width : size->height));
        wrong = !pixels || add_variants(context, pixels, augment, &bytes, changes, seed, images[i], g);
        cnn_tensor_destroy(pixels);
    }
    free(images);
    return wrong ? -1 : 0;
}

static void describe(cell *shown, const cnn_dataset *dataset, const verdicts *v, const verdict *given)
{
    char file[CELL_TEXT / 2 - 8]; /* so that a class's name has room beside it */
    int right = given->label == given->decided;
    char label[CLASS_NAME + 8], decided[CLASS_NAME + 8];
    isolate(label, sizeof label, v->names[given->label]);
    isolate(decided, sizeof decided, v->names[given->decided]);
    set_file_name(file, sizeof file, dataset, given->image);
    shown->mark = right ? MARK_RIGHT : MARK_WRONG;
    snprintf(shown->title, CELL_TEXT, "%s %.1f\xc2\xa0%%", decided, 100 * given->confidence);
    if (right)
        snprintf(shown->note, CELL_TEXT, "%s", file);
    else
        snprintf(shown->note, CELL_TEXT, "is %s, %s", label, file);
    snprintf(shown->alt, sizeof shown->alt,
             right ? "A photograph of class %s, recognised" : "A photograph of class %s, taken for %s", label, decided);
}

/* The verdicts on the images, in their order. */
static const verdict *find_verdict(const verdicts *v, uint64_t image)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->list[i].image == image)
            return &v->list[i];
    return NULL;
}

static int add_verdict(cnn_context *context, const cnn_dataset *dataset, const verdicts *v, const verdict *shown,
                       grid *g)
{
    cell *added = add_thumbnail(context, dataset, shown->image, g);
    if (added)
        describe(added, dataset, v, shown);
    return added ? 0 : -1;
}

int pictures_predictions(cnn_context *context, const cnn_dataset *dataset, const verdicts *v, size_t count,
                         uint64_t seed, grid *g)
{
    uint64_t *images = calloc(count, sizeof *images);
    if (!images)
        return out_of_memory();
    long found = pictures_draw(dataset, count, seed, images);
    int wrong = found < 0 || grid_create(g, (size_t)found, COLUMNS, drawn, drawn);
    for (long i = 0; i < found && !wrong; i++) {
        const verdict *shown = find_verdict(v, images[i]);
        wrong = shown && add_verdict(context, dataset, v, shown, g);
    }
    free(images);
    return wrong ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    const verdict *x = *(const verdict *const *)a, *y = *(const verdict *const *)b;
    if (x->confidence != y->confidence)
        return x->confidence < y->confidence ? 1 : -1;
    return (x->image > y->image) - (x->image < y->image);
}

/* Mistakes, the most confident first. The caller frees the list. */
static const verdict **sort_mistakes(const verdicts *v, size_t *count)
{
    const verdict **list = calloc(v->count, sizeof(const verdict *));
    *count = 0;
    for (size_t i = 0; list && i < v->count; i++)
        if (v->list[i].label != v->list[i].decided)
            list[(*count)++] = &v->list[i];
    if (list)
        qsort(list, *count, sizeof(const verdict *), compare);
    return list;
}

int pictures_mistakes(cnn_context *context, const cnn_dataset *dataset, const verdicts *v, size_t count, grid *g)
{
    size_t mistakes;
    const verdict **list = sort_mistakes(v, &mistakes);
    if (!list)
        return out_of_memory();
    mistakes = mistakes < count ? mistakes : count;
    int wrong = grid_create(g, mistakes, COLUMNS, drawn, drawn);
    for (size_t i = 0; i < mistakes && !wrong; i++)
        wrong = add_verdict(context, dataset, v, list[i], g);
    free(list);
    return wrong ? -1 : 0;
}

/* The photograph as the net sees it, and beside it again with its heat map. */
static cairo_surface_t *paint_pair(cnn_context *context, const cnn_tensor *pixels, cnn_fit fit, cnn_tensor *map)
{
    cnn_tensor *scaled;
    if (cnn_image_resize(context, pixels, PHOTO, PHOTO, fit, &scaled)) {
        output_library_error();
        return NULL;
    }
    unsigned char *pair = malloc((size_t)PHOTO * PHOTO * 6), *photo = cnn_tensor_data(scaled);
    for (int side = 0; side < 2 && pair; side++) {
        if (side)
            heat_paint(map, photo, PHOTO, PHOTO);
        for (size_t y = 0; y < PHOTO; y++)
            memcpy(pair + (2 * y + (size_t)side) * PHOTO * 3, photo + y * PHOTO * 3, (size_t)PHOTO * 3);
    }
    cairo_surface_t *image = pair ? photo_create(pair, 2 * PHOTO, PHOTO) : NULL;
    if (!pair)
        out_of_memory();
    free(pair);
    cnn_tensor_destroy(scaled);
    return image;
}

/* 1: the model can't be explained. */
static int add_heat_map(cnn_context *context, const cnn_classifier *classifier, const cnn_dataset *dataset,
                        const verdicts *v, const verdict *shown, grid *g)
{
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    const cnn_preprocess *input = cnn_classifier_preprocess(classifier);
    int side = (int)(input->width > input->height ? input->width : input->height);
    cnn_tensor *map, *pixels = photo_decode(dataset, shown->image, side > PHOTO ? side : PHOTO);
    if (!pixels)
        return -1;
    cnn_status status = cnn_classifier_explain_pixels(classifier, pixels, (int32_t)shown->decided, &prediction, &map);
    if (status) {
        cnn_tensor_destroy(pixels);
        if (status == CNN_ERROR_OUT_OF_MEMORY)
            output_library_error();
        return status == CNN_ERROR_OUT_OF_MEMORY ? -1 : 1;
    }
    cairo_surface_t *pair = paint_pair(context, pixels, input->fit, map);
    cell *added = pair ? grid_add(g, pair) : NULL;
    if (added) {
        describe(added, dataset, v, shown);
        strncat(added->alt, "; where the net looked", sizeof added->alt - strlen(added->alt) - 1);
    }
    cnn_tensor_destroy(map);
    cnn_tensor_destroy(pixels);
    return added ? 0 : -1;
}

int pictures_heat_maps(cnn_context *context, const cnn_classifier *classifier, const cnn_dataset *dataset,
                       const verdicts *v, size_t count, uint64_t seed, grid *g)
{
    size_t mistakes;
    const verdict **list = sort_mistakes(v, &mistakes);
    uint64_t *images = calloc(count, sizeof *images);
    long found = list && images ? pictures_draw(dataset, count, seed, images) : out_of_memory();
    int wrong = found < 0 || grid_create(g, count + (size_t)found, COLUMNS / 2, 2 * drawn, drawn) ? -1 : 0;
    mistakes = mistakes < count / 3 ? mistakes : count / 3;
    for (size_t i = 0; i < mistakes && !wrong; i++)
        wrong = add_heat_map(context, classifier, dataset, v, list[i], g);
    /* Of what was drawn, class by class, some of each class. */
    for (long i = 0, wanted = (long)(count - mistakes); i < wanted && i < found && !wrong; i++) {
        const verdict *shown = find_verdict(v, images[i * found / wanted]);
        wrong = shown ? add_heat_map(context, classifier, dataset, v, shown, g) : 0;
    }
    free(images);
    free(list);
    return wrong < 0 ? -1 : 0;
}
