/* How functions report failure.
 *
 * Every function that can fail returns a cnn_status: zero for success, negative for an error. On error it also leaves
 * one sentence for a person, which names the file, layer or value at fault, in cnn_last_error(). No function of this
 * library exits, aborts or prints. */
#ifndef CNN_STATUS_H
#define CNN_STATUS_H

#include <cnn/export.h>

CNN_BEGIN_DECLS

typedef enum cnn_status {
    CNN_OK = 0,
    CNN_ERROR_ARGUMENT = -1,         /* a value that the function does not take */
    CNN_ERROR_OUT_OF_MEMORY = -2,    /* the allocator returned NULL */
    CNN_ERROR_IO = -3,               /* a file can't be opened, read or written */
    CNN_ERROR_FORMAT = -4,           /* the contents of a file are broken */
    CNN_ERROR_UNSUPPORTED = -5,      /* sound, but something this library (or this build of it) doesn't do */
    CNN_ERROR_LIMIT = -6,            /* larger than a limit in the options allows */
    CNN_ERROR_SHAPE = -7,            /* tensor or layer shapes that don't fit each other */
    CNN_ERROR_NOT_FINITE = -8,       /* training produced NaN or infinity */
    CNN_ERROR_STOPPED = -9,          /* a callback asked to stop */
    CNN_ERROR_DATA = -10,            /* a dataset that can't be used: no images, one class, ... */
    CNN_STATUS_MAX_ENUM = 0x7fffffff /* no status: gives the enum 32 bits, as in every enum of the library */
} cnn_status;

/* The name of a status, such as "CNN_ERROR_IO"; "unknown status" for a value that is none. Static text. */
CNN_API const char *cnn_status_name(cnn_status status);

/* One sentence on the last error of the calling thread, "" if it had none. The text belongs to the library and is
 * valid until the next call of any cnn_ function that fails on the same thread. */
CNN_API const char *cnn_last_error(void);

CNN_END_DECLS

#endif
