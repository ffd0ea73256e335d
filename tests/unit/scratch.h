/* A folder for a test program's files, and a context whose memory runs out when told to. */
#ifndef CNN_TESTS_IO_SCRATCH_H
#define CNN_TESTS_IO_SCRATCH_H

#include <stdbool.h>

#include <cnn/context.h>

/* For cmocka_run_group_tests: *state is the folder's path, which goes with all in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* A path in the folder; four are kept at a time. */
const char *scratch_path(const char *folder, const char *name);

/* Changes a bit of each byte of a file in turn, calls `visit`, and changes it back. False if it can't be read or
 * written.
 */
bool scratch_change_each_byte(const char *path, void (*visit)(const char *path, void *user), void *user);

typedef struct scratch_memory {
    int allowed; /* allocations that succeed, of `taken` so far */
    int taken, held;
} scratch_memory;

/* One thread; the caller destroys it. */
cnn_context *scratch_context(scratch_memory *memory);

#endif
