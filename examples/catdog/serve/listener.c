#include "serve/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/output.h"

static int listen_at(const struct addrinfo *place)
{
    int one = 1;
    int listener = socket(place->ai_family, place->ai_socktype, place->ai_protocol);
    if (listener < 0)
        return -1;
    /* A server that is started again needn't wait for its last connections to be forgotten. */
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!bind(listener, place->ai_addr, place->ai_addrlen) && !listen(listener, SOMAXCONN))
        return listener;
    int problem = errno;
    close(listener);
    errno = problem;
    return -1;
}

int listener_is_address(const char *address)
{
    struct addrinfo *place = NULL;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    int status = getaddrinfo(address, NULL, &hints, &place);
    if (!status)
        freeaddrinfo(place);
    return status != EAI_NONAME; /* else opening it gives the reason */
}

int listener_open(const char *address, uint64_t port)
{
    char service[24];
    struct addrinfo *place = NULL;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    snprintf(service, sizeof service, "%llu", (unsigned long long)port);
    int status = getaddrinfo(address, service, &hints, &place);
    if (status) {
        output_error("serve: can't listen on %s: %s", address, gai_strerror(status));
        return -1;
    }
    int listener = listen_at(place);
    int problem = errno;
    freeaddrinfo(place);
    if (listener < 0)
        output_error("serve: can't listen on %s, port %llu: %s%s", address, (unsigned long long)port, strerror(problem),
                     problem == EADDRINUSE ? "; choose another port with --port" : "");
    return listener;
}

unsigned listener_port(int socket)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &size))
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}
