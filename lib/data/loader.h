/* What training needs of a loader beyond the public functions. */
#ifndef CNN_DATA_LOADER_H
#define CNN_DATA_LOADER_H

#include <cnn/dataset.h>

/* Gives inputs another size from the next epoch on; neither side may be larger than those the loader was made with,
 * whose memory they use. What is left of an epoch under way is dropped. */
void cnn_loader_resize(cnn_loader *loader, uint32_t width, uint32_t height);

#endif
