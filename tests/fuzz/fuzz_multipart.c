/* Forms from strangers: the first line is the Content-Type, the rest the body. In whatever pieces it comes in, it must
 * be the same form. */
#include "serve/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { PARTS_MAX = 32, TYPE_MAX = 512 };

/* What the listener has been told, as one number that doesn't hang on where content was cut. */
typedef struct told {
    uint64_t hash;
    size_t parts, bytes;
} told;

static void add(told *t, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        t->hash = (t->hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static int begin(void *user, const char *file_name)
{
    told *t = user;
    add(t, file_name ? "\1" : "\2", 1);
    if (file_name)
        add(t, file_name, strlen(file_name));
    return ++t->parts > PARTS_MAX;
}

static int content(void *user, const char *bytes, size_t size)
{
    told *t = user;
    t->bytes += size;
    add(t, bytes, size);
    return 0;
}

/* Gives how it ended. */
static multipart_status read_form(const char *type, const uint8_t *body, size_t size, size_t piece, told *t,
                                  int *complete)
{
    multipart_status status;
    const multipart_listener listener = { begin, content, t };
    *t = (told){ 14695981039346656037u, 0, 0 };
    *complete = 0;
    multipart *m = multipart_create(type, PARTS_MAX, &listener, &status);
    if (!m)
        return status;
    for (size_t at = 0; at < size && status == MULTIPART_GOOD; at += piece)
        status = multipart_receive(m, (const char *)body + at, size - at < piece ? size - at : piece);
    *complete = multipart_is_complete(m);
    multipart_destroy(m);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char type[TYPE_MAX];
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;
    snprintf(type, sizeof type, "%.*s", (int)(length < TYPE_MAX ? length : TYPE_MAX - 1), (const char *)data);
    const uint8_t *body = end ? end + 1 : data + size;
    size_t body_size = size - (size_t)(body - data);
    told whole, parts;
    int whole_complete, parts_complete;
    multipart_status status = read_form(type, body, body_size, body_size ? body_size : 1, &whole, &whole_complete);
    size_t piece = 1 + fuzz_hash(data, size) % 37;
    multipart_status other = read_form(type, body, body_size, piece, &parts, &parts_complete);
    if (whole.bytes > body_size)
        fuzz_fail("a form has more content than the body has bytes");
    if (status != other || whole_complete != parts_complete ||
        (status == MULTIPART_GOOD && (whole.hash != parts.hash || whole.parts != parts.parts)))
        fuzz_fail("a form is another one when it comes in pieces");
    return 0;
}
