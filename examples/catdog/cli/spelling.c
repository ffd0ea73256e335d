#include "cli/spelling.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST_WORD = 32 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance; both words are shorter than LONGEST_WORD. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST_WORD + 1];
    size_t columns = strlen(b);
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

const char *spelling_nearest(const char *word, const char *const *names)
{
    size_t length = strlen(word);
    if (!length || length >= LONGEST_WORD)
        return NULL;
    const char *nearest = NULL;
    size_t least = length / 3 + 2; /* farther off than this, a guess puzzles more than it helps */
    for (; *names; names++) {
        if (strlen(*names) >= LONGEST_WORD)
            continue;
        size_t distance = edit_distance(word, *names);
        if (distance < least) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}
