/* A layer's attributes as JSON, by the table that its type has of them (layers/layer.h). */
#ifndef CNN_FORMATS_ATTRIBUTE_H
#define CNN_FORMATS_ATTRIBUTE_H

#include <jansson.h>

#include "layers/layer.h"

/* The attribute's value in the type's struct `attributes`. The caller owns the result; NULL, with the error set, for a
 * value that can't be written (a float that isn't finite). */
json_t *cnn_attribute_to_json(const cnn_attribute *attribute, const void *attributes);

/* The other way. An array is given as a list; or as one value, which then stands for all; of a list of floats the last
 * may be left out. On error the sentence begins with `layer` and the attribute's name. */
cnn_status cnn_attribute_from_json(const cnn_attribute *attribute, const json_t *value, const char *layer,
                                   void *attributes);

void cnn_attribute_clear(const cnn_attribute *attribute, void *attributes);
bool cnn_attribute_equal(const cnn_attribute *attribute, const void *a, const void *b);

#endif
