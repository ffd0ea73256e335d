/* Who may use the server: pages of other origins may not, unless they are named. */
#ifndef CATDOG_SERVE_ACCESS_H
#define CATDOG_SERVE_ACCESS_H

#include <microhttpd.h>

/* The names that this server is reached by, and the pages of elsewhere that may use it: lists with commas between, or
 * NULL. */
typedef struct access_rules {
    const char *hosts, *origins;
} access_rules;

/* Whether a list is written as it should be: of names without ports, of origins such as https://pets.example.org. */
int access_hosts_are_sound(const char *list);
int access_origins_are_sound(const char *list);

/* Whether the request's Host is an address, localhost or one of the names. A page of elsewhere may have its own name
 * lead here (DNS rebinding), but not be reached by an address. */
int access_is_for_us(struct MHD_Connection *http, const access_rules *rules);

/* Whether it comes from no page, from our own, or from one that is allowed. */
int access_is_welcome(struct MHD_Connection *http, const access_rules *rules);

/* The request's Origin if the rules allow it, else NULL. */
const char *access_allowed_origin(struct MHD_Connection *http, const access_rules *rules);

#endif
