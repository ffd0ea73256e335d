/* What reading and writing safetensors files share. */
#ifndef CNN_FORMATS_SAFETENSORS_TYPES_H
#define CNN_FORMATS_SAFETENSORS_TYPES_H

#include <stdbool.h>

#include "formats/safetensors/safetensors.h"

#define CNN_SAFETENSORS_METADATA "__metadata__"

/* "F32", ...; NULL for a value that is no type. And back: false for a name that this library has no type for. */
const char *cnn_safetensors_dtype_name(cnn_dtype dtype);
bool cnn_safetensors_dtype(const char *name, cnn_dtype *dtype);

/* The bytes that type and dimensions make; false if those are impossible or too large. */
bool cnn_safetensors_bytes(const cnn_safetensors_array *array, size_t *bytes);

#endif
