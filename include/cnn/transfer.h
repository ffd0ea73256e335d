/* Transfer learning: a net that has learned from many photographs learns a new task from few.
 *
 *     cnn_graph_cut(context, cnn_model_graph(pretrained), NULL, &graph);       the net without its head,
 *     cnn_dense(graph, cnn_graph_output(graph), 1, NULL);                      a new one,
 *     cnn_model_create(context, graph, seed, &model);
 *     cnn_model_copy_weights(model, pretrained, NULL);                         what it knows,
 *     cnn_train_head(model, NULL, photos, validation, NULL, NULL);             the head first,
 *     cnn_model_set_learning_rate_factor(model, NULL, 0.1f);                   then all of it, carefully
 *     cnn_train(model, photos, validation, NULL, NULL);
 */
#ifndef CNN_TRANSFER_H
#define CNN_TRANSFER_H

#include <cnn/dataset.h>
#include <cnn/export.h>
#include <cnn/model.h>
#include <cnn/status.h>
#include <cnn/trainer.h>

CNN_BEGIN_DECLS

/* Trains what follows the layer named `layer` (NULL: the last layer with weights), and nothing before it, on the values
 * that this layer gives: they are computed once for each photograph and kept in memory, so that an epoch takes no more
 * than a moment. `options` are as in cnn_train but for what needs the photographs again at each epoch: augmentation,
 * mixup and growing images are left out, and there is no checkpoint. `on_step` is called with epoch 0 while the values
 * are computed; step and steps then count photographs. Errors: as cnn_train; CNN_ERROR_STOPPED if a callback stops it
 * before anything is learned; CNN_ERROR_ARGUMENT if the net has no such layer, or what follows it uses other layers
 * before it, too. */
CNN_API cnn_status cnn_train_head(cnn_model *model, const char *layer, const cnn_dataset *training,
                                  const cnn_dataset *validation, const cnn_train_options *options,
                                  cnn_history **history);

CNN_END_DECLS

#endif
