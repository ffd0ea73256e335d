#include "data/csv_reader.h"

#include <string.h>

#include "core/error.h"

static char find_separator(const char *text, const char *end)
{
    static const char separators[] = ",;\t|";
    size_t counts[sizeof separators] = { 0 }, best = 0;
    bool quoted = false;
    for (; text < end && (quoted || (*text != '\n' && *text != '\r')); text++) {
        const char *found = *text ? strchr(separators, *text) : NULL;
        quoted ^= *text == '"';
        if (found && !quoted)
            counts[found - separators]++;
    }
    for (size_t i = 1; i < sizeof separators - 1; i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

/* By \n, \r\n, or \r alone, as old Macintosh programs write it. A zero byte follows the text. */
static bool ends_line(const char *at)
{
    return *at == '\n' || (*at == '\r' && at[1] != '\n');
}

/* Excel's own first line names the separator: sep=; */
static void take_separator_line(cnn_csv_reader *r)
{
    char *at = r->at, *end = r->end;
    if (end - at < 5 || memcmp(at, "sep=", 4) != 0 || !at[4] || !strchr(",;\t|", at[4]))
        return;
    char separator = at[4];
    at += 5;
    if (at < end && *at != '\n' && *at != '\r')
        return;
    r->separator = separator;
    r->at = at;
}

cnn_csv_reader cnn_csv_read(const char *name, char *text, size_t size)
{
    cnn_csv_reader r = { .name = name, .at = text, .end = text + size, .line = 1 };
    if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) /* the byte order mark of Windows programs */
        r.at += 3;
    r.separator = find_separator(r.at, r.end);
    take_separator_line(&r);
    return r;
}

/* Blanks around a field don't belong to it. */
static bool is_blank(const cnn_csv_reader *r, char c)
{
    return (c == ' ' || c == '\t') && c != r->separator;
}

bool cnn_csv_next_row(cnn_csv_reader *r)
{
    for (char *at = r->at; at < r->end && (*at == '\n' || *at == '\r' || is_blank(r, *at)); at++)
        if (*at == '\n' || *at == '\r') {
            r->line += ends_line(at);
            r->at = at + 1;
        }
    while (r->at < r->end && is_blank(r, *r->at)) /* those before the first field, or before the end */
        r->at++;
    r->end_of_row = false;
    return r->at < r->end;
}

static void skip_blanks(cnn_csv_reader *r)
{
    while (r->at < r->end && is_blank(r, *r->at))
        r->at++;
}

/* A quoted field's text, its quotes taken out where it stands. `at` is past the opening quote. */
static cnn_status unquote(cnn_csv_reader *r, char **text_end)
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
        r->line += ends_line(r->at);
        *to++ = *r->at;
    }
    *text_end = to;
    skip_blanks(r);
    if (r->at < r->end && *r->at != r->separator && *r->at != '\r' && *r->at != '\n')
        return cnn_fail(CNN_ERROR_FORMAT, "%s:%zu: text follows a closing quote", r->name, r->line);
    return CNN_OK;
}

static char *trim_end(const cnn_csv_reader *r, const char *field, char *end)
{
    while (end > field && is_blank(r, end[-1]))
        end--;
    return end;
}

cnn_status cnn_csv_next_field(cnn_csv_reader *r, char **field)
{
    skip_blanks(r);
    char *text_end = r->at;
    if (r->at < r->end && *r->at == '"') {
        *field = ++r->at;
        cnn_status status = unquote(r, &text_end);
        if (status)
            return status;
    } else {
        *field = r->at;
        while (r->at < r->end && *r->at != r->separator && *r->at != '\n' && *r->at != '\r')
            r->at++;
        text_end = trim_end(r, *field, r->at);
    }
    r->end_of_row = r->at == r->end || *r->at != r->separator;
    if (!r->end_of_row) {
        r->at++;
    } else if (r->at < r->end) {
        r->at += ends_line(r->at) ? 1 : 2;
        r->line++;
    }
    *text_end = 0; /* at the latest where the separator was, or the zero byte after the file */
    return CNN_OK;
}
