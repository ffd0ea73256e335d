/* Forms that browsers and others send to catdog serve: a line with the content type, then the body. What is found in it
 * must not depend on the pieces in which it comes. */
#include <stdlib.h>
#include <string.h>

#include "../../examples/catdog/serve/multipart.h"
#include "fuzz.h"

enum { MOST_PARTS = 20, MOST_FOUND = 1 << 16 };

typedef struct finds {
    char text[MOST_FOUND]; /* names and content, one after another */
    size_t size;
} finds;

static int add(void *user, const char *bytes, size_t size)
{
    finds *f = user;
    if (size > MOST_FOUND - f->size)
        return -1;
    memcpy(f->text + f->size, bytes, size);
    f->size += size;
    return 0;
}

static int begin(void *user, const char *file_name)
{
    return add(user, "|", 1) || (file_name && add(user, file_name, strlen(file_name)));
}

/* Gives whether the form was good to its end. */
static int take_apart(const char *type, const uint8_t *body, size_t size, size_t piece, finds *found)
{
    const multipart_listener listener = { begin, add, found };
    multipart_status status;
    multipart *m = multipart_create(type, MOST_PARTS, &listener, &status);
    found->size = 0;
    while (m && size && status == MULTIPART_GOOD) {
        size_t some = size < piece ? size : piece;
        status = multipart_receive(m, (const char *)body, some);
        body += some;
        size -= some;
    }
    int good = m && status == MULTIPART_GOOD && multipart_is_complete(m);
    multipart_destroy(m);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static finds whole, pieces;
    const uint8_t *end = memchr(data, '\n', size);
    size_t length = end ? (size_t)(end - data) : size;
    char *type = malloc(length + 1);
    if (!type)
        return 0;
    memcpy(type, data, length);
    type[length] = '\0';
    const uint8_t *body = data + length + (end != NULL);
    size_t body_size = size - length - (end != NULL);
    int good = take_apart(type, body, body_size, body_size, &whole);
    for (size_t piece = 1; piece <= 7; piece += 2) {
        if (take_apart(type, body, body_size, piece, &pieces) != good)
            fuzz_fail("a form is good or not by the pieces in which it comes");
        if (good && (pieces.size != whole.size || memcmp(pieces.text, whole.text, whole.size) != 0))
            fuzz_fail("a form holds something else in other pieces");
    }
    free(type);
    return 0;
}
