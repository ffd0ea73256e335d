#include "report/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

static const char *const names[HISTORY_COLUMNS] = { "epoch", "loss", "accuracy", "validation_loss",
                                                    "validation_accuracy" };

enum { LONGEST_LINE = 1024, MOST_FIELDS = 64, MOST_EPOCHS = 1000000 };

/* Splits a line at its commas. Returns the number of fields. */
static int split(char *line, char **fields)
{
    int count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *field = line; field && count < MOST_FIELDS; count++) {
        fields[count] = field;
        field = strchr(field, ',');
        if (field)
            *field++ = '\0';
    }
    return count;
}

/* Where each column is in a line. */
static int read_head(const char *path, FILE *file, int *places)
{
    char line[LONGEST_LINE], *fields[MOST_FIELDS];
    int count = fgets(line, sizeof line, file) ? split(line, fields) : 0;
    for (int k = 0; k < HISTORY_COLUMNS; k++) {
        places[k] = -1;
        for (int i = 0; i < count; i++)
            if (!strcmp(fields[i], names[k]))
                places[k] = i;
        if (places[k] < 0 && k <= HISTORY_ACCURACY) {
            output_error("%s: is not a training history: it has no column '%s'", path, names[k]);
            return -1;
        }
    }
    return 0;
}

static int grow(history *h, size_t *capacity)
{
    if (h->count < *capacity)
        return 0;
    *capacity = *capacity ? *capacity * 2 : 64;
    for (int k = 0; k < HISTORY_COLUMNS; k++) {
        double *larger = realloc(h->columns[k], *capacity * sizeof *larger);
        if (!larger) {
            output_error("out of memory: the history can't be read");
            return -1;
        }
        h->columns[k] = larger;
    }
    return 0;
}

static int read_row(const char *path, history *h, char *line, const int *places)
{
    char *fields[MOST_FIELDS], *end;
    int count = split(line, fields);
    for (int k = 0; k < HISTORY_COLUMNS; k++) {
        const char *field = places[k] >= 0 && places[k] < count ? fields[places[k]] : "";
        double value = strtod(field, &end);
        if (*end || (end == field && k <= HISTORY_ACCURACY)) {
            output_error("%s: line %zu: '%s' is not a number", path, h->count + 2, field);
            return -1;
        }
        h->columns[k][h->count] = end == field || !isfinite(value) ? NAN : value;
    }
    h->count++;
    return 0;
}

int history_read(const char *path, history *h)
{
    char line[LONGEST_LINE];
    int places[HISTORY_COLUMNS];
    size_t capacity = 0;
    *h = (history){ 0 };
    FILE *file = fopen(path, "r");
    if (!file) {
        output_error("%s: can't be read: %s", path, strerror(errno));
        return -1;
    }
    int wrong = read_head(path, file, places);
    while (!wrong && h->count < MOST_EPOCHS && fgets(line, sizeof line, file))
        if (strcspn(line, "\r\n") > 0)
            wrong = grow(h, &capacity) || read_row(path, h, line, places);
    fclose(file);
    if (!wrong && !h->count) {
        output_error("%s: has no epochs", path);
        wrong = 1;
    }
    if (wrong)
        history_release(h);
    return wrong ? -1 : 0;
}

void history_release(history *h)
{
    for (int k = 0; k < HISTORY_COLUMNS; k++)
        free(h->columns[k]);
    *h = (history){ 0 };
}

long history_best(const history *h)
{
    long best = -1;
    const double *accuracy = h->columns[HISTORY_VALIDATION_ACCURACY];
    for (size_t i = 0; i < h->count; i++)
        if (isfinite(accuracy[i]) && (best < 0 || accuracy[i] > accuracy[best]))
            best = (long)i;
    return best;
}
