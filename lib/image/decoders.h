/* The decoders, one for each format. */
#ifndef CNN_IMAGE_DECODERS_H
#define CNN_IMAGE_DECODERS_H

#include "image/image_source.h"

cnn_status cnn_jpeg_probe(const cnn_image_source *source, cnn_image_info *info);
cnn_status cnn_jpeg_decode(const cnn_image_source *source, cnn_tensor **pixels);
cnn_status cnn_png_probe(const cnn_image_source *source, cnn_image_info *info);
cnn_status cnn_png_decode(const cnn_image_source *source, cnn_tensor **pixels);

#endif
