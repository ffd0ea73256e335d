#include "serve/access.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const char *header(struct MHD_Connection *http, const char *name)
{
    return MHD_lookup_connection_value(http, MHD_HEADER_KIND, name);
}

static int is_listed(const char *list, const char *word, size_t length)
{
    while (list && *list) {
        size_t size = strcspn(list, ",");
        if (size == length && !strncasecmp(list, word, length))
            return 1;
        list += size + (list[size] == ',');
    }
    return 0;
}

static int is_address(const char *host, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    int is_ipv6 = length > 2 && host[0] == '[' && host[length - 1] == ']';
    size_t size = is_ipv6 ? length - 2 : length;
    if (size >= sizeof text)
        return 0;
    memcpy(text, host + is_ipv6, size);
    text[size] = 0;
    return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, address) == 1;
}

/* The length of a host without its port. */
static size_t host_length(const char *host)
{
    const char *port = strrchr(host, ':'), *bracket = strrchr(host, ']');
    int has_port = port && (!bracket || port > bracket) && !port[1 + strspn(port + 1, "0123456789")];
    return has_port ? (size_t)(port - host) : strlen(host);
}

int access_is_for_us(struct MHD_Connection *http, const access_rules *rules)
{
    const char *host = header(http, MHD_HTTP_HEADER_HOST);
    if (!host)
        return 1; /* HTTP/1.0: no browser */
    size_t length = host_length(host);
    return is_address(host, length) || is_listed("localhost", host, length) || is_listed(rules->hosts, host, length);
}

/* The part after http:// or https://; NULL if there is neither. */
static const char *after_scheme(const char *origin)
{
    size_t length = !strncasecmp(origin, "http://", 7) ? 7 : !strncasecmp(origin, "https://", 8) ? 8 : 0;
    return length ? origin + length : NULL;
}

const char *access_allowed_origin(struct MHD_Connection *http, const access_rules *rules)
{
    const char *origin = header(http, MHD_HTTP_HEADER_ORIGIN);
    return origin && is_listed(rules->origins, origin, strlen(origin)) ? origin : NULL;
}

int access_is_welcome(struct MHD_Connection *http, const access_rules *rules)
{
    const char *site = header(http, "Sec-Fetch-Site"), *origin = header(http, MHD_HTTP_HEADER_ORIGIN);
    const char *host = header(http, MHD_HTTP_HEADER_HOST), *from = origin ? after_scheme(origin) : NULL;
    if (access_allowed_origin(http, rules))
        return 1;
    if (site)
        return !strcmp(site, "same-origin") || !strcmp(site, "none");
    return !origin || (from && host && !strcasecmp(from, host));
}

/* Whether a list is of words that are sound, each of them. */
static int check_list(const char *list, int (*is_sound)(const char *word, size_t length))
{
    while (list && *list) {
        size_t length = strcspn(list, ",");
        if (!is_sound(list, length))
            return 0;
        list += length + (list[length] == ',');
    }
    return 1;
}

static int has_none_of(const char *marks, const char *word, size_t length)
{
    for (; *marks; marks++)
        if (memchr(word, *marks, length))
            return 0;
    return 1;
}

/* Names are compared as they are: a `*` would stand for itself. */
static int is_name(const char *word, size_t length)
{
    return length && has_none_of("/: *", word, length);
}

/* A scheme, a host, and perhaps a port. */
static int is_origin(const char *word, size_t length)
{
    const char *host = after_scheme(word), *end = word + length;
    return host && host < end && has_none_of("/ *", host, (size_t)(end - host));
}

int access_hosts_are_sound(const char *list)
{
    return check_list(list, is_name);
}

int access_origins_are_sound(const char *list)
{
    return check_list(list, is_origin);
}
