#include "report/photo_source.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "report/photo.h"

int photo_source_out_of_memory(void)
{
    output_error("out of memory: photographs can't be shown");
    return -1;
}

/* Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators". */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
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

long photo_source_draw(const photo_source *source, size_t count, uint64_t seed, uint64_t *images)
{
    const cnn_dataset *dataset = source->dataset;
    uint32_t classes = cnn_dataset_class_count(dataset);
    uint64_t *order = calloc((size_t)cnn_dataset_count(dataset), sizeof *order), random = seed;
    size_t found = 0;
    if (!order)
        return photo_source_out_of_memory();
    for (uint32_t k = 0; k < classes; k++) {
        size_t wanted = count * (k + 1) / classes - count * k / classes;
        found += draw_of_class(dataset, (int32_t)k, wanted, &random, order, images + found);
    }
    free(order);
    return (long)found;
}

cell *photo_source_add_thumbnail(const photo_source *source, uint64_t image, grid *g)
{
    cairo_surface_t *photo = photo_thumbnail(source->context, source->dataset, image, PHOTO_SIDE);
    return photo ? grid_add(g, photo) : NULL;
}

void photo_source_file_name(const photo_source *source, uint64_t image, char *to, size_t size)
{
    const char *path = cnn_dataset_path(source->dataset, image), *slash = strrchr(path, '/');
    output_utf8_into(to, size, slash ? slash + 1 : path);
}
