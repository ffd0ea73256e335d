/* Files that the user names: what to say of those that can't be read. */
#ifndef CATDOG_CLI_PATHS_H
#define CATDOG_CLI_PATHS_H

#include <cnn/status.h>

/* Prints the library's last error, which is about `path`. If there is nothing of that name, names the file or folder
 * that may have been meant. */
void paths_library_error(const char *path);

/* The same where `path` should be a model, and reading it ended with `status`. */
void paths_model_error(const char *path, cnn_status status);

/* Whether the path is in a file system in which the kernel shows its state, as /proc and /sys are. */
int paths_is_of_the_kernel(const char *path);

#endif
