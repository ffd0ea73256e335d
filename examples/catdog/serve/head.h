/* Whether the head of a request is what HTTP/1.1 allows (RFC 9112). libmicrohttpd 0.9.75 takes much that a proxy in
 * front would read otherwise, and so could be led to mistake one request for two. */
#ifndef CATDOG_SERVE_HEAD_H
#define CATDOG_SERVE_HEAD_H

#include <stddef.h>

#include <microhttpd.h>

/* Why a head can't be taken, as a sentence; NULL: it can. `uri_size`: of the address, as it was sent. */
const char *head_fault(struct MHD_Connection *http, const char *method, const char *version, size_t uri_size);

/* The path of an address, which may have a scheme and a host before it. NULL: that host isn't the one of Host. */
const char *head_path(struct MHD_Connection *http, const char *address);

#endif
