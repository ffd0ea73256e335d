#include "data/csv_columns.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

enum { NO_COLUMN = -1, LISTED = 400 };

/* In lower case and without blanks, dots, dashes and underscores; what comes first is taken before what follows. */
static const char *const names[CNN_CSV_COLUMNS][32] = {
    [CNN_CSV_PATH] = { "path",      "paths",   "filepath", "filepaths",  "imagepath", "imgpath",   "filename",
                       "filenames", "file",    "files",    "imagename",  "imagefile", "imgname",   "image",
                       "images",    "img",     "photo",    "photograph", "picture",   "photoname", "imageid",
                       "imgid",     "photoid", "id",       "name",       NULL },
    [CNN_CSV_LABEL] = { "label",     "labels",   "class",      "classes",      "classname",
                        "labelname", "category", "categories", "categoryname", "breed",
                        "species",   "target",   "tag",        "kind",         "type",
                        "y",         "classid",  "labelid",    "categoryid",   NULL },
    [CNN_CSV_SPLIT] = { "split", "splits", "set", "dataset", "subset", "partition", "part", "fold", "usage", "isvalid",
                        NULL },
};

/* "File_Name " → "filename" */
static void normalize(const char *name, char *to, size_t size)
{
    size_t used = 0;
    for (; *name && used + 1 < size; name++)
        if (!strchr(" \t._-", *name))
            to[used++] = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;
    to[used] = 0;
}

/* Its place among the names of a kind of column; INT_MAX: none of them. */
static int rank_of(const char *name, cnn_csv_column kind)
{
    char plain[32];
    normalize(name, plain, sizeof plain);
    for (int i = 0; names[kind][i]; i++)
        if (!strcmp(names[kind][i], plain))
            return i;
    return INT_MAX;
}

/* Notes the columns for the message if one is missing: "a", "b" */
static void list_column(char *list, size_t *used, const char *name)
{
    if (*used + strlen(name) + 8 < LISTED)
        *used += (size_t)snprintf(list + *used, LISTED - *used, "%s\"%s\"", *used ? ", " : "", name);
}

static cnn_status fail_without(const cnn_csv_reader *r, size_t line, cnn_csv_column missing, const char *list)
{
    static const char *const remedies[] = {
        [CNN_CSV_PATH] = "call the one with the files path (filename, image and id are understood, too)",
        [CNN_CSV_LABEL] = "call the one with the classes label (class, category and breed are understood, too)",
    };
    return cnn_fail(CNN_ERROR_FORMAT,
                    "%s:%zu: there is no column \"%s\"; the first line names the columns, and has %s: %s", r->name,
                    line, missing == CNN_CSV_PATH ? "path" : "label", *list ? list : "none", remedies[missing]);
}

static cnn_status fail_twice(const cnn_csv_reader *r, size_t line, cnn_csv_column kind, const char *list)
{
    static const char *const what[] = { "files", "classes", "parts" };
    return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: two columns of the same name could hold the %s; the first line has %s",
                    r->name, line, what[kind], list);
}

cnn_status cnn_csv_read_columns(cnn_csv_reader *r, bool labels_wanted, cnn_csv_columns *columns)
{
    char list[LISTED] = "";
    size_t used = 0;
    int best[CNN_CSV_COLUMNS];
    bool twice[CNN_CSV_COLUMNS] = { false };
    for (int kind = 0; kind < CNN_CSV_COLUMNS; kind++) {
        columns->at[kind] = NO_COLUMN;
        best[kind] = INT_MAX;
    }
    columns->count = 0;
    columns->split_is_flag = false;
    r->end_of_row = !cnn_csv_next_row(r);
    size_t line = r->line;
    for (int column = 0; !r->end_of_row; column++) {
        char *name = NULL;
        cnn_status status = cnn_csv_next_field(r, &name);
        if (status)
            return status;
        columns->count++;
        list_column(list, &used, name);
        for (int kind = 0; kind < CNN_CSV_COLUMNS; kind++) {
            int rank = rank_of(name, (cnn_csv_column)kind);
            if (rank <= best[kind] && rank != INT_MAX)
                twice[kind] = rank == best[kind];
            if (rank < best[kind]) {
                best[kind] = rank;
                columns->at[kind] = column;
                columns->split_is_flag =
                    kind == CNN_CSV_SPLIT ? !strcmp(names[kind][rank], "isvalid") : columns->split_is_flag;
            }
        }
    }
    for (int kind = 0; kind < CNN_CSV_COLUMNS; kind++)
        if (twice[kind])
            return fail_twice(r, line, (cnn_csv_column)kind, list);
    if (columns->at[CNN_CSV_PATH] == NO_COLUMN)
        return fail_without(r, line, CNN_CSV_PATH, list);
    if (columns->at[CNN_CSV_LABEL] == NO_COLUMN && labels_wanted)
        return fail_without(r, line, CNN_CSV_LABEL, list);
    return CNN_OK;
}
