/* Text in rows of fields (RFC 4180), separated by commas, semicolons, tabs or bars. */
#ifndef CNN_DATA_CSV_READER_H
#define CNN_DATA_CSV_READER_H

#include <stdbool.h>
#include <stddef.h>

#include <cnn/status.h>

typedef struct cnn_csv_reader {
    const char *name; /* the file, for messages */
    char *at, *end;
    size_t line;     /* of `at`, from 1 */
    bool end_of_row; /* the last field was its row's last */
    char separator;
} cnn_csv_reader;

/* For `size` bytes of text, which are changed and must be followed by a zero byte. The separator is the one that the
 * first line has most of, or which a line `sep=;` before it names. */
cnn_csv_reader cnn_csv_read(const char *name, char *text, size_t size);

/* Moves to the next row, past empty and blank lines; false at the end. */
bool cnn_csv_next_row(cnn_csv_reader *r);

/* The next field of the row as text, made where it stands, until `end_of_row`. */
cnn_status cnn_csv_next_field(cnn_csv_reader *r, char **field);

#endif
