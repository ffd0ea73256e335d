/* What the fuzz targets share: a context whose allocations are bounded and now and then fail, files for bytes, and what
 * is done with a model once it has loaded. */
#ifndef CNN_TESTS_FUZZ_H
#define CNN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/cnn.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FNV-1a: choices that hang on the input alone, so that it repeats. */
uint32_t fuzz_hash(const uint8_t *data, size_t size);

/* The one context, of one thread, for an input of this hash: for one input in seven one of its allocations fails. */
cnn_context *fuzz_context(uint32_t choice);

/* From now on allocations succeed again, as long as they stay within the bound for all together. Not 0 if one has
 * failed since fuzz_context: what was promised of the input need not hold then. */
int fuzz_allocations_succeed(void);

/* Writes a file of this name into a folder of the process's own, which is removed at exit, and gives its path, which is
 * valid until the next call. */
const char *fuzz_write_file(const char *name, const uint8_t *data, size_t size);
/* A path in that folder. Valid until the next call. */
const char *fuzz_path(const char *name);

/* Stops the process, so that the fuzzer keeps the input, and says why. */
_Noreturn void fuzz_fail(const char *sentence);

/* Uses a model that has loaded as a program would: predicts, and one or two of trains a step, cuts, resizes, quantises,
 * saves and loads, writes ONNX and reads it, explains, times. */
void fuzz_use_model(cnn_context *context, cnn_model *model, uint32_t choice);

/* Bytes of a safetensors file: what follows the first byte; or, if that is odd, JSON that gets the length before it and
 * as much data behind it as its data_offsets ask for. The caller frees them. */
uint8_t *fuzz_frame_safetensors(const uint8_t *data, size_t size, size_t *framed);

#endif
