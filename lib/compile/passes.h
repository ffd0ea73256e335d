/* The passes that make a program, in their order. Each takes it as the one before has left it; if one fails, the
 * program can only be destroyed. */
#ifndef CNN_COMPILE_PASSES_H
#define CNN_COMPILE_PASSES_H

#include "compile/program.h"

/* One operation for each node that leads to an output, in floats. Dropout is left out where it does nothing. */
cnn_status cnn_lower_graph(cnn_program *program);

/* One operation for those that match a pattern of what a kernel can do at once. */
cnn_status cnn_fuse_operations(cnn_program *program);

/* Prediction of a quantised model: operations that compute with bytes, where these can. */
cnn_status cnn_quantize_operations(cnn_program *program);

/* Training in bfloat16: values are bfloat16 wherever their layers can take them, with conversions between layers that
 * can and layers that can't. The input and the output stay floats. */
cnn_status cnn_choose_types(cnn_program *program);

/* Buffers for all values, and when each is in use. Which gradients are wanted follows from the weights that are
 * trainable. */
cnn_status cnn_find_liveness(cnn_program *program);

/* A place for each buffer in one arena, in which those that aren't in use at the same time share places. */
cnn_status cnn_assign_arena(cnn_program *program);

/* Packed weights, for prediction. */
cnn_status cnn_pack_weights(cnn_program *program);

/* Exchanges a program's operations. Attributes that the old ones own end with them; those that were handed on to new
 * ones are NULL in the old. */
void cnn_program_replace(cnn_program *program, cnn_operation *operations, int32_t count);

/* Gives each buffer from `first` on a place, at multiples of 64 bytes, and says how many bytes that takes in all. */
cnn_status cnn_arena_assign(cnn_context *context, cnn_buffer *buffers, int32_t first, int32_t count, size_t *bytes);

#endif
