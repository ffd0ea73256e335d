/* Transfer learning: a network that was trained on many photographs learns to tell new classes apart from few. For a
 * classifier, cnn_classifier_create_from_model, cnn_classifier_fit_head and cnn_classifier_fit do this. With models:
 *
 *     cnn_status teach(const cnn_model *pretrained, const cnn_dataset *photos, cnn_model **model)
 *     {
 *         cnn_graph *graph;
 *         // The pretrained network without its head, the last layer with weights and all after it,
 *         cnn_status status = cnn_graph_truncate(NULL, cnn_model_graph(pretrained), NULL, &graph);
 *         if (status)
 *             return status;
 *         cnn_dense(graph, cnn_graph_node_count(graph) - 1, 1, NULL); // with a new head for two classes,
 *         status = cnn_model_create(NULL, graph, 1, model);
 *         cnn_graph_destroy(graph);
 *         if (!status)
 *             status = cnn_model_copy_weights(*model, pretrained, NULL); // and with the pretrained weights;
 *         if (!status)
 *             status = cnn_train_head(*model, NULL, photos, NULL, NULL, NULL); // the head is trained first,
 *         if (!status)
 *             status = cnn_model_set_learning_rate_multiplier(*model, NULL, 0.1f); // then everything, slowly.
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

/* Trains the layers after the one named `layer`, and leaves all others as they are. `layer` NULL: only the head is
 * trained, which is the last layer with weights and what follows it.
 *
 * The value of `layer` is computed once for each photograph and kept in memory, in 4 bytes for each of its numbers. An
 * epoch therefore takes a fraction of the time that it takes cnn_train. The other arguments are those of cnn_train.
 * Options that need the photographs again in each epoch are ignored: `augment`, `mixup`, `cutmix`, `first_size`,
 * `last_size`; so are `checkpoint` and `resume`. While the values are computed, `on_step` is called with an epoch of 0,
 * and `step` and `steps` count photographs.
 *
 * Errors: those of cnn_train; CNN_ERROR_STOPPED if a callback stops it before the first epoch; CNN_ERROR_ARGUMENT if
 * there is no such layer, no layer follows it, or one that does also uses layers before it: name another. */
CNN_API cnn_status cnn_train_head(cnn_model *model, const char *layer, const cnn_dataset *training,
                                  const cnn_dataset *validation, const cnn_train_options *options,
                                  cnn_history **history);

CNN_END_DECLS

#endif
