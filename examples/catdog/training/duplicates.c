#include "training/duplicates.h"

#include "cli/output.h"

typedef struct counting {
    const cnn_dataset *dataset, *among;
    int contradictions; /* only those are counted */
    uint64_t count;
    uint64_t index, equal; /* the first */
} counting;

static int count_pair(uint64_t index, uint64_t equal, void *user)
{
    counting *c = user;
    if (c->contradictions && cnn_dataset_label(c->dataset, index) == cnn_dataset_label(c->among, equal))
        return 0;
    if (!c->count++) {
        c->index = index;
        c->equal = equal;
    }
    return 0;
}

static const char *label_of(const cnn_dataset *dataset, uint64_t index)
{
    return cnn_dataset_class_name(dataset, (uint32_t)cnn_dataset_label(dataset, index));
}

int duplicates_warn_of_contradictions(const cnn_dataset *dataset)
{
    counting c = { .dataset = dataset, .among = dataset, .contradictions = 1 };
    if (cnn_dataset_find_duplicates(dataset, dataset, count_pair, &c))
        return output_library_error();
    if (c.count)
        output_error("warning: %llu photograph%s two labels, such as %s (%s) and %s (%s); 'catdog check' lists %s",
                     (unsigned long long)c.count, c.count == 1 ? " has" : "s have", cnn_dataset_path(dataset, c.equal),
                     label_of(dataset, c.equal), cnn_dataset_path(dataset, c.index), label_of(dataset, c.index),
                     c.count == 1 ? "it" : "them");
    return 0;
}

int duplicates_warn_of_leak(const cnn_dataset *training, const cnn_dataset *unseen, const char *what,
                            const char *consequence)
{
    counting c = { .dataset = unseen, .among = training };
    if (cnn_dataset_find_duplicates(unseen, training, count_pair, &c))
        return output_library_error();
    if (c.count)
        output_error("warning: %llu of the %s %s also trained on, such as %s, which is the same as %s: %s",
                     (unsigned long long)c.count, what, c.count == 1 ? "is" : "are", cnn_dataset_path(unseen, c.index),
                     cnn_dataset_path(training, c.equal), consequence);
    return 0;
}
