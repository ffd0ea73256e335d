/* Reporting errors: a status, and a sentence for cnn_last_error(). */
#ifndef CNN_CORE_ERROR_H
#define CNN_CORE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/status.h>

/* Sets the calling thread's sentence and returns `status`, so that a function can `return cnn_fail(...)`. The sentence
 * begins with what it is about (a file, a layer), has no full stop and no newline. */
__attribute__((format(printf, 2, 3))) cnn_status cnn_fail(cnn_status status, const char *format, ...);

/* Sets the sentence again, as worker threads need whose caller is on another thread. */
cnn_status cnn_fail_text(cnn_status status, const char *text);

/* How many bytes of a text a sentence quotes, with "%.*s": at most `most`, and whole characters of UTF-8. */
int cnn_quoted(const char *text, size_t most);

/* "PATH: WHAT: " and errno's text, as CNN_ERROR_IO, or as CNN_ERROR_OUT_OF_MEMORY where the system has none left. */
cnn_status cnn_fail_errno(const char *path, const char *what);

/* Whether the calling thread's last error was that it may open no more files, which is no fault of the file. */
bool cnn_lacked_files(void);

/* As `status`, the sentence that a callback of the caller's returned it. The callback may have called the library: what
 * failed since `failures`, which cnn_count_failures gave before the callback, ends the sentence. What is no status
 * becomes CNN_ERROR_ARGUMENT. */
cnn_status cnn_fail_callback(cnn_status status, const char *callback, uint64_t failures);

/* How often a function has failed on the calling thread. */
uint64_t cnn_count_failures(void);

#endif
