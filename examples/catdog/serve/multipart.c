#include "serve/multipart.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/parameters.h"

enum { LONGEST_BOUNDARY = 70, LONGEST_PADDING = 64, LONGEST_HEAD = 16 << 10 };

typedef enum multipart_state {
    IN_PREAMBLE, /* before the first boundary */
    IN_HEAD,     /* of a part */
    IN_CONTENT,
    IN_EPILOGUE /* after the last boundary */
} multipart_state;

struct multipart {
    multipart_listener listener;
    multipart_state state;
    size_t parts, most_parts;
    int has_returns; /* lines end in \r\n, not in \n alone */
    char delimiter[LONGEST_BOUNDARY + 4];
    size_t delimiter_size; /* "\n--" and the boundary */
    char *buffer;          /* bytes that came and aren't done with */
    size_t used, capacity;
    size_t search; /* the buffer has no relevant line end before this place */
    size_t start;  /* of a header's lines, or of content not yet passed on; may be one past `search` */
};

static multipart_status set_boundary(multipart *m, const char *content_type)
{
    char *boundary = malloc(strlen(content_type) + 1);
    if (!boundary)
        return MULTIPART_NO_MEMORY;
    size_t length = parameters_find(content_type, "boundary", boundary) ? strlen(boundary) : 0;
    if (length && length <= LONGEST_BOUNDARY) {
        memcpy(m->delimiter, "\n--", 3);
        memcpy(m->delimiter + 3, boundary, length);
        m->delimiter_size = length + 3;
    }
    free(boundary);
    return MULTIPART_GOOD;
}

static int append(multipart *m, const char *bytes, size_t size)
{
    if (size > m->capacity - m->used) {
        char *buffer = realloc(m->buffer, m->used + size);
        if (!buffer)
            return -1;
        m->buffer = buffer;
        m->capacity = m->used + size;
    }
    memcpy(m->buffer + m->used, bytes, size);
    m->used += size;
    return 0;
}

multipart *multipart_create(const char *content_type, size_t most_parts, const multipart_listener *listener,
                            multipart_status *status)
{
    multipart *m = calloc(1, sizeof *m);
    *status = m ? set_boundary(m, content_type) : MULTIPART_NO_MEMORY;
    /* Every boundary follows a line end, even the first. */
    if (*status == MULTIPART_GOOD && m->delimiter_size && append(m, "\r\n", 2))
        *status = MULTIPART_NO_MEMORY;
    if (*status == MULTIPART_GOOD && m->delimiter_size) {
        m->listener = *listener;
        m->most_parts = most_parts;
        m->start = 2;
        return m;
    }
    multipart_destroy(m);
    return NULL;
}

void multipart_destroy(multipart *m)
{
    if (!m)
        return;
    free(m->buffer);
    free(m);
}

int multipart_is_complete(const multipart *m)
{
    return m->state == IN_EPILOGUE;
}

/* Where the content that was found ends, and the line with the boundary. */
typedef struct boundary_line {
    size_t content_end;
    size_t line_end; /* the place of its \n; for the last boundary, which needs none, the place after it */
    int is_last, has_return;
} boundary_line;

typedef enum boundary_found { BOUNDARY_FOUND, BOUNDARY_NONE, BOUNDARY_UNKNOWN } boundary_found;

/* Whether the delimiter at `place` is a boundary: another one may begin with the same letters. Unknown: the rest of the
 * line isn't there. */
static boundary_found look_at_delimiter(const multipart *m, size_t place, boundary_line *line)
{
    const char *end = m->buffer + m->used, *c = m->buffer + place + m->delimiter_size;
    *line = (boundary_line){ .content_end = place };
    int after_return = place > 0 && m->buffer[place - 1] == '\r';
    if (m->state == IN_CONTENT && m->has_returns) {
        if (!after_return)
            return BOUNDARY_NONE;
        line->content_end--;
    }
    if (end - c >= 2 && c[0] == '-' && c[1] == '-') {
        line->is_last = 1;
        line->line_end = place + m->delimiter_size + 2;
        return BOUNDARY_FOUND;
    }
    const char *padding_end = end - c > LONGEST_PADDING ? c + LONGEST_PADDING : end;
    while (c < padding_end && (*c == ' ' || *c == '\t'))
        c++;
    line->has_return = c < end && *c == '\r';
    c += line->has_return;
    if (c >= end || (end - c == 1 && *c == '-'))
        return BOUNDARY_UNKNOWN;
    line->line_end = (size_t)(c - m->buffer);
    return *c == '\n' ? BOUNDARY_FOUND : BOUNDARY_NONE;
}

static int hand_over(multipart *m, size_t end)
{
    if (end <= m->start)
        return 0;
    int stopped = m->state == IN_CONTENT && m->listener.content(m->listener.user, m->buffer + m->start, end - m->start);
    m->start = end;
    return stopped;
}

static multipart_status begin_head(multipart *m, const boundary_line *line)
{
    if (m->state == IN_PREAMBLE)
        m->has_returns = line->has_return;
    m->state = line->is_last ? IN_EPILOGUE : IN_HEAD;
    m->start = m->search = line->line_end;
    return !line->is_last && ++m->parts > m->most_parts ? MULTIPART_MANY_PARTS : MULTIPART_GOOD;
}

