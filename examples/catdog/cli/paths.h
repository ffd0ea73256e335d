/* Errors of files that the user names. */
#ifndef CATDOG_CLI_PATHS_H
#define CATDOG_CLI_PATHS_H

#include <cnn/status.h>

/* Prints the library's last error, which is about `path`. If `path` doesn't exist, suggests a similar name. */
void paths_library_error(const char *path);

/* The same for a model that could not be read, with `status`. */
void paths_model_error(const char *path, cnn_status status);

/* Whether the path has that end, such as ".png", in capitals or not. */
int paths_ends_in(const char *path, const char *end);

/* Whether the path is in a file system in which the kernel shows its state, as /proc and /sys are. */
int paths_is_of_the_kernel(const char *path);

#endif
