/* Splits of a dataset. */
#include "core/error.h"
#include "core/memory.h"
#include "core/random.h"
#include "data/dataset_internal.h"

typedef struct chooser {
    const cnn_dataset *dataset;
    size_t *members; /* scratch: the images of one class */
    bool *chosen;    /* of each image: whether it goes to the part */
    size_t count;    /* chosen */
} chooser;

/* Chooses among the images of one class: the first of a shuffle. A class's choice doesn't depend on the others'. */
static void choose_in_class(chooser *c, int32_t label, double fraction, uint64_t seed)
{
    size_t count = 0;
    for (size_t i = 0; i < c->dataset->count; i++)
        if (c->dataset->items[i].label == label)
            c->members[count++] = i;
    size_t wanted = (size_t)((double)count * fraction + 0.5);
    if (count >= 2 && wanted == 0)
        wanted = 1;
    if (count >= 2 && wanted == count)
        wanted = count - 1;
    if (count < 2)
        wanted = 0;
    cnn_random random;
    cnn_random_init(&random, seed, CNN_RANDOM_SPLIT, 0, (uint64_t)(int64_t)label);
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + cnn_random_below(&random, (uint32_t)(count - i));
        c->chosen[c->members[other]] = true;
        c->members[other] = c->members[i];
    }
    c->count += wanted;
}

static cnn_status divide(const chooser *c, cnn_dataset **rest, cnn_dataset **part)
{
    const cnn_dataset *dataset = c->dataset;
    cnn_status status = cnn_dataset_derive(dataset, dataset->count - c->count, rest);
    if (!status)
        status = cnn_dataset_derive(dataset, c->count, part);
    if (status) {
        cnn_dataset_destroy(*rest);
        *rest = NULL;
        return status;
    }
    for (size_t i = 0; i < dataset->count; i++) {
        cnn_dataset *to = c->chosen[i] ? *part : *rest;
        to->items[to->count++] = dataset->items[i];
    }
    return CNN_OK;
}

cnn_status cnn_dataset_split(const cnn_dataset *dataset, double fraction, uint64_t seed, cnn_dataset **rest,
                             cnn_dataset **part)
{
    if (!dataset || !rest || !part)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_split: NULL was given");
    *rest = *part = NULL;
    if (!(fraction > 0 && fraction < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_split: the fraction is %g; it must be above 0 and below 1",
                        fraction);
    chooser c = { .dataset = dataset };
    c.members = cnn_allocate_zeroed(dataset->context, dataset->count, sizeof *c.members);
    c.chosen = cnn_allocate_zeroed(dataset->context, dataset->count, sizeof *c.chosen);
    cnn_status status = c.members && c.chosen ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        choose_in_class(&c, -1, fraction, seed);
        for (uint32_t label = 0; label < dataset->class_count; label++)
            choose_in_class(&c, (int32_t)label, fraction, seed);
        status =
            c.count ? divide(&c, rest, part)
                    : cnn_fail(CNN_ERROR_DATA, "%s: no class has two images: it can't be split", dataset->source->path);
    }
    cnn_release(dataset->context, c.members);
    cnn_release(dataset->context, c.chosen);
    return status;
}
