/* Parses forms (multipart/form-data, RFC 7578) as they arrive. Reads each byte a few times at most, and holds a few
 * kilobytes at most. */
#ifndef CATDOG_SERVE_MULTIPART_H
#define CATDOG_SERVE_MULTIPART_H

#include <stddef.h>

typedef struct multipart multipart;

/* Receives the parts of a form. Each function returns not 0 to stop. */
typedef struct multipart_listener {
    int (*begin)(void *user, const char *file_name); /* a part; NULL if it is not a file. May be invalid UTF-8 */
    int (*content)(void *user, const char *bytes, size_t size);
    void *user;
} multipart_listener;

typedef enum multipart_status {
    MULTIPART_GOOD,
    MULTIPART_STOPPED, /* by the listener */
    MULTIPART_LONG_HEAD,
    MULTIPART_MANY_PARTS,
    MULTIPART_NO_MEMORY
} multipart_status;

/* `content_type`: the request's header. NULL with `*status` MULTIPART_GOOD if it has no valid boundary. */
multipart *multipart_create(const char *content_type, size_t most_parts, const multipart_listener *listener,
                            multipart_status *status);

/* Not to be called again after a status other than MULTIPART_GOOD. */
multipart_status multipart_receive(multipart *m, const char *bytes, size_t size);

/* Whether the closing boundary has arrived. */
int multipart_is_complete(const multipart *m);

void multipart_destroy(multipart *m); /* NULL is ignored */

#endif
