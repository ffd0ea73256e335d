/* Access control: pages of other origins may not use the server unless they are listed. */
#ifndef CATDOG_SERVE_ACCESS_H
#define CATDOG_SERVE_ACCESS_H

#include <microhttpd.h>

/* The server's host names, and the origins whose pages may use it: comma-separated lists, or NULL. */
typedef struct access_rules {
    const char *hosts, *origins;
} access_rules;

/* Whether a list is well formed: names without ports; origins such as https://pets.example.org. */
int access_hosts_are_sound(const char *list);
int access_origins_are_sound(const char *list);

/* Whether the request's Host is an IP address, localhost or one of the host names. This defeats DNS rebinding, in which
 * a hostile page makes its own name resolve to this server. */
int access_is_for_us(struct MHD_Connection *http, const access_rules *rules);

/* Whether the request comes from no page, from the server's own, or from an allowed origin. */
int access_is_welcome(struct MHD_Connection *http, const access_rules *rules);

/* The request's Origin if the rules allow it, else NULL. */
const char *access_allowed_origin(struct MHD_Connection *http, const access_rules *rules);

#endif
