/* Files that the user names: whether they can be written, and what to say of those that can't be read. */
#ifndef CATDOG_PATHS_H
#define CATDOG_PATHS_H

#include <cnn/status.h>

/* Not 0, with a sentence printed, if a file can't be written at `path`: better known before hours of work. `what` names
 * it ("the model"); `path` NULL is fine. */
int paths_check_writable(const char *what, const char *path);

/* Prints the library's last error, which is about `path`. If there is nothing of that name, names the file or folder
 * that may have been meant. */
void paths_library_error(const char *path);

/* The same where `path` should be a model, and reading it ended with `status`. */
void paths_model_error(const char *path, cnn_status status);

#endif
