/* Labelled photographs, and the loader that turns them into batches.
 *
 *     cnn_status open_and_split(const char *path, cnn_dataset **training, cnn_dataset **validation)
 *     {
 *         cnn_dataset *all;
 *         cnn_status status = cnn_dataset_open(NULL, path, NULL, &all);
 *         if (!status)
 *             status = cnn_dataset_verify(all, NULL, NULL); // removes what can't be decoded
 *         if (!status)
 *             status = cnn_dataset_split(all, 0.1, 1, training, validation);
 *         cnn_dataset_destroy(all);
 *         return status;
 *     }
 *
 * cnn_dataset_open recognises these layouts:
 *   folder of class folders       PetImages/Cat/1.jpg, PetImages/Dog/1.jpg. Folders inside Cat belong to the class Cat
 *   training, validation, test    train/cats/…, train/dogs/… beside valid/cats/… or test/cats/…: a folder of class
 *                                 folders for each part. The parts' names are train, training; val, valid, validation,
 *                                 dev; test, testing, eval, holdout. Other words may stand beside: 4k_training_set
 *   flat folder                   cat.0.jpg, great_dane_12.jpg, "dog (3).jpg": the class is the text before the last
 *                                 number. If the names end in no number, it is the text before the first dot or
 *                                 underscore
 *   list                          a CSV or TSV file, separated by commas, semicolons, tabs or bars. Its first line
 *                                 names the columns. One is path (or file, filename, image, id, ...): relative to the
 *                                 list, with or without .jpg, .jpeg or .png. One is label (or class, category, breed,
 *                                 ...). One may be split (or set, subset, partition, fold): the image's part. The
 *                                 list is text in UTF-8
 *   zip                           a zip file of any of these layouts but a list. Nothing is unpacked to disk: an image
 *                                 is read from the zip when it is needed
 *
 * A folder around a layout, with nothing else in it, doesn't matter. Symbolic links are followed, and each folder is
 * read once. Class names come from the data; all parts have those of the training part.
 * Classes are sorted by the bytes of their names, images by those of their paths. Hidden files, files of systems such
 * as Thumbs.db and `@eaDir`, and text files are passed over. In a zip, so are links, absolute paths, and paths with
 * "..". cnn_dataset_verify finds other files that are no images, and files of a list that are missing.
 *
 * A dataset may be read from several threads at once, as long as no thread verifies, aligns or destroys it. */
#ifndef CNN_DATASET_H
#define CNN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/augment.h>
#include <cnn/context.h>
#include <cnn/export.h>
#include <cnn/image.h>
#include <cnn/options.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

typedef struct cnn_dataset cnn_dataset;

/* Which part of a dataset to open. A dataset is divided if it has a validation part or a test part. */
typedef enum cnn_part {
    CNN_PART_AUTO = 0,       /* the training part if the dataset is divided, else everything */
    CNN_PART_TRAIN = 1,      /* the training part; CNN_ERROR_DATA if the dataset isn't divided, or has none */
    CNN_PART_TEST = 2,       /* the test part; if there is none, the validation part; else CNN_ERROR_DATA */
    CNN_PART_ALL = 3,        /* everything */
    CNN_PART_VALIDATION = 4, /* the validation part; if there is none, the test part; else CNN_ERROR_DATA */
    CNN_PART_MAX_ENUM = 0x7fffffff
} cnn_part;

typedef struct cnn_dataset_options {
    uint32_t struct_size;
    cnn_part part;
    uint32_t unlabelled;     /* not 0: take every image below the path, or the one image that it is; none has a class */
    uint32_t max_classes;    /* more classes are CNN_ERROR_DATA; 0: 1000 */
    uint64_t max_file_bytes; /* a larger file can't be read; 0: 64 MiB */

    /* Limits against small files from strangers that unpack to very much. A dataset that exceeds one gets
     * CNN_ERROR_LIMIT; UINT64_MAX is no limit. The first is on the bytes of all images in a zip together; 0: 256 MiB
     * plus 20 times the size of the zip. The second is on the pixels that cnn_dataset_verify decodes, of which those
     * bytes count that exceed 300 times the size of the image's file; 0: 4 GiB. */
    uint64_t max_unpacked_bytes, max_decoded_bytes;
} cnn_dataset_options;

