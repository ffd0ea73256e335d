/* Writing a file so that what stood there before is lost only once the new one is whole. All that the library writes is
 * written so: models, checkpoints, histories, ONNX files. */
#ifndef CNN_FILE_H
#define CNN_FILE_H

#include <stddef.h>

#include <cnn/export.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

/* Writes `size` bytes to `path`. A regular file, new or old, is written beside its place under a name that nobody can
 * guess, synced, renamed, and its folder synced: on failure an older file is as it was, and nothing else is left. Of a
 * symbolic link the target is replaced. An older file's mode stays, and so does its owner where the process may keep
 * it. A named pipe, a terminal and the like, /dev/stdout and /dev/fd/N take the bytes as they come; opening a named
 * pipe waits for its reader. Sockets, disks (block devices), folders and files that the process may not write to are
 * refused. CNN_ERROR_IO for all that fails. */
CNN_API cnn_status cnn_file_save(const char *path, const void *bytes, size_t size);

CNN_END_DECLS

#endif
