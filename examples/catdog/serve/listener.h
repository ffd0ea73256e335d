/* The socket on which the server is reached. */
#ifndef CATDOG_SERVE_LISTENER_H
#define CATDOG_SERVE_LISTENER_H

#include <stdint.h>

/* Listens at an address (IPv4 or IPv6, in digits) and port (0: any that is free). −1: a sentence was printed. */
int listener_open(const char *address, uint64_t port);

/* The port that it got. */
unsigned listener_port(int socket);

#endif
