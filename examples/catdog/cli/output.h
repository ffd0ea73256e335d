/* Writes to standard output and standard error. File names come from strangers: their control characters are kept from
 * the terminal, and bytes that aren't UTF-8 from JSON. */
#ifndef CATDOG_CLI_OUTPUT_H
#define CATDOG_CLI_OUTPUT_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* "catdog: ", the sentence and a line end, to standard error. Options of the library are replaced by the program's. */
void output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the library's last error. Returns EXIT_FAILED. */
int output_library_error(void);

/* Where results go: standard output, or standard error once that takes a file's bytes. */
FILE *output_results(void);

/* From here on standard output is for a file's bytes alone. */
void output_keep_for_file(void);

/* A sentence of the library on a file, without the "PATH: " that it begins with, and with the program's options for the
 * library's. Valid until this thread's next call. */
const char *output_reason(const char *path, const char *sentence);

/* Writes text with control characters replaced by '?'; the number of characters that it takes on a terminal. */
void output_text(FILE *file, const char *text);
int output_width(const char *text);

/* A copy of any bytes as UTF-8: those that aren't become U+FFFD. NULL if memory is short; the caller frees it. */
char *output_utf8(const char *text);

/* The same into `size` bytes, at least 4, with an ellipsis where it doesn't fit. */
void output_utf8_into(char *to, size_t size, const char *text);

/* The same as a JSON string. */
json_t *output_json_text(const char *text);

/* A JSON number, null if it isn't finite. */
json_t *output_json_number(double number);

/* Turns `object` into text that the caller frees, and releases it. NULL if `object` is NULL or memory ran out, now or
 * while this thread built the object. */
char *output_json_dump(json_t *object, size_t flags);

/* Writes `object` as a line of text to output_results(), and releases it. Returns 0, or -1 with a sentence printed if
 * `object` is NULL or memory is short. */
int output_json(json_t *object, size_t flags);

/* Flushes standard output. Not 0 if output was lost, so that there is no use in continuing. */
int output_flush(void);

/* Ends standard output. Returns EXIT_DONE, or EXIT_FAILED if output was lost, with a sentence printed unless the reader
 * of a pipe has closed it, as `head` does. */
int output_finish(void);

#endif
