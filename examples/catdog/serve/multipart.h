/* Forms (multipart/form-data, RFC 7578), taken apart as they come in. Each byte is looked at a few times at most, and
 * no more than a few kilobytes are held. */
#ifndef CATDOG_SERVE_MULTIPART_H
#define CATDOG_SERVE_MULTIPART_H

#include <stddef.h>

typedef struct multipart multipart;

/* What a form consists of is told by these. Not 0: they want no more of it. */
typedef struct multipart_listener {
    int (*begin)(void *user, const char *file_name); /* a part; NULL: its field is no file. UTF-8 isn't checked */
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

/* `content_type`: the header of the request. NULL with `*status` MULTIPART_GOOD: it has no boundary that can be one. */
multipart *multipart_create(const char *content_type, size_t most_parts, const multipart_listener *listener,
                            multipart_status *status);

/* After anything but MULTIPART_GOOD it takes no more. */
multipart_status multipart_receive(multipart *m, const char *bytes, size_t size);

/* Whether its closing boundary was there. */
int multipart_is_complete(const multipart *m);

void multipart_destroy(multipart *m); /* NULL is ignored */

#endif
