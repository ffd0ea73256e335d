/* Trains a classifier on a folder (or zip) of photographs, and classifies one.
 *
 *     cc classify.c -o classify $(pkg-config --cflags --libs cnn)
 *     ./classify PetImages photo.jpg */
#include <stdio.h>

#include <cnn/cnn.h>

int main(int argc, char **argv)
{
    cnn_dataset *photos = NULL;
    cnn_classifier *pets = NULL;
    cnn_prediction p;
    if (argc != 3)
        return fprintf(stderr, "usage: %s DATA PHOTO\n", argv[0]), 2;
    cnn_prediction_init(&p);
    int failed = cnn_dataset_open(NULL, argv[1], NULL, &photos) ||
                 cnn_classifier_create(NULL, "two_conv", NULL, &pets) || cnn_classifier_fit(pets, photos, NULL, NULL) ||
                 cnn_classifier_save(pets, "pets.safetensors") || cnn_classifier_predict_file(pets, argv[2], &p);
    if (failed)
        fprintf(stderr, "%s\n", cnn_last_error());
    else
        printf("%s %.1f %%\n", p.label, 100 * p.confidence);
    cnn_classifier_destroy(pets);
    cnn_dataset_destroy(photos);
    return failed;
}
