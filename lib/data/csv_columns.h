/* Which columns of a list say what, by the names that people give them. */
#ifndef CNN_DATA_CSV_COLUMNS_H
#define CNN_DATA_CSV_COLUMNS_H

#include "data/csv_reader.h"

typedef enum cnn_csv_column {
    CNN_CSV_PATH = 0,
    CNN_CSV_LABEL = 1,
    CNN_CSV_SPLIT = 2, /* which part a row belongs to */
    CNN_CSV_COLUMNS = 3
} cnn_csv_column;

typedef struct cnn_csv_columns {
    int at[CNN_CSV_COLUMNS]; /* their places in a row, from 0; −1: there is none */
    int count;               /* of all columns */
    bool split_is_flag;      /* the split is fastai's is_valid: True or False */
} cnn_csv_columns;

/* Reads the first row. Errors: CNN_ERROR_FORMAT if no column says what the files are, or, where labels are wanted, what
 * their labels are: says which columns there are. */
cnn_status cnn_csv_read_columns(cnn_csv_reader *r, bool labels_wanted, cnn_csv_columns *columns);

#endif