CNN_INLINE void cnn_dataset_options_init(cnn_dataset_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Opens a folder, zip or list, and finds its images and classes. No image is read yet. The caller owns the dataset; its
 * context must outlive it. `options` may be NULL. Errors: CNN_ERROR_IO; CNN_ERROR_FORMAT for a broken zip or list (the
 * sentence names the line of a list); CNN_ERROR_DATA if there are no images, only one class, or too many;
 * CNN_ERROR_LIMIT; CNN_ERROR_UNSUPPORTED for an encrypted zip, another archive than a zip, and a zip in a build without
 * libarchive; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_open(cnn_context *context, const char *path, const cnn_dataset_options *options,
                                    cnn_dataset **dataset);

/* Makes a dataset from `count` images in memory, at least 1: height × width × 3, CNN_UINT8, of any sizes. The tensors
 * may be destroyed at once, but the memory of their elements must outlive the dataset and those split off from it: wrap
 * memory that you keep. `labels` are class indices, −1 for none; NULL: no image has a class. `class_names`, in UTF-8,
 * are copied.
 *
 * The caller owns the dataset. The paths of its images are "image 0", "image 1", ... cnn_dataset_read returns
 * CNN_ERROR_UNSUPPORTED, as there are no files, and cnn_dataset_verify has nothing to do. Errors: CNN_ERROR_SHAPE;
 * CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_create_from_pixels(cnn_context *context, const cnn_tensor *const *images,
                                                  const int32_t *labels, uint64_t count, const char *const *class_names,
                                                  uint32_t class_count, cnn_dataset **dataset);
CNN_API void cnn_dataset_destroy(cnn_dataset *dataset);

#ifdef CNN_EXPERIMENTAL

/* Image files that the program itself reads: from a database, over a network, from an archive of another kind. An
 * example with files in memory:
 *
 *     #define CNN_EXPERIMENTAL
 *     #include <cnn/cnn.h>
 *
 *     typedef struct file_in_memory {
 *         const void *bytes;
 *         size_t size;
 *     } file_in_memory;
 *
 *     static int read_file(uint64_t index, const void **bytes, size_t *size, void *user)
 *     {
 *         const file_in_memory *files = (const file_in_memory *)user;
 *         *bytes = files[index].bytes;
 *         *size = files[index].size;
 *         return 0; // anything else: the file can't be read
 *     }
 *
 *     cnn_status make_dataset(file_in_memory *files, const int32_t *labels, uint64_t count, cnn_dataset **dataset)
 *     {
 *         const char *const names[] = { "Cat", "Dog" };
 *         cnn_dataset_source source;
 *         cnn_dataset_source_init(&source);
 *         source.count = count;
 *         source.class_count = 2;
 *         source.class_names = names;
 *         source.labels = labels;
 *         source.read = read_file;
 *         source.read_user = files;
 *         return cnn_dataset_create_from_source(NULL, &source, dataset);
 *     }
 */
typedef struct cnn_dataset_source {
    uint32_t struct_size;
    uint32_t class_count;           /* at most 1000 */
    uint64_t count;                 /* of images: 1 to 4 billion */
    const char *const *class_names; /* `class_count` different names, in UTF-8; NULL if that is 0 */
    const int32_t *labels;          /* `count` class indices, −1 for none; NULL: no image has a class */
    const char *const *names;       /* `count` names for cnn_dataset_path and messages; NULL: "image 0", ... */

    /* `read` gives the bytes of an image's file, which must stay as they are until `release` is called with them. It
     * returns not 0 if the file can't be read. Both are called from any thread, and from several at once. `release` may
     * be NULL. */
    int (*read)(uint64_t index, const void **bytes, size_t *size, void *user);
    void (*release)(const void *bytes, void *user);
    void *read_user; /* `user` of both */
} cnn_dataset_source;

CNN_INLINE void cnn_dataset_source_init(cnn_dataset_source *source)
{
    cnn_options_clear(source, sizeof *source);
}

/* Makes a dataset of such files, which the caller owns. Everything but what `read_user` points to is copied. The images
 * keep their order. cnn_dataset_verify finds those that can't be read or decoded. Errors: CNN_ERROR_ARGUMENT;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_create_from_source(cnn_context *context, const cnn_dataset_source *source,
                                                  cnn_dataset **dataset);

#endif

/* Returns 1 if the dataset at `path` has a validation part or a test part, so that CNN_PART_VALIDATION and
 * CNN_PART_TEST can be opened; 0 if not, or if there is no dataset. */
CNN_API uint32_t cnn_dataset_has_test_part(cnn_context *context, const char *path);

/* How a dataset is divided into parts, whichever of them was opened. */
typedef struct cnn_dataset_parts {
    uint32_t struct_size;
    uint32_t divided;                    /* not 0: it has a validation part or a test part */
    uint64_t training, validation, test; /* images with a class in each part; in `training` if it isn't divided */
} cnn_dataset_parts;

CNN_INLINE void cnn_dataset_parts_init(cnn_dataset_parts *parts)
{
    cnn_options_clear(parts, sizeof *parts);
}

/* Gives the parts of a dataset. `parts` has been initialised. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_dataset_get_parts(const cnn_dataset *dataset, cnn_dataset_parts *parts);

/* Return the number of images, and the number of classes. */
CNN_API uint64_t cnn_dataset_count(const cnn_dataset *dataset);
CNN_API uint32_t cnn_dataset_class_count(const cnn_dataset *dataset);

/* Returns the name of a class; NULL if there is no class of that index. It is valid until the dataset is aligned or
 * destroyed. */
CNN_API const char *cnn_dataset_class_name(const cnn_dataset *dataset, uint32_t class_index);

/* Return the path of an image, and its class, which is −1 if it has none. Images are numbered from 0; past the last,
 * the path is NULL. The path of an image in a zip is the zip's path, "!/", and the name in the zip. It is valid as long
 * as the dataset. */
CNN_API const char *cnn_dataset_path(const cnn_dataset *dataset, uint64_t index);
CNN_API int32_t cnn_dataset_label(const cnn_dataset *dataset, uint64_t index);

/* Reads the file of one image. `*bytes` are freed by cnn_bytes_free. Errors: CNN_ERROR_IO; CNN_ERROR_FORMAT for a
 * broken zip; CNN_ERROR_LIMIT for a file of more than max_file_bytes; CNN_ERROR_UNSUPPORTED for a dataset of pixels;
 * CNN_ERROR_ARGUMENT if there is no such image; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_read(const cnn_dataset *dataset, uint64_t index, void **bytes, size_t *size);

/* Decodes one image. `options` may be NULL. The caller owns `*pixels`. Of a dataset of pixels the tensor wraps those,
 * so that it is valid as long as they are. Errors: those of cnn_dataset_read and cnn_image_decode. */
CNN_API cnn_status cnn_dataset_decode(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                                      cnn_tensor **pixels);

/* Numbers the classes in the order of `names`, such as those of a classifier. `names` has `count` of them, and may have
 * classes of which the dataset has no images. Errors: CNN_ERROR_DATA if the dataset has a class that isn't in `names`;
 * CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. The dataset is then as it was. */
CNN_API cnn_status cnn_dataset_align_classes(cnn_dataset *dataset, const char *const *names, uint32_t count);

/* Splits a dataset in two: `*part` gets a fraction of the images of each class, chosen at random by `seed`, and `*rest`
 * the other images. `fraction` is above 0 and below 1; each class with two images or more has at least one in both.
 * The caller owns both. The original stays as it is, and may be destroyed. Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_DATA
 * if no class has two images; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_split(const cnn_dataset *dataset, double fraction, uint64_t seed, cnn_dataset **rest,
                                     cnn_dataset **part);

/* Receives the path of a file, and what is wrong with it. */
typedef void (*cnn_bad_file_callback)(const char *path, const char *reason, void *user);

/* Called now and then during long work, with how much is done. Return not 0 to stop the work. */
typedef int (*cnn_progress_callback)(uint64_t done, uint64_t total, void *user);

typedef struct cnn_verify_options {
    uint32_t struct_size;
    uint32_t find_duplicates; /* not 0: report also a file with the content of an earlier one, in particular in another
                                 class or part, and a file whose name belongs to another format than its content */
    cnn_bad_file_callback bad_file; /* called for each such file, in the dataset's order, on the thread that called the
                                       function; may be NULL */
    void *bad_file_user;            /* becomes the callback's `user`, as with all callbacks of the library */
    cnn_progress_callback progress; /* called on the same thread, with images; may be NULL */
    void *progress_user;
} cnn_verify_options;

CNN_INLINE void cnn_verify_options_init(cnn_verify_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Decodes every image, and removes from the dataset those that can't be decoded. Each is reported once to
 * `options->bad_file`; `*bad_count` becomes their number. Duplicates and files with the wrong name stay, and aren't
 * counted. `options` and `bad_count` may be NULL. Errors: CNN_ERROR_STOPPED, CNN_ERROR_LIMIT (see
 * cnn_dataset_options.max_decoded_bytes) and CNN_ERROR_OUT_OF_MEMORY: the dataset is then as it was. CNN_ERROR_DATA if
 * a class has no images any more. */
CNN_API cnn_status cnn_dataset_verify(cnn_dataset *dataset, const cnn_verify_options *options, uint64_t *bad_count);

/* Called for an image, with the index of an equal one. Return not 0 to stop. */
typedef int (*cnn_duplicate_callback)(uint64_t index, uint64_t equal, void *user);

/* Finds the images of `dataset` that are also in `among`, in order, and calls `found` for each with the index of the
 * first equal image there. If `among` is `dataset`, each image is compared with those before it. Use it to find a
 * photograph that has two different labels, or one that is in both the training and the test data.
 *
 * Images are equal if their files, or their pixels, are the same, byte for byte, as far as hashes of 64 bits tell.
 * cnn_dataset_verify keeps the hashes; other files are read now. A file that can't be read equals no other. If `found`
 * stops the search, the function returns CNN_OK. Errors: CNN_ERROR_STOPPED if cnn_context_cancel was called for the
 * context of `dataset`; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_dataset_find_duplicates(const cnn_dataset *dataset, const cnn_dataset *among,
                                               cnn_duplicate_callback found, void *user);

/* A loader makes batches of a dataset's images. Its threads decode and augment the images before they are needed.
 *
 *     cnn_status count_images_of_class_1(cnn_loader *loader, uint32_t epoch, uint64_t *images)
 *     {
 *         cnn_batch batch;
 *         cnn_batch_init(&batch);
 *         *images = 0;
 *         cnn_status status = cnn_loader_start(loader, epoch);
 *         while (!status && !(status = cnn_loader_next(loader, &batch)) && batch.count)
 *             for (uint32_t i = 0; i < batch.count; i++)
 *                 *images += batch.labels[i] == 1;
 *         return status;
 *     }
 */
typedef struct cnn_loader cnn_loader;

typedef struct cnn_loader_options {
    uint32_t struct_size;
    uint32_t batch_size; /* at most 1,048,576; 0: 32 */
    uint32_t shuffle;    /* not 0: each epoch has an order of its own, which follows from the seed and the epoch */
    uint32_t workers;    /* threads, at most 256; 0: as many as the context has */
    uint32_t prefetch_batches; /* how many batches are prepared ahead, at most 4096; 0: 2 */
    uint64_t seed;
    uint64_t cache_bytes; /* keep decoded photographs in memory, provided that all of them fit into so many bytes */
    const cnn_augment *augment;       /* NULL: none */
    const cnn_preprocess *preprocess; /* with width and height; must be given */
} cnn_loader_options;

CNN_INLINE void cnn_loader_options_init(cnn_loader_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

typedef struct cnn_batch {
    uint32_t struct_size;
    uint32_t count;          /* of images; 0 at the end of the epoch */
    cnn_tensor *images;      /* count × height × width × 3, CNN_FLOAT32 */
    const int32_t *labels;   /* count class indices, −1 for none */
    const uint64_t *indices; /* count indices into the dataset */
} cnn_batch;

CNN_INLINE void cnn_batch_init(cnn_batch *batch)
{
    cnn_options_clear(batch, sizeof *batch);
}

/* Makes a loader, which the caller owns. `options` must be given; what they point to is copied. The dataset must
 * outlive the loader. A loader may be used from one thread at a time. Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_LIMIT;
 * CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_loader_create(cnn_context *context, const cnn_dataset *dataset,
                                     const cnn_loader_options *options, cnn_loader **loader);
CNN_API void cnn_loader_destroy(cnn_loader *loader);

/* Begins an epoch. Batches of an earlier one that weren't taken are dropped. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_loader_start(cnn_loader *loader, uint32_t epoch);

/* Gives the next batch. `batch` has been initialised. The last batch of an epoch may be smaller, and is followed by one
 * with a count of 0. What the batch points to belongs to the loader, and is valid until the next call. Errors: those of
 * cnn_dataset_decode for an image that can't be decoded, which ends the epoch: call cnn_dataset_verify first.
 * CNN_ERROR_ARGUMENT if no epoch has begun. */
CNN_API cnn_status cnn_loader_next(cnn_loader *loader, cnn_batch *batch);

/* Returns the number of batches in an epoch. */
CNN_API uint64_t cnn_loader_batch_count(const cnn_loader *loader);

CNN_END_DECLS

#endif
