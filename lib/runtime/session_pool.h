/* What the predictions of a model share: its program, and the sessions that are idle. In a prediction that isn't the
 * first no lock is taken. */
#ifndef CNN_RUNTIME_SESSION_POOL_H
#define CNN_RUNTIME_SESSION_POOL_H

#include "runtime/model_internal.h"
#include "runtime/session.h"

cnn_status cnn_session_pool_create(cnn_context *context, cnn_session_pool **pool);
void cnn_session_pool_destroy(cnn_session_pool *pool);

/* The program for prediction, with the weights as they are now. */
cnn_status cnn_session_pool_program(const cnn_model *model, const cnn_program **program);

/* True once, the second time that it is called. */
bool cnn_session_pool_is_second(cnn_session_pool *pool);

/* An idle session, or a new one; NULL if there is no memory for it. */
cnn_session *cnn_session_pool_take(cnn_session_pool *pool);
void cnn_session_pool_put(cnn_session_pool *pool, cnn_session *session);

#endif
