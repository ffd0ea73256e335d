#include "train/batches.h"

static cnn_status start(void *source, uint32_t epoch)
{
    return cnn_loader_start(source, epoch);
}

static cnn_status next(void *source, cnn_batch *batch)
{
    return cnn_loader_next(source, batch);
}

cnn_batches cnn_batches_of_loader(cnn_loader *loader)
{
    return (cnn_batches){ loader, start, next, loader ? cnn_loader_batch_count(loader) : 0 };
}
