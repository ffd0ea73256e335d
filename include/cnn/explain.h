/* Where a net looked: heat maps by Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391).
 *
 * The last values that still have a height and a width say what the net found where. Each of their channels counts as
 * much as a class's logit would grow with it, on average; where the sum is positive, the net saw what speaks for the
 * class. The map is as coarse as those values are, 7×7 say: scale it to the photograph's size to look at it. */
#ifndef CNN_EXPLAIN_H
#define CNN_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/classifier.h>
#include <cnn/export.h>
#include <cnn/model.h>
#include <cnn/status.h>
#include <cnn/tensor.h>

CNN_BEGIN_DECLS

/* Makes the heat map of one image (`input`: 1×H×W×C, as for cnn_model_predict) for a class, which is the output's
 * number; of a model with one output, 1 or 0: its logit speaks for 1 and against 0. `*map` is height × width,
 * CNN_FLOAT32, from 0 to 1, its largest value 1; all 0 where nothing speaks for the class. It covers the input from
 * edge to edge. The caller owns it. The net is computed as in prediction, and many threads may do this at once.
 * Errors: CNN_ERROR_UNSUPPORTED for a quantised model, and for a net without one last image that all else is computed
 * from. An image of one pixel counts as none: the map is then of the image that it is computed from. */
CNN_API cnn_status cnn_model_heat_map(const cnn_model *model, const cnn_tensor *input, int32_t class_index,
                                      cnn_tensor **map);

/* Classifies a photograph and makes the heat map for class `class_index`; −1: for the class that was decided on. The
 * prediction is that of cnn_classifier_predict_file, _memory and _pixels. The map is of the part of the photograph that
 * the net sees: all of it, unless the preprocessing crops or pads. */
CNN_API cnn_status cnn_classifier_explain_file(const cnn_classifier *classifier, const char *path, int32_t class_index,
                                               cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                                 int32_t class_index, cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                                 int32_t class_index, cnn_prediction *prediction, cnn_tensor **map);

CNN_END_DECLS

#endif
