/* libcnn trains and runs convolutional neural networks that classify images, on ordinary processors.
 *
 * This header includes all others. They are the manual: what a function does, its shapes, units, ranges, errors, who
 * owns what it gives, and from which threads it may be called stand beside its declaration. docs/c.md shows the same by
 * task.
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
 * - Errors: a function that can fail returns a cnn_status, 0 for success, and leaves a sentence for a person in
 *   cnn_last_error() (status.h). No function prints, exits or aborts.
 * - Handles, such as cnn_model, are opaque. They are made by cnn_X_create, cnn_X_load and the like, and destroyed by
 *   cnn_X_destroy. A function that makes one sets the caller's pointer to it, or to NULL if it fails. Text and bytes
 *   that the library gives to the caller are freed by cnn_text_free and cnn_bytes_free (context.h).
 * - Destroying NULL does nothing, and a getter gives 0, NULL or "" for NULL. Other functions refuse a NULL that isn't
 *   said to be allowed, with CNN_ERROR_ARGUMENT.
 * - Options are structs. Fill one by its _init function, then change what you like (options.h). Where options are
 *   taken, NULL stands for the defaults.
 * - Images are height × width × channels, batches of them images × height × width × channels (N×H×W×C), with the
 *   channels of a pixel side by side: red, green, blue.
 * - Threads: distinct objects may be used from distinct threads. One object may be used from several at once where its
 *   header says so: a trained model or classifier that predicts, a dataset that is read, a context.
 * - The same seed gives the same bits, whatever the number of threads.
 * - Paths and text are UTF-8; paths may be any bytes that the system takes.
 * - Files and bytes may come from strangers: a broken or hostile one gives an error, in time and memory that its size
 *   explains. The limits are options.
 *
 * The context
 *
 * A context (context.h) owns the threads, the allocator, the limit on memory, the callback for messages and the choice
 * of instruction set. Where a function takes a context, NULL stands for a default one.
 *
 * The rest, in the order in which people need it
 *
 *   status.h      error codes and the sentence for an error
 *   options.h     how structs of options are filled, and how they grow
 *   version.h     the version, and what the library was built with
 *   context.h     threads, memory, messages, cancelling
 *   dataset.h     labelled photographs in folders, zip files, lists and memory; the loader that makes batches of them
 *   classifier.h  the simple way
 *   image.h       JPEG and PNG to pixels, and pixels to a network's input
 *   augment.h     random changes to photographs in training
 *   metrics.h     losses, and measures of how good a classifier is
 *   trainer.h     training and evaluating a model with all options
 *   optimizer.h   optimizers and learning-rate schedules
 *   transfer.h    training only the last layers of a pretrained network
 *   explain.h     heat maps: where a network looked
 *   quantize.h    models that compute with 8-bit integers
 *   tensor.h      arrays of numbers
 *   graph.h       networks of one's own, and the networks that have names
 *   model.h       networks with weights: predicting, training step by step, files
 *   onnx.h        models from and for other libraries
 *   dlpack.h      tensors shared with NumPy, PyTorch and others
 *   file.h        writing a file whole or not at all; files that the program keeps itself
 *   export.h      what the headers need for themselves
 *   cnn.hpp       all of it in C++17: handles that free themselves, exceptions, strings and vectors
 *
 * What may still change
 *
 * Functions and structs that stand behind CNN_EXPERIMENTAL in the headers may change or go in any version. Define that
 * macro before including a header to use them:
 *
 *   context.h     cnn_limit_threads: how many threads the calling thread's calls may use
 *   dataset.h     cnn_dataset_source: files that the program itself gives
 *   file.h        cnn_file_callbacks: models in files that the program keeps itself
 *   model.h       cnn_model_predict_layers: the values of layers by name
 *   trainer.h     cnn_train_hooks: a callback for each batch, and a loss of one's own
 *
 * Everything else is stable within a major version: programs go on running with later libraries. Before version 1.0 a
 * minor version may break it; the soname then changes. */
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
