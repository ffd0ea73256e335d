/* The listening socket. */
#ifndef CATDOG_SERVE_LISTENER_H
#define CATDOG_SERVE_LISTENER_H

#include <stdint.h>

/* Whether that is an IPv4 or IPv6 address. */
int listener_is_address(const char *address);

/* Listens on an address and a port (0: any free one). Returns −1 with a sentence printed. */
int listener_open(const char *address, uint64_t port);

/* The port that a socket listens on. */
unsigned listener_port(int socket);

#endif
