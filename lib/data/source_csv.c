/* A list of images in a text file of rows, whose first names the columns. */
#include <stdio.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/os.h"
#include "data/csv_columns.h"
#include "data/file_name.h"
#include "data/source.h"
#include "data/utf8.h"
#include "image/format.h"

enum { EXTENSIONS = 6 };
static const uint64_t max_csv_bytes = (uint64_t)1 << 30;

typedef struct list {
    cnn_source *source;
    cnn_csv_reader reader;
    const char *folder; /* that paths are relative to, with its slash; "" for the current one */
    bool labels_wanted;
    bool split_is_flag; /* True is for validation, False for training */
    int extension;      /* the last that a name without one was found with */
    size_t parts;       /* rows whose split names a part, */
    size_t other_parts; /* and those whose split doesn't; the first of them: */
    size_t other_line;
    const char *other_text;
} list;

static const cnn_source_type list_type = { .read = cnn_source_read_file };

/* A comma that ends a row makes an empty field, which loses nothing; a comma in a name that has no quotes does. */
static cnn_status fail_surplus(const cnn_csv_reader *r, const cnn_csv_columns *columns, size_t line, const char *field)
{
    return cnn_fail(CNN_ERROR_FORMAT,
                    "%s:%zu: there are more fields than the first line's %d columns, such as \"%s\"; a field with "
                    "a %s in it stands between quotes",
                    r->name, line, columns->count, field,
                    r->separator == ','   ? "comma"
                    : r->separator == ';' ? "semicolon"
                                          : "separator");
}

static cnn_status read_row(cnn_csv_reader *r, const cnn_csv_columns *columns, char *fields[CNN_CSV_COLUMNS])
{
    size_t line = r->line;
    for (int kind = 0; kind < CNN_CSV_COLUMNS; kind++)
        fields[kind] = NULL;
    for (int column = 0; !r->end_of_row; column++) {
        char *field = NULL;
        cnn_status status = cnn_csv_next_field(r, &field);
        if (!status && column >= columns->count && *field)
            status = fail_surplus(r, columns, line, field);
        if (status)
            return status;
        for (int kind = 0; kind < CNN_CSV_COLUMNS; kind++)
            if (column == columns->at[kind])
                fields[kind] = field;
    }
    return CNN_OK;
}

/* A list may name images without their extensions: `path`, or that of the image which lies there. NULL without memory.
 */
static const char *find_image(list *l, const char *path)
{
    static const char *const extensions[EXTENSIONS] = { ".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG" };
    if (cnn_image_has_extension(cnn_name_extension(path), NULL))
        return path;
    size_t length = strlen(path), room = length + sizeof ".jpeg";
    char *longer = cnn_source_text(l->source, room);
    if (!longer)
        return NULL;
    for (int i = 0; i < EXTENSIONS; i++) { /* the last one that was found comes first */
        int candidate = (l->extension + i) % EXTENSIONS;
        snprintf(longer, room, "%s%s", path, extensions[candidate]);
        if (cnn_os_exists(longer)) {
            l->extension = candidate;
            return longer;
        }
    }
    return path;
}

/* In full, with / where lists from Windows have \. */
static const char *full_path(list *l, char *path)
{
    if (!strchr(path, '/'))
        for (char *at = strchr(path, '\\'); at; at = strchr(at, '\\'))
            *at = '/';
    const char *full = cnn_source_join(l->source, path[0] == '/' ? "" : l->folder, path);
    return full ? find_image(l, full) : NULL;
}

/* fastai's is_valid. False if it is neither True nor False. */
static bool read_flag(const char *text, cnn_role *role)
{
    static const char *const yes[] = { "True", "true", "TRUE", "1" }, *const no[] = { "False", "false", "FALSE", "0" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
            *role = strcmp(text, yes[i]) ? CNN_ROLE_TRAINING : CNN_ROLE_VALIDATION;
            return true;
        }
    }
    return false;
}

static bool read_role(const list *l, const char *split, cnn_role *role)
{
    if (l->split_is_flag)
        return read_flag(split, role);
    return cnn_part_of_name(split, strlen(split), role) != CNN_PART_MATCH_NONE;
}

