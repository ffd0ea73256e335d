#include "serve/upload.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 255 };

void refuse(refusal *why, unsigned code, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(why->sentence, sizeof why->sentence, format, values);
    va_end(values);
    why->code = code;
}

static void refuse_for_memory(upload *u)
{
    refuse(u->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is receiving too much at once; try again in a moment");
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
        refuse(u->refusal, MHD_HTTP_CONTENT_TOO_LARGE, "the request has more than %llu photographs",
               (unsigned long long)u->limits->photographs);
        return -1;
    }
    u->current = photographs_add(u->photographs, base_name(path, name, sizeof name));
    if (!u->current)
        refuse_for_memory(u);
    return u->current ? 0 : -1;
}

/* Fields without a file name aren't files. Browsers send one without name and content where no file was chosen. */
static int begin_part(void *user, const char *file_name)
{
    upload *u = user;
    u->current = NULL;
    u->may_be_nothing = file_name && !*file_name;
    return file_name && *file_name ? begin_file(u, file_name) : 0;
}

static int take_content(void *user, const char *bytes, size_t size)
{
    upload *u = user;
    if (u->may_be_nothing) {
        u->may_be_nothing = 0;
        if (begin_file(u, ""))
            return -1;
    }
    if (!u->current || !photograph_append(u->current, bytes, size))
        return 0;
    refuse_for_memory(u);
    return -1;
}

/* Forms have some fields beside their files, but not many. */
static size_t most_parts(const serve_limits *limits)
{
    return (size_t)limits->photographs + 100;
}

static void refuse_form(upload *u, multipart_status status)
{
    switch (status) {
    case MULTIPART_LONG_HEAD:
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form is invalid: the header of a part does not end");
        break;
    case MULTIPART_MANY_PARTS:
        refuse(u->refusal, MHD_HTTP_CONTENT_TOO_LARGE, "the form has more than %zu parts", most_parts(u->limits));
        break;
    case MULTIPART_NO_MEMORY: refuse_for_memory(u); break;
    case MULTIPART_GOOD:
    case MULTIPART_STOPPED: break;
    }
}

static void begin_form(upload *u, const char *content_type)
{
    const multipart_listener listener = { begin_part, take_content, u };
    multipart_status status;
    u->form = multipart_create(content_type, most_parts(u->limits), &listener, &status);
    if (!u->form && status == MULTIPART_GOOD)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form is invalid: it has no boundary");
    refuse_form(u, status);
}

/* Whether a content type is this one, whatever its letters' case and its parameters. */
static int is_type(const char *type, const char *name)
{
    size_t length = strlen(name);
    return !strncasecmp(type, name, length) && strchr("; \t", type[length]);
}

static int is_image(const char *type)
{
    return !strncasecmp(type, "image/", 6);
}

static void begin_by_type(upload *u, struct MHD_Connection *connection)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && is_type(type, "multipart/form-data")) {
        begin_form(u, type);
    } else if (!type || is_image(type) || is_type(type, "application/octet-stream")) {
        u->current = photographs_add(u->photographs, NULL);
        if (!u->current)
            refuse_for_memory(u);
    } else {
        refuse(u->refusal, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
               "send photographs as multipart/form-data, or one as image/jpeg or image/png");
    }
}

void upload_begin(upload *u, struct MHD_Connection *connection, const serve_limits *limits, const cnn_preprocess *input,
                  photographs *all, refusal *why)
{
    *u = (upload){ .limits = limits, .input = input, .photographs = all, .refusal = why };
    begin_by_type(u, connection);
}

void upload_receive(upload *u, const char *data, size_t size)
{
    u->received = 1;
    if (u->form)
        refuse_form(u, multipart_receive(u->form, data, size));
    else if (photograph_append(u->current, data, size))
        refuse_for_memory(u);
}

static void refuse_for_pixels(const upload *u, photograph *one, const cnn_image_info *info)
{
    char sentence[160];
    snprintf(sentence, sizeof sentence, "is %u x %u pixels; this server's limit is %.6g megapixels", info->width,
             info->height, 1e-6 * (double)u->limits->pixels);
    photograph_refuse(one, CNN_ERROR_LIMIT, sentence);
}

static void refuse_for_decoding(const upload *u, photograph *one, const cnn_image_info *info)
{
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "takes up to %.0f MB to decode its %u x %u pixels; this server's limit is %.0f MB",
             (double)one->cost.bytes / (1 << 20), info->width, info->height,
             (double)serve_slow_bytes(u->limits) / (1 << 20));
    photograph_refuse(one, CNN_ERROR_LIMIT, sentence);
}

static int is_sound(const upload *u, photograph *one)
{
    cnn_image_info info = { .struct_size = sizeof info };
    cnn_status status = cnn_image_probe(one->size ? (const void *)one->bytes : "", one->size, NULL, &info);
    if (status) {
        photograph_refuse(one, status, cnn_last_error());
        return 0;
    }
    one->cost = decode_cost_of(one->bytes, one->size, &info, u->input);
    if ((uint64_t)info.width * info.height > u->limits->pixels)
        refuse_for_pixels(u, one, &info);
    else if (one->cost.bytes > serve_slow_bytes(u->limits))
        refuse_for_decoding(u, one, &info);
    return !one->prediction.status;
}

size_t upload_end(upload *u)
{
    if (u->form && !u->refusal->code && u->received && !multipart_is_complete(u->form))
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form is incomplete");
    if (!u->refusal->code && !u->received)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the request has no body, so there is no photograph");
    if (!u->refusal->code && !u->photographs->count)
        refuse(u->refusal, MHD_HTTP_BAD_REQUEST, "the form has no file");
    size_t sound = 0;
    for (size_t i = 0; i < u->photographs->count && !u->refusal->code; i++)
        sound += is_sound(u, u->photographs->items[i]);
    return sound;
}

void upload_release(upload *u)
{
    multipart_destroy(u->form);
    u->form = NULL;
}
