/* libcnn trains and runs convolutional neural networks that classify images, on ordinary processors.
 *
 * This header includes all others. They are the manual: beside each function stands what it does, its shapes, units and
 * ranges, who owns the result, the errors, and from which threads it may be called. docs/c.md has programs by task.
 *
 * The simple way
 *
 * A classifier (classifier.h) does the whole job: it takes labelled photographs from a folder or a zip file
 * (dataset.h), trains a network on them, predicts, and is saved to one file.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     int main(void)
 *     {
 *         cnn_dataset *photos = NULL;
 *         cnn_classifier *pets = NULL;
 *         cnn_prediction p;
 *         cnn_prediction_init(&p);
 *         int failed = cnn_dataset_open(NULL, "PetImages", NULL, &photos) ||
 *                      cnn_classifier_create(NULL, "two_conv", NULL, &pets) ||
 *                      cnn_classifier_fit(pets, photos, NULL, NULL) ||
 *                      cnn_classifier_save(pets, "pets.safetensors") ||
 *                      cnn_classifier_predict_file(pets, "photo.jpg", &p);
 *         if (failed)
 *             fprintf(stderr, "%s\n", cnn_last_error());
 *         else
 *             printf("%s %.1f %%\n", p.label, 100 * p.confidence);
 *         cnn_classifier_destroy(pets);
 *         cnn_dataset_destroy(photos);
 *         return failed;
 *     }
 *
 * What holds everywhere
 *
 * - Errors: a function that can fail returns a cnn_status, which is 0 for success, and leaves a sentence for a person
 * in cnn_last_error() (status.h). No function prints, exits or aborts. Any function that allocates memory may return
 *   CNN_ERROR_OUT_OF_MEMORY.
 * - Handles, such as cnn_model, are opaque. cnn_X_create, cnn_X_load and the like make one; cnn_X_destroy frees it. A
 *   function that makes something sets the caller's pointer to it, or to NULL if it fails. The caller frees text by
 *   cnn_text_free, and bytes by cnn_bytes_free (context.h).
 * - NULL: destroying NULL does nothing, and a getter returns 0, NULL or "" for it. Other functions return
 *   CNN_ERROR_ARGUMENT for a NULL, unless their comment allows it.
 * - Options are structs. Call the struct's _init function, then set the fields that you want to change (options.h).
 * Where a function takes options, NULL stands for the defaults.
 * - An image is height × width × channels, a batch of images N × height × width × channels. The channels of a pixel are
 *   neighbours in memory: red, green, blue.
 * - Threads: different objects may be used from different threads at the same time. Where a header says so, one object
 *   may be: a trained model or classifier that predicts, a dataset that is read, a context. A function that is said to
 *   be thread-safe may be called with the same objects from several threads at once, as long as none changes them.
 * - The same seed gives the same bits, whatever the number of threads.
 * - Text is UTF-8. A path may be any bytes that the system takes.
 * - Files and bytes may come from strangers. A broken or hostile one leads to an error, and takes no more time and
 * memory than its size explains. The limits are options.
 *
 * The context
 *
 * A context (context.h) owns the threads, the allocator, the limit on memory, the callback for messages, and the choice
 * of instruction set. Where a function takes a context, NULL stands for the default one. What is made with a context
 * must be destroyed before it.
 *
 * The headers, in the order in which you will need them
 *
 *   status.h      errors
 *   options.h     structs of options: how they are filled, and how they grow
 *   version.h     the version, and the features that the library was built with
 *   context.h     threads, memory, messages, cancelling
 *   dataset.h     labelled photographs in folders, zip files, lists and memory; the loader that makes batches of them
 *   classifier.h  the simple way
 *   image.h       from JPEG and PNG to pixels, from pixels to a network's input
 *   augment.h     random changes to photographs in training
 *   metrics.h     losses, and measures of how good a classifier is
 *   trainer.h     training and evaluating a model, with all options
 *   optimizer.h   optimizers and learning-rate schedules
 *   transfer.h    training only the last layers of a pretrained network
 *   explain.h     heat maps: where a network looked
 *   quantize.h    models that predict with 8-bit integers
 *   tensor.h      arrays of numbers
 *   graph.h       networks of your own, and the networks that have names
 *   model.h       networks with weights: predicting, training step by step, files
 *   onnx.h        models from other libraries, and for them
 *   dlpack.h      tensors shared with NumPy, PyTorch and other libraries
 *   file.h        writing a file whole or not at all; files that the program keeps itself
 *   export.h      what the other headers need for their declarations
 *   cnn.hpp       the library in C++17: objects that free themselves, exceptions, strings and vectors
 *
 * What may still change
 *
 * Functions and structs behind CNN_EXPERIMENTAL may change or disappear in any version. To use them, define that macro
 * before you include a header:
 *
 *   context.h     cnn_limit_threads: how many threads work on the calling thread's calls
 *   dataset.h     cnn_dataset_source: files that the program itself reads
 *   file.h        cnn_file_callbacks: models in files that the program keeps itself
 *   model.h       cnn_model_predict_layers: the outputs of layers, by their names
 *   trainer.h     cnn_train_hooks: a callback for each batch, and a loss of your own
 *
 * Everything else is stable within a major version: a program runs with any later library of it. Before version 1.0 a
 * minor version may break this; the soname then changes. */
#ifndef CNN_CNN_H
#define CNN_CNN_H

#include <cnn/augment.h>
#include <cnn/classifier.h>
#include <cnn/context.h>
#include <cnn/dataset.h>
#include <cnn/dlpack.h>
#include <cnn/explain.h>
#include <cnn/export.h>
#include <cnn/file.h>
#include <cnn/graph.h>
#include <cnn/image.h>
#include <cnn/metrics.h>
#include <cnn/model.h>
#include <cnn/onnx.h>
#include <cnn/optimizer.h>
#include <cnn/options.h>
#include <cnn/quantize.h>
#include <cnn/status.h>
#include <cnn/tensor.h>
#include <cnn/trainer.h>
#include <cnn/transfer.h>
#include <cnn/version.h>

#endif
