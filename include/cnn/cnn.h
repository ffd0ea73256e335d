/* libcnn: trains and runs convolutional image classifiers. This header includes the rest.
 *
 * Start at classifier.h for the short way from photographs to predictions; at graph.h and model.h to build networks;
 * at trainer.h to train them. All names begin cnn_ or CNN_.
 *
 * Handles (cnn_context, cnn_tensor, ...) are opaque: made by cnn_X_create and the like, freed by cnn_X_destroy, which
 * takes NULL. Structs of options begin with struct_size; fill them with their _init function, then change what you
 * like: zero is the default (see options.h). Distinct objects may be used from distinct threads. */
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
