/* How functions report failure.
 *
 * Every function that can fail returns a cnn_status: zero for success, negative for an error. On an error it also
 * leaves one sentence for a person in cnn_last_error(), which names the file, layer or value at fault and, where there
 * is one, the remedy. No function of the library exits, aborts or prints.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     int show_model(const char *path)
 *     {
 *         cnn_model *model;
 *         char *text;
 *         cnn_status status = cnn_model_load(NULL, path, &model);
 *         if (status == CNN_ERROR_IO)
 *             return 0; // there is no such file
 *         if (!status)
 *             status = cnn_model_summary(model, &text);
 *         if (status) {
 *             fprintf(stderr, "%s: %s\n", cnn_status_name(status), cnn_last_error());
 *             return -1;
 *         }
 *         fputs(text, stdout);
 *         cnn_text_free(text);
 *         cnn_model_destroy(model);
 *         return 0;
 *     }
 */
#ifndef CNN_STATUS_H
#define CNN_STATUS_H

#include <cnn/export.h>

CNN_BEGIN_DECLS

/* Every enum of the library ends with a value ..._MAX_ENUM, which is no choice: it gives the enum 32 bits, whatever a
 * compiler's -fshort-enums would make of it. */
typedef enum cnn_status {
    CNN_OK = 0,
    CNN_ERROR_ARGUMENT = -1,      /* an argument or option has a value that the function doesn't take */
    CNN_ERROR_OUT_OF_MEMORY = -2, /* the allocator gave none, or the context's memory_limit is reached */
    CNN_ERROR_IO = -3,            /* a file can't be opened, read or written */
    CNN_ERROR_FORMAT = -4,        /* the contents of a file are broken */
    CNN_ERROR_UNSUPPORTED = -5,   /* sound, but something that this library, or this build of it, doesn't do */
    CNN_ERROR_LIMIT = -6,         /* larger than a limit allows; the sentence names the limit */
    CNN_ERROR_SHAPE = -7,         /* shapes of tensors or layers that don't fit each other */
    CNN_ERROR_NOT_FINITE = -8,    /* a value is NaN or infinite */
    CNN_ERROR_STOPPED = -9,       /* a callback asked to stop, or cnn_context_cancel was called */
    CNN_ERROR_DATA = -10,         /* a dataset that can't be used: no images, only one class, ... */
    CNN_STATUS_MAX_ENUM = 0x7fffffff
} cnn_status;

/* Returns the name of a status, such as "CNN_ERROR_IO"; "unknown status" for a value that is none. The text is static.
 * Thread-safe. */
CNN_API const char *cnn_status_name(cnn_status status);

/* Returns the sentence for the last error of the calling thread, "" if it had none. It is UTF-8 of less than 1024
 * bytes, without a full stop, and valid until a function of the library fails again on the same thread. A success
 * doesn't clear it. */
CNN_API const char *cnn_last_error(void);

CNN_END_DECLS

#endif
