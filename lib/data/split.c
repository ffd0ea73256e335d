/* Splitting a dataset in two, class by class. */
#include "core/error.h"
#include "core/memory.h"
#include "core/random.h"
#include "data/dataset_internal.h"

typedef struct chooser {
    const cnn_dataset *dataset;
    size_t
        *starts; /* where the images of each class begin in `members`: first those without one; one more at the end */
    size_t *members; /* scratch: the images, class by class */
    bool *chosen;    /* of each image: whether it goes to the part */
    size_t count;    /* chosen */
} chooser;

/* Sorts the images by class, in their order within each. */
static void group_by_class(const chooser *c)
{
    const cnn_item *items = c->dataset->items;
    size_t groups = (size_t)c->dataset->class_count + 1;
    for (size_t i = 0; i < c->dataset->count; i++)
        c->starts[items[i].label + 1]++;
    for (size_t group = 0, sum = 0; group <= groups; group++) {
        size_t size = c->starts[group];
        c->starts[group] = sum;
        sum += size;
    }
    for (size_t i = 0; i < c->dataset->count; i++)
        c->members[c->starts[items[i].label + 1]++] = i;
    for (size_t group = groups; group > 0; group--) /* each start has moved to the next group's */
        c->starts[group] = c->starts[group - 1];
    c->starts[0] = 0;
}

/* Chooses among the images of one class: the first of a shuffle. A class's choice doesn't depend on the others'. */
static void choose_in_class(chooser *c, int32_t label, double fraction, uint64_t seed)
{
    size_t *members = c->members + c->starts[label + 1], count = c->starts[label + 2] - c->starts[label + 1];
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
        c->chosen[members[other]] = true;
        members[other] = members[i];
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
    if (rest)
        *rest = NULL;
    if (part)
        *part = NULL;
    if (!dataset || !rest || !part)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_split: NULL was given");
    if (!(fraction > 0 && fraction < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_split: the fraction is %g; it must be above 0 and below 1",
                        fraction);
    chooser c = { .dataset = dataset };
    c.members = cnn_allocate_zeroed(dataset->context, dataset->count, sizeof *c.members);
    c.chosen = cnn_allocate_zeroed(dataset->context, dataset->count, sizeof *c.chosen);
    c.starts = cnn_allocate_zeroed(dataset->context, (size_t)dataset->class_count + 2, sizeof *c.starts);
    cnn_status status = c.members && c.chosen && c.starts ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
    if (!status) {
        group_by_class(&c);
        for (int64_t label = -1; label < (int64_t)dataset->class_count; label++)
            choose_in_class(&c, (int32_t)label, fraction, seed);
        status =
            c.count ? divide(&c, rest, part)
                    : cnn_fail(CNN_ERROR_DATA, "%s: no class has two images: it can't be split", dataset->source->path);
    }
    cnn_release(dataset->context, c.starts);
    cnn_release(dataset->context, c.members);
    cnn_release(dataset->context, c.chosen);
    return status;
}
