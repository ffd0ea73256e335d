/* Heat maps: where a network looked. The method is Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391).
 *
 * Finding the place in a photograph that spoke most for the predicted class:
 *
 *     cnn_status find_focus(const cnn_classifier *classifier, const char *path, double *x, double *y)
 *     {
 *         cnn_prediction prediction;
 *         cnn_tensor *map;
 *         cnn_prediction_init(&prediction);
 *         cnn_status status = cnn_classifier_explain_file(classifier, path, -1, &prediction, &map);
 *         if (status)
 *             return status;
 *         const float *heat = (const float *)cnn_tensor_const_data(map);
 *         int64_t height = cnn_tensor_dim(map, 0), width = cnn_tensor_dim(map, 1), hottest = 0;
 *         for (int64_t i = 1; i < height * width; i++)
 *             if (heat[i] > heat[hottest])
 *                 hottest = i;
 *         *x = ((double)(hottest % width) + 0.5) / (double)width; // from 0 at the left to 1 at the right
 *         *y = ((double)(hottest / width) + 0.5) / (double)height;
 *         cnn_tensor_destroy(map);
 *         return CNN_OK;
 *     }
 *
 * A convolutional network computes a stack of coarse images, the last of which, 7 × 7 say, is pooled or flattened and
 * becomes the logits. Each channel of that last image gets a weight: the mean of the derivatives of the class's logit
 * by the channel's pixels. The map is the weighted sum of the channels, with negative values set to 0. It has the
 * height and width of that image: scale it up to lay it over the photograph. */
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

/* Makes the heat map of one image for one class. `input` is 1 × height × width × channels, as for cnn_model_predict.
 * `class_index` is the number of an output; of a model with one output, 0 or 1, since its logit speaks for class 1 and
 * against class 0. `*map` is height × width, CNN_FLOAT32, and covers the input from edge to edge. Its values are from 0
 * to 1, and the largest is 1; all are 0 where nothing speaks for the class. The caller owns it. The network is computed
 * as in prediction. Where its last image is a single pixel, the map is that of the image from which this pixel is
 * computed. Thread-safe. Errors: CNN_ERROR_UNSUPPORTED for a quantised model, and for a network whose output isn't
 * computed from one last image alone; CNN_ERROR_ARGUMENT if there is no such class; CNN_ERROR_SHAPE;
 * CNN_ERROR_NOT_FINITE if a value of the network isn't finite; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_model_heat_map(const cnn_model *model, const cnn_tensor *input, int32_t class_index,
                                      cnn_tensor **map);

/* Predict a photograph, and make the heat map for class `class_index`; −1 stands for the predicted class. The
 * photograph is a file, the bytes of a file, or pixels. `prediction`, which has been initialised, becomes the same as
 * from cnn_classifier_predict_file, _memory or _pixels, and is there even if no map can be made. `*map` is as from
 * cnn_model_heat_map. It covers that part of the photograph that the network sees: all of it with CNN_FIT_STRETCH, the
 * middle with CNN_FIT_CROP, the grey borders, too, with CNN_FIT_LETTERBOX. Thread-safe. Errors: those of
 * cnn_classifier_predict_file and cnn_model_heat_map. */
CNN_API cnn_status cnn_classifier_explain_file(const cnn_classifier *classifier, const char *path, int32_t class_index,
                                               cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
                                                 int32_t class_index, cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
                                                 int32_t class_index, cnn_prediction *prediction, cnn_tensor **map);

CNN_END_DECLS

#endif