/* A row that leaves the split out is for training. */
static cnn_status note_split(list *l, cnn_entry *entry, const char *split, size_t line)
{
    entry->role = CNN_ROLE_TRAINING;
    if (!*split)
        return CNN_OK;
    if (read_role(l, split, &entry->role)) {
        l->parts++;
        return CNN_OK;
    }
    if (l->other_parts++)
        return CNN_OK;
    l->other_line = line;
    l->other_text = cnn_source_join(l->source, split, "");
    return l->other_text ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

static bool is_text(const char *bytes)
{
    return cnn_is_utf8(bytes, strlen(bytes));
}

/* In another encoding, labels would get other names, and paths would lead nowhere; but files may be named by any bytes.
 */
static cnn_status check_encoding(const list *l, const char *field, const char *path, const char *label, size_t line)
{
    if ((!label || is_text(label)) && (is_text(field) || cnn_os_exists(path)))
        return CNN_OK;
    return cnn_fail(CNN_ERROR_FORMAT,
                    "%s:%zu: is not text in UTF-8, but in Latin-1, Windows-1252 or the like; save it as CSV in UTF-8",
                    l->source->path, line);
}

static cnn_status add_row(list *l, char *const fields[CNN_CSV_COLUMNS], size_t line)
{
    cnn_source *source = l->source;
    const char *label = l->labels_wanted ? fields[CNN_CSV_LABEL] : NULL;
    const char *path = full_path(l, fields[CNN_CSV_PATH]);
    const char *own_label = label ? cnn_source_join(source, label, "") : NULL;
    if (!path || (label && !own_label))
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = check_encoding(l, fields[CNN_CSV_PATH], path, label, line);
    if (!status)
        status = cnn_source_add(source, &source->images, path, line);
    if (status)
        return status;
    cnn_entry *entry = &source->images.entries[source->images.count - 1];
    entry->label = own_label;
    return fields[CNN_CSV_SPLIT] ? note_split(l, entry, fields[CNN_CSV_SPLIT], line) : CNN_OK;
}

static cnn_status read_rows(list *l, const cnn_csv_columns *columns)
{
    cnn_status status = CNN_OK;
    while (!status && cnn_csv_next_row(&l->reader)) {
        size_t line = l->reader.line;
        char *fields[CNN_CSV_COLUMNS];
        status = read_row(&l->reader, columns, fields);
        if (status)
            break;
        if (!fields[CNN_CSV_PATH] || !*fields[CNN_CSV_PATH])
            return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: there is no path", l->source->path, line);
        if (l->labels_wanted && (!fields[CNN_CSV_LABEL] || !*fields[CNN_CSV_LABEL]))
            return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: there is no label", l->source->path, line);
        status = add_row(l, fields, line);
    }
    return status;
}

/* A column may be named as if it divided the list, and mean something else. */
static cnn_status divide(list *l)
{
    cnn_source *source = l->source;
    if (l->parts && l->other_parts)
        return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: the split \"%s\" is no part; parts are train, valid and test",
                        source->path, l->other_line, l->other_text);
    if (l->other_parts)
        cnn_log(source->context, CNN_LOG_WARNING,
                "%s: isn't divided by its split \"%s\": parts are named train, valid and test", source->path,
                l->other_text);
    size_t training = 0;
    for (size_t i = 0; i < source->images.count && l->parts; i++)
        training += source->images.entries[i].role == CNN_ROLE_TRAINING;
    source->is_divided = training && training < source->images.count;
    if (l->parts && !source->is_divided)
        cnn_log(source->context, CNN_LOG_WARNING,
                "%s: isn't divided, though its rows have a split: all of them are in one part%s", source->path,
                training ? "" : ", which isn't train; whatever is done with it uses them all");
    return CNN_OK;
}

/* A single missing file is verification's business; where all are, it is the paths that are wrong. */
static cnn_status check_files(const cnn_source *source)
{
    const cnn_entry *images = source->images.entries;
    for (size_t i = 0; i < source->images.count; i++)
        if (cnn_os_exists(images[i].path))
            return CNN_OK;
    if (!source->images.count)
        return CNN_OK;
    return cnn_fail(CNN_ERROR_IO,
                    "%s: none of its %zu files is there; the first, in line %llu, would be %s: paths are relative to "
                    "the list",
                    source->path, source->images.count, (unsigned long long)images[0].locator, images[0].path);
}

static char *folder_of(cnn_source *source)
{
    char *folder = cnn_source_join(source, source->path, "");
    if (folder) {
        char *slash = strrchr(folder, '/');
        folder[slash ? slash + 1 - folder : 0] = 0;
    }
    return folder;
}

static cnn_status read_list(list *l)
{
    cnn_csv_columns columns;
    cnn_status status = cnn_csv_read_columns(&l->reader, l->labels_wanted, &columns);
    l->split_is_flag = !status && columns.split_is_flag;
    if (!status)
        status = read_rows(l, &columns);
    if (!status && l->labels_wanted)
        status = divide(l);
    if (!status && l->labels_wanted)
        status = check_files(l->source);
    return status;
}

cnn_status cnn_source_open_csv(cnn_source *source, bool labels_wanted)
{
    source->type = &list_type;
    source->is_list = true;
    list l = { .source = source, .labels_wanted = labels_wanted, .folder = folder_of(source) };
    if (!l.folder)
        return CNN_ERROR_OUT_OF_MEMORY;
    void *bytes = NULL;
    size_t size = 0;
    cnn_status status = cnn_file_read(source->context, source->path, max_csv_bytes, &bytes, &size);
    if (status)
        return status;
    if (memchr(bytes, 0, size)) {
        status = cnn_fail(CNN_ERROR_FORMAT, "%s: is not text in UTF-8: it holds zero bytes; save it as CSV in UTF-8",
                          source->path);
    } else {
        l.reader = cnn_csv_read(source->path, bytes, size);
        status = read_list(&l);
    }
    cnn_release(source->context, bytes);
    return status;
}
