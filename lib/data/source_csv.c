/* A list of images in a CSV file (RFC 4180) whose first row names the columns: `path`, relative to the CSV file, and
 * `label`; others are ignored. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "data/source.h"

enum { NO_COLUMN = -1 };
static const uint64_t max_csv_bytes = (uint64_t)1 << 30;

typedef struct reader {
    const char *name;
    char *at, *end;
    size_t line;     /* of `at`, from 1 */
    bool end_of_row; /* the last field was its row's last */
} reader;

static const cnn_source_type list_type = { .read = cnn_source_read_file };

/* A quoted field's text, its quotes taken out where it stands. `at` is past the opening quote. */
static cnn_status unquote(reader *r, char **text_end)
{
    size_t first_line = r->line;
    char *to = r->at;
    for (;; r->at++) {
        if (r->at == r->end)
            return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: a quote is opened and not closed", r->name, first_line);
        if (*r->at == '"') {
            r->at++;
            if (r->at == r->end || *r->at != '"')
                break;
        }
        r->line += *r->at == '\n';
        *to++ = *r->at;
    }
    *text_end = to;
    if (r->at < r->end && *r->at != ',' && *r->at != '\r' && *r->at != '\n')
        return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: text follows a closing quote", r->name, r->line);
    return CNN_OK;
}

static void trim(char **field, char **field_end)
{
    while (*field < *field_end && isblank((unsigned char)**field))
        ++*field;
    while (*field_end > *field && isblank((unsigned char)(*field_end)[-1]))
        --*field_end;
}

/* The next field of the row as text, made where it stands; `at` moves to the next field or row. */
static cnn_status next_field(reader *r, char **field)
{
    char *text_end = r->at;
    if (r->at < r->end && *r->at == '"') {
        *field = ++r->at;
        cnn_status status = unquote(r, &text_end);
        if (status)
            return status;
    } else {
        *field = r->at;
        while (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r')
            r->at++;
        text_end = r->at;
        trim(field, &text_end);
    }
    r->end_of_row = r->at == r->end || *r->at != ',';
    if (!r->end_of_row) {
        r->at++;
    } else {
        r->at += r->at < r->end && *r->at == '\r';
        if (r->at < r->end && *r->at == '\n')
            r->line += *r->at++ == '\n';
    }
    *text_end = 0; /* at the latest where the separator was, or the zero byte after the file */
    return CNN_OK;
}

typedef struct columns {
    int path, label;
} columns;

static cnn_status read_header(reader *r, bool labels_wanted, columns *found)
{
    *found = (columns){ NO_COLUMN, NO_COLUMN };
    r->end_of_row = r->at == r->end;
    for (int column = 0; !r->end_of_row; column++) {
        char *name = NULL;
        cnn_status status = next_field(r, &name);
        if (status)
            return status;
        if (!strcasecmp(name, "path") && found->path == NO_COLUMN)
            found->path = column;
        else if (!strcasecmp(name, "label") && found->label == NO_COLUMN)
            found->label = column;
    }
    const char *missing = found->path == NO_COLUMN ? "path" : found->label == NO_COLUMN ? "label" : NULL;
    if (missing && (labels_wanted || found->path == NO_COLUMN))
        return cnn_fail(CNN_ERROR_FORMAT, "%s:1: there is no column \"%s\"; the first line names the columns", r->name,
                        missing);
    return CNN_OK;
}

static cnn_status read_row(reader *r, columns wanted, char **path, char **label)
{
    *path = *label = NULL;
    r->end_of_row = false;
    for (int column = 0; !r->end_of_row; column++) {
        char *field = NULL;
        cnn_status status = next_field(r, &field);
        if (status)
            return status;
        if (column == wanted.path)
            *path = field;
        else if (column == wanted.label)
            *label = field;
    }
    return CNN_OK;
}

static cnn_status add_row(cnn_source *source, const char *folder, const char *path, const char *label, size_t line)
{
    const char *full = cnn_source_join(source, path[0] == '/' ? "" : folder, path);
    const char *own_label = label ? cnn_source_join(source, label, "") : NULL;
    if (!full || (label && !own_label))
        return CNN_ERROR_OUT_OF_MEMORY;
    if (access(full, F_OK)) {
        char place[512];
        snprintf(place, sizeof place, "%s:%zu: %s", source->path, line, full);
        return cnn_fail_errno(place, "can't be opened");
    }
    cnn_status status = cnn_source_add(source, &source->images, full, line);
    if (!status)
        source->images.entries[source->images.count - 1].label = own_label;
    return status;
}

static cnn_status read_rows(cnn_source *source, reader *r, bool labels_wanted, const char *folder)
{
    columns wanted;
    cnn_status status = read_header(r, labels_wanted, &wanted);
    while (!status && r->at < r->end) {
        if (*r->at == '\n' || *r->at == '\r') { /* an empty line */
            r->line += *r->at++ == '\n';
            continue;
        }
        size_t line = r->line;
        char *path = NULL, *label = NULL;
        status = read_row(r, wanted, &path, &label);
        if (status)
            break;
        if (!path || !*path)
            return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: there is no path", source->path, line);
        if (labels_wanted && (!label || !*label))
            return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: there is no label", source->path, line);
        status = add_row(source, folder, path, labels_wanted ? label : NULL, line);
    }
    return status;
}

/* The folder that paths are relative to, with its slash; "" for the current one. */
static char *folder_of(cnn_source *source)
{
    char *folder = cnn_source_join(source, source->path, "");
    if (folder) {
        char *slash = strrchr(folder, '/');
        folder[slash ? slash + 1 - folder : 0] = 0;
    }
    return folder;
}

cnn_status cnn_source_open_csv(cnn_source *source, bool labels_wanted)
{
    source->type = &list_type;
    source->is_list = true;
    const char *folder = folder_of(source);
    if (!folder)
        return CNN_ERROR_OUT_OF_MEMORY;
    void *bytes = NULL;
    size_t size = 0;
    cnn_status status = cnn_file_read(source->context, source->path, max_csv_bytes, &bytes, &size);
    if (status)
        return status;
    reader r = { .name = source->path, .at = bytes, .end = (char *)bytes + size, .line = 1 };
    if (memchr(bytes, 0, size)) {
        status = cnn_fail(CNN_ERROR_FORMAT, "%s: is not text: it holds zero bytes", source->path);
    } else {
        if (size >= 3 && !memcmp(r.at, "\xEF\xBB\xBF", 3)) /* the byte order mark of Windows programs */
            r.at += 3;
        status = read_rows(source, &r, labels_wanted, folder);
    }
    cnn_release(source->context, bytes);
    return status;
}
