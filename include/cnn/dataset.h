/* Labelled photographs, and the loader that turns them into batches.
 *
 *     cnn_status open_and_split(const char *path, cnn_dataset **training, cnn_dataset **validation)
 *     {
 *         cnn_dataset *all;
 *         cnn_status status = cnn_dataset_open(NULL, path, NULL, &all);
 *         if (!status)
 *             status = cnn_dataset_verify(all, NULL, NULL); // leaves out what can't be decoded
 *         if (!status)
 *             status = cnn_dataset_split(all, 0.1, 1, training, validation);
 *         cnn_dataset_destroy(all);
 *         return status;
 *     }
 *
 * cnn_dataset_open reads these layouts:
 *   folder of class folders       PetImages/Cat/1.jpg, PetImages/Dog/1.jpg; folders inside Cat belong to it
 *   training, validation, test    train/cats/…, train/dogs/… and valid/cats/… or test/cats/…: parts, each a folder of
 *                                 class folders. Their names are train, training; val, valid, validation, dev; test,
 *                                 testing, eval, holdout; as whole words, as in 4k_training_set
 *   flat folder                   cat.0.jpg, great_dane_12.jpg, "dog (3).jpg": the class is what stands before the last
 *                                 number and its separator; where names end in no number, before the first dot or
 *                                 underscore
 *   list                          a CSV or TSV file, separated by commas, semicolons, tabs or bars, whose first line
 *                                 names its columns: path (or file, filename, image, id, ...), which is relative to the
 *                                 list and may lack .jpg, .jpeg or .png; label (or class, category, breed, ...); and,
 *                                 if it has one, split (set, subset, partition, fold), which divides it into parts by
 *                                 the names above. A file that is missing is found by cnn_dataset_verify
 *   zip                           any of these but a list inside a zip. It is read where it lies: its directory is
 *                                 read once, an entry's bytes when they are asked for; nothing is unpacked to disk
 * Single folders around a layout don't matter. Links to files and folders are followed, each folder once.
 * Class names come from the data (a test part's are those of its training part) and are sorted by their bytes, and so
 * are the images by their paths; class 0 is the first. Hidden files, Thumbs.db, the `$RECYCLE.BIN` and `@eaDir` of
 * systems, text files and the like are passed over, as are links, paths with .. and absolute paths in a zip. What
 * remains that is no image is found by cnn_dataset_verify. */
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

/* Which part of a dataset to open that is divided into a training part and a validation or test part, or both. All but
 * the first and CNN_PART_ALL are an error where it isn't divided. */
typedef enum cnn_part {
    CNN_PART_AUTO = 0,       /* the training part if it is divided, else everything */
    CNN_PART_TRAIN = 1,      /* the training part */
    CNN_PART_TEST = 2,       /* the test part, else the validation part */
    CNN_PART_ALL = 3,        /* everything */
    CNN_PART_VALIDATION = 4, /* the validation part, else the test part */
    CNN_PART_MAX_ENUM = 0x7fffffff
} cnn_part;

typedef struct cnn_dataset_options {
    uint32_t struct_size;
    cnn_part part;
    uint32_t unlabelled;     /* not 0: every image below the path, in order of path, with class −1 */
    uint32_t max_classes;    /* more are an error; 0: 1000 */
    uint64_t max_file_bytes; /* a larger file counts as bad; 0: 64 MiB */

    /* What a dataset may cost, against files that are made to cost much. A zip's images may unpack to so many bytes
     * together; 0: 256 MiB and 20 times the zip's size. And what cnn_dataset_verify decodes may be so many bytes of
     * pixels beyond 300 times the files' sizes; 0: 4 GiB. More is CNN_ERROR_LIMIT. UINT64_MAX: no limit. */
    uint64_t max_unpacked_bytes, max_decoded_bytes;
} cnn_dataset_options;

