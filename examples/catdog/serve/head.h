/* Checks that a request's header is valid HTTP/1.1 (RFC 9112). libmicrohttpd 0.9.75 accepts much that a proxy in front
 * of it would read differently, which allows request smuggling. */
#ifndef CATDOG_SERVE_HEAD_H
#define CATDOG_SERVE_HEAD_H

#include <stddef.h>

#include <microhttpd.h>

/* What is wrong with the header, as a sentence; NULL if nothing is. `uri_size`: the size of the address as it was sent.
 */
const char *head_fault(struct MHD_Connection *http, const char *method, const char *version, size_t uri_size);

/* The path of an address, which may begin with a scheme and a host. NULL if that host is not the Host header's. */
const char *head_path(struct MHD_Connection *http, const char *address);

#endif
