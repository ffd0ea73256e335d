/* A heat map laid over its photograph. */
#ifndef CATDOG_REPORT_HEAT_H
#define CATDOG_REPORT_HEAT_H

#include <cnn/cnn.h>

/* Paints `map` (height x width, 0 to 1) over an RGB image: low values turn grey, high values glow. */
void heat_paint(cnn_tensor *map, unsigned char *pixels, int width, int height);

#endif