CNN_INLINE void cnn_dataset_options_init(cnn_dataset_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Opens a folder, zip or list, and finds its images and classes. No image is read yet. The caller owns the dataset. It
 * may be read from many threads at once, as long as none verifies, aligns or destroys it. `options` may be NULL.
 * Errors: CNN_ERROR_IO, CNN_ERROR_FORMAT (a broken zip or CSV: names the line), CNN_ERROR_DATA (no images, or only one
 * class), CNN_ERROR_UNSUPPORTED (a zip, in a build without libarchive; an encrypted zip). */
CNN_API cnn_status cnn_dataset_open(cnn_context *context, const char *path, const cnn_dataset_options *options,
                                    cnn_dataset **dataset);
/* A dataset of images that are in memory already: `count` tensors of H×W×3, CNN_UINT8, of any sizes. The tensors may be
 * destroyed at once; their memory is borrowed, and must outlive the dataset and those split off from it. `labels` are
 * class indices (−1: none); NULL: none has a class. An image's path is "image 0", "image 1", ...; cnn_dataset_read has
 * no file to give, and cnn_dataset_verify nothing to do. Errors: CNN_ERROR_SHAPE, CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_dataset_create_from_pixels(cnn_context *context, const cnn_tensor *const *images,
                                                  const int32_t *labels, uint64_t count, const char *const *class_names,
                                                  uint32_t class_count, cnn_dataset **dataset);
CNN_API void cnn_dataset_destroy(cnn_dataset *dataset);

#ifdef CNN_EXPERIMENTAL

/* A dataset whose files the program keeps itself: in an archive, in a database, behind a network. */
typedef struct cnn_dataset_source {
    uint32_t struct_size;
    uint32_t class_count;
    uint64_t count;                 /* of images: 1 to 4 billion */
    const char *const *class_names; /* `class_count` of them, each another; NULL if that is 0 */
    const int32_t *labels;          /* `count` class indices, −1 for none; NULL: no image has a class */
    const char *const *names; /* `count` of them, as cnn_dataset_path and messages have them; NULL: "image 0", ... */

    /* Gives the bytes of an image's file, which stay as they are until `release` gets them back. Not 0: they can't be
     * had. Both are called from many threads at once. `release` may be NULL. */
    int (*read)(uint64_t index, const void **bytes, size_t *size, void *user);
    void (*release)(const void *bytes, void *user);
    void *read_user; /* of both */
} cnn_dataset_source;

CNN_INLINE void cnn_dataset_source_init(cnn_dataset_source *source)
{
    cnn_options_clear(source, sizeof *source);
}

/* Makes a dataset of them. All but what `read_user` points to is copied. cnn_dataset_verify finds what can't be read or
 * decoded. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_dataset_create_from_source(cnn_context *context, const cnn_dataset_source *source,
                                                  cnn_dataset **dataset);

#endif

/* Returns 1 if what is at `path` is divided into parts, so that CNN_PART_TRAIN, CNN_PART_VALIDATION and CNN_PART_TEST
 * can be opened; else 0. */
CNN_API uint32_t cnn_dataset_has_test_part(cnn_context *context, const char *path);

/* How a dataset is divided, whichever part of it was opened. */
typedef struct cnn_dataset_parts {
    uint32_t struct_size;
    uint32_t divided;                    /* 0: it isn't */
    uint64_t training, validation, test; /* images with a class in each part; all are `training` if it isn't divided */
} cnn_dataset_parts;

CNN_INLINE void cnn_dataset_parts_init(cnn_dataset_parts *parts)
{
    cnn_options_clear(parts, sizeof *parts);
}

/* `parts->struct_size` must be set. Errors: CNN_ERROR_ARGUMENT. */
CNN_API cnn_status cnn_dataset_get_parts(const cnn_dataset *dataset, cnn_dataset_parts *parts);

/* Return the number of images, and of classes. */
CNN_API uint64_t cnn_dataset_count(const cnn_dataset *dataset);
CNN_API uint32_t cnn_dataset_class_count(const cnn_dataset *dataset);

/* Returns the name of a class, NULL if there is none of that index. It is valid as long as the dataset. */
CNN_API const char *cnn_dataset_class_name(const cnn_dataset *dataset, uint32_t class_index);

/* Return the path of an image (inside a zip: the zip's path, "!/", the entry's name), which is valid as long as the
 * dataset, and its class (−1: none). Images are numbered from 0. */
CNN_API const char *cnn_dataset_path(const cnn_dataset *dataset, uint64_t index);
CNN_API int32_t cnn_dataset_label(const cnn_dataset *dataset, uint64_t index);

/* Reads one image's file as it is. `bytes` is freed with cnn_bytes_free. */
CNN_API cnn_status cnn_dataset_read(const cnn_dataset *dataset, uint64_t index, void **bytes, size_t *size);

/* Decodes one image; of a dataset of pixels, makes a tensor over them. */
CNN_API cnn_status cnn_dataset_decode(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
                                      cnn_tensor **pixels);

/* Renumbers the classes in the order of `names`, such as that of a classifier that was trained before. `names` has
 * `count` of them. Errors: CNN_ERROR_DATA if the dataset has a class that isn't in `names`. */
CNN_API cnn_status cnn_dataset_align_classes(cnn_dataset *dataset, const char *const *names, uint32_t count);

/* Splits off `fraction` (above 0, below 1) of each class, chosen by `seed`, as `*part`; `*rest` has the other images.
 * Both are new datasets, which the caller owns. The original stays as it is, and may be destroyed. */
CNN_API cnn_status cnn_dataset_split(const cnn_dataset *dataset, double fraction, uint64_t seed, cnn_dataset **rest,
                                     cnn_dataset **part);

/* Called for a file that can't be used; `reason` says what is wrong with it. */
typedef void (*cnn_bad_file_callback)(const char *path, const char *reason, void *user);
/* Called now and then in long work. Return not 0 to stop it. */
typedef int (*cnn_progress_callback)(uint64_t done, uint64_t total, void *user);

typedef struct cnn_verify_options {
    uint32_t struct_size;
    uint32_t find_duplicates; /* not 0: also report files whose content equals that of one before, with what that means
                                 where they are of two classes or parts, and files whose name says another format than
                                 their content is */
    cnn_bad_file_callback bad_file; /* called from the calling thread, in order of path; may be NULL */
    void *bad_file_user;            /* handed to it; and so with every callback's `user` */
    cnn_progress_callback progress; /* called from the calling thread; may be NULL */
    void *progress_user;
} cnn_verify_options;

CNN_INLINE void cnn_verify_options_init(cnn_verify_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Decodes every image, reports each that can't be decoded once, and removes those from the dataset. (Duplicate and
 * misnamed files are reported if asked for, and stay; they aren't counted.) `bad_count` may be NULL.
 * Errors: CNN_ERROR_STOPPED; CNN_ERROR_DATA if a class is left without any image. */
CNN_API cnn_status cnn_dataset_verify(cnn_dataset *dataset, const cnn_verify_options *options, uint64_t *bad_count);

/* Called for an image whose equal, of that index, was found; return not 0 to stop. */
typedef int (*cnn_duplicate_callback)(uint64_t index, uint64_t equal, void *user);

/* Finds each image of `dataset` whose file is the same as that of an image of `among`, in order, and the first such
 * image there. `among` may be `dataset`: each image is then compared with those before it. The same photograph in two
 * classes is a label that contradicts itself, and in a training and a test part, a test that tells nothing. Files are
 * compared by hashes of 64 bits, which cnn_dataset_verify leaves behind; files that it hasn't read are read. What can't
 * be read equals nothing. */
CNN_API cnn_status cnn_dataset_find_duplicates(const cnn_dataset *dataset, const cnn_dataset *among,
                                               cnn_duplicate_callback found, void *user);

/* A loader gives a dataset's images as batches, prepared by worker threads ahead of their use. */
typedef struct cnn_loader cnn_loader;

typedef struct cnn_loader_options {
    uint32_t struct_size;
    uint32_t batch_size;       /* 0: 32 */
    uint32_t shuffle;          /* not 0: every epoch in its own order, given by seed and epoch */
    uint32_t workers;          /* threads; 0: as many as the context has */
    uint32_t prefetch_batches; /* prepared ahead; 0: 2 */
    uint64_t seed;
    uint64_t cache_bytes;             /* decoded photographs kept in memory, if all fit; else none are; 0: no cache */
    const cnn_augment *augment;       /* copied; NULL: none */
    const cnn_preprocess *preprocess; /* copied; must be given, with width and height */
} cnn_loader_options;

CNN_INLINE void cnn_loader_options_init(cnn_loader_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

typedef struct cnn_batch {
    uint32_t struct_size;
    uint32_t count;          /* images in this batch; 0 at the end of the epoch */
    cnn_tensor *images;      /* count × height × width × 3, CNN_FLOAT32 */
    const int32_t *labels;   /* count class indices */
    const uint64_t *indices; /* count indices into the dataset */
} cnn_batch;

CNN_INLINE void cnn_batch_init(cnn_batch *batch)
{
    cnn_options_clear(batch, sizeof *batch);
}

/* The dataset must outlive the loader. A loader is used from one thread at a time. */
CNN_API cnn_status cnn_loader_create(cnn_context *context, const cnn_dataset *dataset,
                                     const cnn_loader_options *options, cnn_loader **loader);
CNN_API void cnn_loader_destroy(cnn_loader *loader);

/* Begins an epoch; batches of an earlier one that weren't taken are dropped. */
CNN_API cnn_status cnn_loader_start(cnn_loader *loader, uint32_t epoch);

/* The next batch; the last of an epoch may be smaller, and one with count 0 follows it. What the batch points to
 * belongs to the loader and is valid until the next call. An image that fails to decode now (it was sound when the
 * dataset was verified) is an error that names it. */
CNN_API cnn_status cnn_loader_next(cnn_loader *loader, cnn_batch *batch);

/* Batches in an epoch. */
CNN_API uint64_t cnn_loader_batch_count(const cnn_loader *loader);

CNN_END_DECLS

#endif
