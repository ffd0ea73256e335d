/* What predictions of the same outputs share: their program, and the sessions that are idle. In a prediction that isn't
 * the first no lock is taken. */
#ifndef CNN_RUNTIME_SESSION_POOL_H
#define CNN_RUNTIME_SESSION_POOL_H

#include "runtime/model_internal.h"
#include "runtime/session.h"

/* For the nodes `outputs`, which are copied; NULL: the model's output. */
cnn_status cnn_session_pool_create(cnn_context *context, const cnn_node *outputs, int32_t count,
                                   cnn_session_pool **pool);
void cnn_session_pool_destroy(cnn_session_pool *pool);

/* The program for prediction, with the model's weights as they are now. */
cnn_status cnn_session_pool_program(cnn_session_pool *pool, const cnn_model *model, const cnn_program **program);

/* True once, the second time that it is called. */
bool cnn_session_pool_is_second(cnn_session_pool *pool);

/* An idle session, or a new one; NULL if there is no memory for it. */
cnn_session *cnn_session_pool_take(cnn_session_pool *pool);
void cnn_session_pool_put(cnn_session_pool *pool, cnn_session *session);

#endif