/* Looks for a boundary from `search` on. `search` moves to it, to the start of a possible one, or to the end. */
static boundary_found find_boundary(multipart *m, boundary_line *line)
{
    const char *found;
    while ((found = memchr(m->buffer + m->search, '\n', m->used - m->search)) != NULL) {
        m->search = (size_t)(found - m->buffer);
        size_t left = m->used - m->search, compared = left < m->delimiter_size ? left : m->delimiter_size;
        if (!memcmp(found, m->delimiter, compared)) {
            boundary_found is = compared < m->delimiter_size ? BOUNDARY_UNKNOWN : look_at_delimiter(m, m->search, line);
            if (is != BOUNDARY_NONE)
                return is;
        }
        m->search++;
    }
    m->search = m->used;
    return BOUNDARY_NONE;
}

/* Hands over content up to the next boundary, or as much as can't belong to one. `*more`: the rest is needed. */
static multipart_status pass_content(multipart *m, int *more)
{
    boundary_line line;
    if (find_boundary(m, &line) == BOUNDARY_FOUND)
        return hand_over(m, line.content_end) ? MULTIPART_STOPPED : begin_head(m, &line);
    *more = 1;
    size_t safe = m->search > 0 ? m->search - 1 : 0; /* without the \r that may belong to it */
    return hand_over(m, safe) ? MULTIPART_STOPPED : MULTIPART_GOOD;
}

/* The length of a line, with the lines that continue it (RFC 5322's folding). */
static size_t line_length(const char *line)
{
    size_t length = strcspn(line, "\n");
    while (line[length] && (line[length + 1] == ' ' || line[length + 1] == '\t'))
        length += 1 + strcspn(line + length + 1, "\n");
    return length;
}

/* The value of a head's Content-Disposition, with a 0 after it; NULL: there is none. */
static char *find_disposition(char *head)
{
    static const char name[] = "Content-Disposition";
    while (*head) {
        size_t length = line_length(head);
        char *value = head + sizeof name - 1, *next = head + length + (head[length] != 0);
        if (length >= sizeof name && !strncasecmp(head, name, sizeof name - 1)) {
            value += strspn(value, " \t");
            if (*value == ':') {
                head[length - (head[length - 1] == '\r')] = 0;
                return value + 1;
            }
        }
        head = next;
    }
    return NULL;
}

/* `name` holds as many bytes as `disposition`. */
static int find_file_name(const char *disposition, char *name)
{
    if (parameters_find(disposition, "filename*", name) && parameters_decode_extended(name))
        return 1;
    if (!parameters_find(disposition, "filename", name))
        return 0;
    parameters_decode_quoted(name);
    return 1;
}

static multipart_status begin_part(multipart *m, const char *bytes, size_t size)
{
    char *head = malloc(2 * (size + 1));
    if (!head)
        return MULTIPART_NO_MEMORY;
    for (size_t i = 0; i < size; i++)
        head[i] = bytes[i] ? bytes[i] : '?';
    head[size] = 0;
    char *name = head + size + 1;
    const char *disposition = find_disposition(head);
    int is_file = disposition && find_file_name(disposition, name);
    int stopped = m->listener.begin(m->listener.user, is_file ? name : NULL);
    free(head);
    return stopped ? MULTIPART_STOPPED : MULTIPART_GOOD;
}

/* A head ends with an empty line. `start` is at the \n of the line before it. `*more`: the rest is needed. */
static multipart_status pass_head(multipart *m, int *more)
{
    for (;;) {
        const char *line = memchr(m->buffer + m->search, '\n', m->used - m->search);
        size_t place = line ? (size_t)(line - m->buffer) : m->used, next = place + 1;
        next += next < m->used && m->buffer[next] == '\r';
        if (place - m->start > LONGEST_HEAD)
            return MULTIPART_LONG_HEAD;
        if (next >= m->used) {
            m->search = place;
            *more = 1;
            return MULTIPART_GOOD;
        }
        if (m->buffer[next] == '\n') {
            multipart_status status = begin_part(m, m->buffer + m->start + 1, place > m->start ? place - m->start : 0);
            m->state = IN_CONTENT;
            m->search = next; /* the boundary may follow at once */
            m->start = next + 1;
            return status;
        }
        m->search = place + 1;
    }
}

/* Drops processed bytes, except the byte before `search`, which may be a boundary's \r. */
static void compact(multipart *m)
{
    size_t done = m->search ? m->search - 1 : 0;
    done = m->start < done ? m->start : done;
    memmove(m->buffer, m->buffer + done, m->used - done);
    m->used -= done;
    m->search -= done;
    m->start -= done;
}

multipart_status multipart_receive(multipart *m, const char *bytes, size_t size)
{
    multipart_status status = MULTIPART_GOOD;
    int more = 0;
    if (m->state == IN_EPILOGUE)
        return MULTIPART_GOOD;
    if (append(m, bytes, size))
        return MULTIPART_NO_MEMORY;
    while (!more && status == MULTIPART_GOOD && m->state != IN_EPILOGUE)
        status = m->state == IN_HEAD ? pass_head(m, &more) : pass_content(m, &more);
    compact(m);
    return status;
}
