#include "serve/head.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Sums over the fields of a header. */
typedef struct field_sums {
    size_t size; /* as they were sent, if they were sent as they are here */
    int hosts, origins, lengths, encodings, other_encodings, broken;
} field_sums;

/* Letters, digits and the marks that RFC 9110 allows in a field's name. */
static int is_token(const char *text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (const char *c = text; *c; c++)
        if (!((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') && !(*c >= '0' && *c <= '9') && !strchr(marks, *c))
            return 0;
    return *text != 0;
}

static int has_control_characters(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return 1;
    return 0;
}

/* The number of blanks between the colon and a value. Both lie where they were received, unless a value was put
 * together from several lines. -1: they don't. */
static int count_blanks(const char *key, const char *value)
{
    enum { MOST = 16 };
    const char *start = key + strlen(key) + 1;
    if ((uintptr_t)value < (uintptr_t)start || (uintptr_t)value > (uintptr_t)start + MOST)
        return -1;
    int blanks = (int)((uintptr_t)value - (uintptr_t)start);
    for (int i = 0; i < blanks; i++)
        if (start[i] != ' ' && start[i] != '\t')
            return -1;
    return blanks;
}

static enum MHD_Result add_field(void *user, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    field_sums *sums = user;
    int blanks = value ? count_blanks(key, value) : -1;
    sums->broken |= blanks < 0 || !is_token(key) || has_control_characters(value);
    if (blanks >= 0)
        sums->size += strlen(key) + 1 + (size_t)blanks + strlen(value) + 2;
    sums->hosts += !strcasecmp(key, MHD_HTTP_HEADER_HOST);
    sums->origins += !strcasecmp(key, MHD_HTTP_HEADER_ORIGIN);
    sums->lengths += !strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        sums->encodings++;
        sums->other_encodings += value && strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

/* Lines that were folded, bytes of value 0 and line ends of \n alone can't be seen in the fields; but the head is then
 * longer, or shorter, than they are. */
const char *head_fault(struct MHD_Connection *http, const char *method, const char *version, size_t uri_size)
{
    field_sums sums = { .size = strlen(method) + 1 + uri_size + 1 + strlen(version) + 2 + 2 };
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    MHD_get_connection_values(http, MHD_HEADER_KIND, add_field, &sums);
    if (sums.hosts > 1)
        return "the request has more than one Host header";
    if (!sums.hosts && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return "the request has no Host header";
    if (sums.origins > 1)
        return "the request has more than one Origin header";
    if (sums.lengths + sums.encodings > 1)
        return "the length of the body is stated more than once";
    if (sums.other_encodings)
        return "the only supported transfer encoding is chunked";
    if (sums.broken || !info || info->header_size != sums.size)
        return "a header line of the request violates HTTP/1.1";
    return NULL;
}

const char *head_path(struct MHD_Connection *http, const char *address)
{
    const char *host = MHD_lookup_connection_value(http, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    size_t scheme = !strncasecmp(address, "http://", 7) ? 7 : !strncasecmp(address, "https://", 8) ? 8 : 0;
    if (!scheme)
        return address;
    const char *authority = address + scheme;
    size_t length = strcspn(authority, "/");
    if (host && (strlen(host) != length || strncasecmp(host, authority, length) != 0))
        return NULL;
    return authority[length] ? authority + length : "/";
}
