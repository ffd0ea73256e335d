/* Classifies photographs with a saved classifier, many at once.
 *
 *     cc predict.c -o predict $(pkg-config --cflags --libs cnn)
 *     ./predict pets.safetensors *.jpg */
#include <stdio.h>
#include <stdlib.h>

#include <cnn/cnn.h>

enum { SENTENCE = 256 };

static void print(const char *path, const cnn_prediction *p)
{
    if (p->status)
        printf("%s: %s\n", path, p->error);
    else
        printf("%s: %s %.1f %%\n", path, p->label, 100 * p->confidence);
}

int main(int argc, char **argv)
{
    cnn_classifier *pets = NULL;
    if (argc < 3)
        return fprintf(stderr, "usage: %s MODEL PHOTO...\n", argv[0]), 2;
    size_t count = (size_t)argc - 2;
    const char *const *paths = (const char *const *)argv + 2;
    cnn_prediction *predictions = calloc(count, sizeof *predictions);
    char *sentences = calloc(count, SENTENCE);
    if (!predictions || !sentences) {
        free(predictions);
        free(sentences);
        return fputs("out of memory\n", stderr), 1;
    }
    for (size_t i = 0; i < count; i++) {
        cnn_prediction_init(&predictions[i]);
        predictions[i].error = sentences + i * SENTENCE; /* where to say what is wrong with a file */
        predictions[i].error_capacity = SENTENCE;
    }
    int failed =
        cnn_classifier_load(NULL, argv[1], &pets) || cnn_classifier_predict_files(pets, paths, count, predictions);
    for (size_t i = 0; i < count && !failed; i++)
        print(paths[i], &predictions[i]);
    if (failed)
        fprintf(stderr, "%s\n", cnn_last_error());
    cnn_classifier_destroy(pets);
    free(sentences);
    free(predictions);
    return failed;
}
