/* Files: how the library writes them, and files that a program keeps itself.
 *
 * A file is written whole or not at all: an older file is replaced only when the new one is complete on the disk. The
 * library writes all its files in this way: models, checkpoints, histories, ONNX files.
 *
 *     cnn_status save_summary(const cnn_model *model, const char *path)
 *     {
 *         char *text;
 *         cnn_status status = cnn_model_summary(model, &text);
 *         if (!status)
 *             status = cnn_file_save(path, text, strlen(text));
 *         cnn_text_free(text);
 *         return status;
 *     }
 */
#ifndef CNN_FILE_H
#define CNN_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

/* Writes `size` bytes to the file at `path`. Thread-safe.
 *
 * The bytes are written to a new file in the same folder, under a name that nobody can guess, and synced to the disk.
 * That file is then renamed to `path`, and the folder is synced. If a step fails, an older file is as it was, and no
 * new file is left. (If only the last one fails, the new file is there, but may not outlast a loss of power: the
 * sentence says so.) The new file has the mode of the older one and, if the process may set it, its owner. If `path` is
 * a symbolic link, its target is replaced.
 *
 * A named pipe, a terminal or another character device, /dev/stdout and /dev/fd/N take the bytes directly. Opening a
 * named pipe waits for its reader. Folders, sockets, block devices, and files that the process may not write to are
 * refused. Errors: CNN_ERROR_IO. */
CNN_API cnn_status cnn_file_save(const char *path, const void *bytes, size_t size);

#ifdef CNN_EXPERIMENTAL

/* A file that the program keeps itself: in an archive, in a database, behind a network. cnn_model_load_from_callbacks
 * and others read and write such files. The callbacks are called from the calling thread, and only during the call that
 * they are given to. */
typedef struct cnn_file_callbacks {
    uint32_t struct_size;
    const char *name; /* as messages have it; NULL: "the program's file" */
    uint64_t size;    /* of the file, in bytes, when it is read */

    /* Reads up to `size` bytes, at least 1, from the file's byte `offset` on to `to`. `*done` becomes the number of
     * bytes read: if they are fewer than `size` it is called again for the rest, and 0 means that the file has ended,
     * which is an error before its size. Returns not 0 if it fails. May be NULL if the file is only written. */
    int (*read_at)(uint64_t offset, void *to, size_t size, size_t *done, void *user);

    /* Writes all `size` bytes, at least 1, behind those written before. Returns not 0 if it fails: what was written so
     * far is then no whole file. May be NULL if the file is only read. */
    int (*write)(const void *bytes, size_t size, void *user);

    void *user; /* handed to both: the program's own handle of the file */
} cnn_file_callbacks;

CNN_INLINE void cnn_file_callbacks_init(cnn_file_callbacks *callbacks)
{
    cnn_options_clear(callbacks, sizeof *callbacks);
}

#endif

CNN_END_DECLS

#endif
