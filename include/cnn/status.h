/* Errors.
 *
 * Every function that can fail returns a cnn_status: zero for success, a negative number for an error. With an error it
 * leaves a sentence for a person in cnn_last_error(). The sentence names the file, layer or value at fault, and says
 * what to do about it, if the library knows. No function of the library exits, aborts or prints.
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

/* What went wrong. Each function's comment lists the errors that it gives beside CNN_ERROR_ARGUMENT for a NULL that
 * isn't allowed. (Every enum of the library ends in a value ..._MAX_ENUM, which isn't used: it keeps the enum at 32
 * bits, even with -fshort-enums.) */
typedef enum cnn_status {
    CNN_OK = 0,
    CNN_ERROR_ARGUMENT = -1,      /* an argument or option has a value that isn't allowed */
    CNN_ERROR_OUT_OF_MEMORY = -2, /* the system has no memory left, or the context's memory_limit is reached */
    CNN_ERROR_IO = -3,            /* a file can't be opened, read or written */
    CNN_ERROR_FORMAT = -4,        /* the content of a file is broken, or of another format */
    CNN_ERROR_UNSUPPORTED = -5,   /* the library, or this build of it, can't do this */
    CNN_ERROR_LIMIT = -6,         /* something is larger than a limit allows; the sentence names the limit */
    CNN_ERROR_SHAPE = -7,         /* the shapes of tensors or layers don't fit each other */
    CNN_ERROR_NOT_FINITE = -8,    /* a value is NaN or infinite */
    CNN_ERROR_STOPPED = -9,       /* a callback asked to stop, or cnn_context_cancel was called */
    CNN_ERROR_DATA = -10,         /* a dataset can't be used: it has no images, only one class, ... */
    CNN_STATUS_MAX_ENUM = 0x7fffffff
} cnn_status;

/* Returns the name of a status, such as "CNN_ERROR_IO"; "unknown status" for any other number. The text is static.
 * Thread-safe. */
CNN_API const char *cnn_status_name(cnn_status status);

/* Returns the sentence for the last error on the calling thread; "" if there was none. The text is UTF-8 of less than
 * 1024 bytes (unless it names a file whose path isn't UTF-8), without a full stop. It is valid until a function of the
 * library fails again on the same thread; success doesn't clear it. Thread-safe. */
CNN_API const char *cnn_last_error(void);

CNN_END_DECLS

#endif
