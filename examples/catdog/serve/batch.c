#include "serve/batch.h"

#include <stdlib.h>
#include <string.h>

int batch_init(batch *b, const cnn_classifier *classifier, size_t capacity)
{
    *b = (batch){ .classifier = classifier, .capacity = capacity };
    b->photographs = calloc(capacity, sizeof(photograph *));
    b->bytes = calloc(capacity, sizeof *b->bytes);
    b->sizes = calloc(capacity, sizeof *b->sizes);
    b->predictions = calloc(capacity, sizeof *b->predictions);
    return b->photographs && b->bytes && b->sizes && b->predictions ? 0 : -1;
}

void batch_release(batch *b)
{
    free(b->photographs);
    free(b->bytes);
    free(b->sizes);
    free(b->predictions);
}

static void classify_plain(batch *b, photograph *const *some, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        b->bytes[i] = some[i]->bytes;
        b->sizes[i] = some[i]->size;
        b->predictions[i] = some[i]->prediction;
    }
    cnn_status status = cnn_classifier_predict_memories(b->classifier, b->bytes, b->sizes, count, b->predictions);
    for (size_t i = 0; i < count; i++) {
        if (status)
            photograph_refuse(some[i], status, cnn_last_error());
        else
            some[i]->prediction = b->predictions[i];
    }
}

/* If the model has no heat maps, classifies without. */
static void classify_with_heat_map(batch *b, photograph *one)
{
    cnn_status status =
        cnn_classifier_explain_memory(b->classifier, one->bytes, one->size, -1, &one->prediction, &one->heat_map);
    if (status == CNN_ERROR_UNSUPPORTED)
        classify_plain(b, &one, 1);
    else if (status)
        photograph_refuse(one, status, cnn_last_error());
}

/* Moves photographs without a heat map to the front. Returns their number. */
static size_t gather_plain(photograph **some, size_t count)
{
    size_t plain = 0;
    for (size_t i = 0; i < count; i++) {
        photograph *one = some[i];
        if (one->request->heat_maps)
            continue;
        some[i] = some[plain];
        some[plain++] = one;
    }
    return plain;
}

void batch_classify(batch *b, size_t count)
{
    size_t plain = gather_plain(b->photographs, count);
    if (plain)
        classify_plain(b, b->photographs, plain);
    for (size_t i = plain; i < count; i++)
        classify_with_heat_map(b, b->photographs[i]);
}
