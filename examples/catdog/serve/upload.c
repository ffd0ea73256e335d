#include "upload.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FORM_BUFFER = 32 << 10, LONGEST_NAME = 255 };

void refuse(refusal *why, unsigned code, const char *format, ...)
{
    va_list values;
    why->code = code;
    va_start(values, format);
    vsnprintf(why->sentence, sizeof why->sentence, format, values);
    va_end(values);
}

static void refuse_for_memory(upload *u)
{
    refuse(u->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "too much is being sent at once; try again in a moment");
}

/* The name without the folders that some clients leave before it, of a length that can be shown. */
static const char *base_name(const char *path, char *name, size_t size)
{
    const char *start = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' || *c == '\\')
            start = c + 1;
    snprintf(name, size, "%s", start);
    return name;
}

static int begin_file(upload *u, const char *path)
{
    char name[LONGEST_NAME + 1];
    if (u->photographs->count == u->limits->photographs) {
        refuse(u->refusal, MHD_HTTP_CONTENT_TOO_LARGE, "there are more than %llu photographs in the request",
               (unsigned long long)u->limits->photographs);
        return -1;
    }
    u->current = photographs_add(u->photographs, base_name(path, name, sizeof name));
    if (!u->current)
        refuse_for_memory(u);
    return u->current ? 0 : -1;
}

/* Fields without a file name aren't files. Browsers send one without name and content where no file was chosen. */
static enum MHD_Result take_form_data(void *user, enum MHD_ValueKind kind, const char *key, const char *file_name,
                                      const char *content_type, const char *transfer_encoding, const char *data,
                                      uint64_t offset, size_t size)
{
    (void)kind, (void)key, (void)content_type, (void)transfer_encoding;
    upload *u = user;
    if (offset == 0) {
        u->current = NULL;
        if (file_name && (*file_name || size) && begin_file(u, file_name))
            return MHD_NO;
    }
    if (u->current && size && photograph_append(u->current, data, size)) {
        refuse_for_memory(u);
        return MHD_NO;
    }
    return MHD_YES;
}

static void begin_form(upload *u, struct MHD_Connection *connection)
{
    u->form = MHD_create_post_processor(connection, FORM_BUFFER, take_form_data, u);
    if (!u->form)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form has no boundary: it can't be read");
}

/* How a content type begins, whatever its letters' case and its parameters. */
static int is_type(const char *type, const char *start)
{
    return !strncasecmp(type, start, strlen(start));
}

static void begin_by_type(upload *u, struct MHD_Connection *connection)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && is_type(type, "multipart/form-data")) {
        begin_form(u, connection);
    } else if (!type || is_type(type, "image/") || is_type(type, "application/octet-stream")) {
        u->current = photographs_add(u->photographs, NULL);
        if (!u->current)
            refuse_for_memory(u);
    } else {
        refuse(u->refusal, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
               "send photographs as multipart/form-data, or one as image/jpeg or image/png");
    }
}

void upload_begin(upload *u, struct MHD_Connection *connection, const serve_limits *limits, photographs *all,
                  refusal *why)
{
    *u = (upload){ .limits = limits, .photographs = all, .refusal = why };
    begin_by_type(u, connection);
}

void upload_receive(upload *u, const char *data, size_t size)
{
    u->received = 1;
    if (!u->form && photograph_append(u->current, data, size))
        refuse_for_memory(u);
    else if (u->form && MHD_post_process(u->form, data, size) != MHD_YES && !u->refusal->code)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form is broken: it can't be read");
}

static int is_sound(const upload *u, photograph *one)
{
    cnn_image_info info = { .struct_size = sizeof info };
    cnn_status status = cnn_image_probe(one->size ? (const void *)one->bytes : "", one->size, NULL, &info);
    if (status) {
        photograph_refuse(one, status, cnn_last_error());
    } else if ((uint64_t)info.width * info.height > u->limits->pixels) {
        char sentence[160];
        snprintf(sentence, sizeof sentence, "%u x %u pixels are more than the %.6g megapixels that this server takes",
                 info.width, info.height, 1e-6 * (double)u->limits->pixels);
        photograph_refuse(one, CNN_ERROR_LIMIT, sentence);
    }
    return !one->prediction.status;
}

size_t upload_end(upload *u)
{
    if (u->form && !u->refusal->code) {
        struct MHD_PostProcessor *form = u->form;
        u->form = NULL;
        if (MHD_destroy_post_processor(form) != MHD_YES)
            refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form ends in the middle");
    }
    if (!u->refusal->code && !u->received)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the request has no body: there is no photograph");
    if (!u->refusal->code && !u->photographs->count)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "there is no file in the form");
    size_t sound = 0;
    for (size_t i = 0; i < u->photographs->count && !u->refusal->code; i++)
        sound += is_sound(u, u->photographs->items[i]);
    return sound;
}

void upload_release(upload *u)
{
    if (u->form)
        MHD_destroy_post_processor(u->form);
    u->form = NULL;
}
