/* What is written to standard output and standard error. Names of files come from strangers: control characters in
 * them don't reach a terminal, and bytes that aren't UTF-8 don't reach JSON. */
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

/* Text with control characters replaced by '?', and the number of characters that it takes on a terminal. */
void output_text(FILE *file, const char *text);
int output_width(const char *text);

/* A copy of any bytes as UTF-8: those that aren't become U+FFFD. NULL if memory is short; the caller frees it. */
char *output_utf8(const char *text);

/* The same into `size` bytes, with an ellipsis where it doesn't fit. */
void output_utf8_into(char *to, size_t size, const char *text);

/* The same as a JSON string. */
json_t *output_json_text(const char *text);

/* A JSON number, null if it isn't finite. */
json_t *output_json_number(double number);

/* `object`, which it frees, as text that the caller frees; NULL if `object` is NULL or memory was short, be it while
 * the object was built on this thread. */
char *output_json_dump(json_t *object, size_t flags);

/* Writes `object` as text and a line end to output_results(), and frees it. Gives 0, or -1 (with its sentence printed)
 * if `object` is NULL or memory is short. */
int output_json(json_t *object, size_t flags);

/* Writes out what standard output holds back. Not 0 if something was lost: there is no use in going on. */
int output_flush(void);

/* Ends standard output. Gives EXIT_DONE, or EXIT_FAILED if something of it was lost: with a sentence, unless it is that
 * the reader of a pipe has seen enough and went away, as `head` does. */
int output_finish(void);

#endif
