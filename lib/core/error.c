#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 8192 }; /* with a path of any length that a system can open */
static _Thread_local char last_error[1024];
static _Thread_local uint64_t failures;
static _Thread_local bool lacked_files; /* the last of them */

/* Where a character of UTF-8 begins, at `at` or before; of what isn't UTF-8, `at` or a byte near it. */
static size_t begin_of_character(const char *text, size_t at)
{
    for (size_t back = 0; back < 4 && back <= at; back++)
        if ((text[at - back] & 0xC0) != 0x80)
            return at - back;
    return at;
}

int cnn_quoted(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);
    return (int)(length > most ? begin_of_character(text, most) : length);
}

/* A sentence begins with a path, which may be longer than it: the end, where it says what is wrong, is kept, too. */
static void shorten(char *text)
{
    enum { KEPT_END = 600 };
    static const char gap[] = " ... ";
    size_t length = strlen(text);
    if (length < sizeof last_error)
        return;
    size_t start = begin_of_character(text, sizeof last_error - KEPT_END - sizeof gap - 3);
    size_t end = begin_of_character(text, length - KEPT_END);
    memcpy(text + start, gap, sizeof gap - 1);
    memmove(text + start + sizeof gap - 1, text + end, length - end + 1);
}

cnn_status cnn_fail(cnn_status status, const char *format, ...)
{
    char text[LONGEST]; /* an argument may be the last sentence itself */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= LONGEST)
        text[begin_of_character(text, LONGEST - 2)] = 0;
    shorten(text);
    memcpy(last_error, text, strlen(text) + 1);
    failures++;
    lacked_files = false;
    return status;
}

cnn_status cnn_fail_text(cnn_status status, const char *text)
{
    return cnn_fail(status, "%s", text);
}

cnn_status cnn_fail_errno(const char *path, const char *what)
{
    char text[128] = "";
    int error = errno;
    bool lacks_files = error == EMFILE || error == ENFILE;
    if (strerror_r(error, text, sizeof text))
        snprintf(text, sizeof text, "error %d", error);
    cnn_status status = cnn_fail(error == ENOMEM ? CNN_ERROR_OUT_OF_MEMORY : CNN_ERROR_IO, "%s: %s: %s%s", path, what,
                                 text, lacks_files ? "; raise the limit of open files ('ulimit -n')" : "");
    lacked_files = lacks_files;
    return status;
}

bool cnn_lacked_files(void)
{
    return lacked_files;
}

uint64_t cnn_count_failures(void)
{
    return failures;
}

cnn_status cnn_fail_callback(cnn_status status, const char *callback, uint64_t before)
{
    if (status < CNN_ERROR_DATA || status > CNN_OK)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s returned %d, which is no cnn_status", callback, (int)status);
    bool told = failures != before;
    return cnn_fail(status, "%s returned %s%s%s", callback, cnn_status_name(status), told ? ": " : "",
                    told ? last_error : "");
}

const char *cnn_last_error(void)
{
    return last_error;
}

const char *cnn_status_name(cnn_status status)
{
    switch (status) {
    case CNN_OK: return "CNN_OK";
    case CNN_ERROR_ARGUMENT: return "CNN_ERROR_ARGUMENT";
    case CNN_ERROR_OUT_OF_MEMORY: return "CNN_ERROR_OUT_OF_MEMORY";
    case CNN_ERROR_IO: return "CNN_ERROR_IO";
    case CNN_ERROR_FORMAT: return "CNN_ERROR_FORMAT";
    case CNN_ERROR_UNSUPPORTED: return "CNN_ERROR_UNSUPPORTED";
    case CNN_ERROR_LIMIT: return "CNN_ERROR_LIMIT";
    case CNN_ERROR_SHAPE: return "CNN_ERROR_SHAPE";
    case CNN_ERROR_NOT_FINITE: return "CNN_ERROR_NOT_FINITE";
    case CNN_ERROR_STOPPED: return "CNN_ERROR_STOPPED";
    case CNN_ERROR_DATA: return "CNN_ERROR_DATA";
    case CNN_STATUS_MAX_ENUM: break;
    }
    return "unknown status";
}
