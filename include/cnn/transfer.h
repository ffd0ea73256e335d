/* Transfer learning: a net that has learned from many photographs learns a new task from few.
 *
 *     cnn_status teach(const cnn_model *pretrained, const cnn_dataset *photos, cnn_model **model)
 *     {
 *         cnn_graph *graph;
 *         cnn_status status = cnn_graph_truncate(NULL, cnn_model_graph(pretrained), NULL, &graph); // without its head,
 *         if (status)
 *             return status;
 *         cnn_dense(graph, cnn_graph_node_count(graph) - 1, 1, NULL); // with a new one,
 *         status = cnn_model_create(NULL, graph, 1, model);
 *         cnn_graph_destroy(graph);
 *         if (!status)
 *             status = cnn_model_copy_weights(*model, pretrained, NULL); // and what it knows;
 *         if (!status)
 *             status = cnn_train_head(*model, NULL, photos, NULL, NULL, NULL); // the head learns first,
 *         if (!status)
 *             status = cnn_model_set_learning_rate_multiplier(*model, NULL, 0.1f); // then all of it, carefully
 *         return status ? status : cnn_train(*model, photos, NULL, NULL, NULL);
 *     }
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
