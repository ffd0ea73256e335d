#ifndef CNN_COMPILE_FOLD_H
#define CNN_COMPILE_FOLD_H

#include "compile/program.h"

typedef struct cnn_folding cnn_folding;

/* Makes a graph that predicts the same: without dropout, its batch normalisation part of the convolutions before it. */
cnn_status cnn_folding_create(const cnn_program_source *source, cnn_folding **folding);
void cnn_folding_destroy(cnn_folding *folding);

const cnn_graph *cnn_folding_graph(const cnn_folding *folding);

/* Writes the weights of that graph, which were zeros. */
void cnn_folding_fill(const cnn_folding *folding, const cnn_weights *weights, int32_t count);

#endif
