/* How many images a second the loader gives:
 *   loader PATH [SIZE [WORKERS [AUGMENTATION [CACHE_MIB [EPOCHS]]]]]
 * for example  loader PetImages 150 2 flip,rotation=20,zoom=0.2 4096 2 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cnn/cnn.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static cnn_status run_epoch(cnn_loader *loader, uint32_t epoch)
{
    double start = seconds();
    uint64_t images = 0;
    cnn_batch batch = { .struct_size = sizeof batch };
    cnn_status status = cnn_loader_start(loader, epoch);
    while (!status && !(status = cnn_loader_next(loader, &batch)) && batch.count)
        images += batch.count;
    double taken = seconds() - start;
    if (!status)
        printf("epoch %u: %llu images in %.2f s: %.0f images/s\n", epoch, (unsigned long long)images, taken,
               (double)images / taken);
    return status;
}

static unsigned long number(int count, char **arguments, int index, unsigned long otherwise)
{
    return index < count ? strtoul(arguments[index], NULL, 10) : otherwise;
}

static cnn_status run(int count, char **arguments, cnn_dataset **dataset, cnn_loader **loader)
{
    cnn_preprocess preprocess;
    cnn_preprocess_init(&preprocess);
    preprocess.width = preprocess.height = (uint32_t)number(count, arguments, 2, 150);
    cnn_augment augment;
    cnn_status status = cnn_augment_parse(count > 4 ? arguments[4] : "none", &augment);
    cnn_loader_options options;
    cnn_loader_options_init(&options);
    options.shuffle = 1;
    options.workers = (uint32_t)number(count, arguments, 3, 0);
    options.cache_bytes = (uint64_t)number(count, arguments, 5, 0) << 20;
    options.preprocess = &preprocess;
    options.augment = count > 4 ? &augment : NULL;
    if (!status)
        status = cnn_dataset_open(NULL, arguments[1], NULL, dataset);
    if (!status)
        status = cnn_loader_create(NULL, *dataset, &options, loader);
    for (uint32_t epoch = 0; epoch < number(count, arguments, 6, 2) && !status; epoch++)
        status = run_epoch(*loader, epoch);
    return status;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: loader PATH [SIZE [WORKERS [AUGMENTATION [CACHE_MIB [EPOCHS]]]]]\n");
        return 1;
    }
    cnn_dataset *dataset = NULL;
    cnn_loader *loader = NULL;
    cnn_status status = run(count, arguments, &dataset, &loader);
    if (status)
        fprintf(stderr, "%s\n", cnn_last_error());
    cnn_loader_destroy(loader);
    cnn_dataset_destroy(dataset);
    return status ? 1 : 0;
}
