#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/json_memory.h"

enum { LONGEST_SENTENCE = 2048 };

static int flush_errno; /* of the first write that failed, where it is known */
static int kept_for_file;

/* Options of the library as its sentences name them, and of the program. */
static const char *const option_names[][2] = {
    { "cnn_context_options.max_pixels", "--max-pixels" },
    { "memory_limit in cnn_context_options", "--memory" },
    { "cnn_dataset_options.max_unpacked_bytes raises it", "--trust-data lifts it" },
    { "cnn_dataset_options.max_decoded_bytes raises the limit", "--trust-data lifts the limit" },
    { "a training with optimizer.learning_rate ", "a training with --lr " },
    { "a training with optimizer.clip_norm ", "a training with --clip " },
    { "a training with optimizer.weight_decay ", "a training with --weight-decay " },
    { "a training with optimizer.", "a training with --" },
    { "a training with schedule.", "a training with --" },
    { "a training with augment.flip_horizontal ", "a training with --augment flip " },
    { "a training with augment.flip_vertical ", "a training with --augment vertical_flip " },
    { "a training with augment.crop_min_area ", "a training with --augment crop " },
    { "a training with augment.crop_max_aspect ", "a training with --augment aspect " },
    { "a training with augment.", "a training with --augment " },
    { "a training with batch_size ", "a training with --batch " },
    { "a training with early_stopping ", "a training with --early-stopping " },
    { "a training with label_smoothing ", "a training with --label-smoothing " },
    { "a training with ema_decay ", "a training with --ema " },
    { "a training with epochs ", "a training with --epochs " },
    { "a training with seed ", "a training with --seed " },
    { "a training with mixup ", "a training with --mixup " },
    { "a training with cutmix ", "a training with --cutmix " },
    { "a training with precision ", "a training with --precision " },
};

/* Copies a sentence with the first name of the library's options in it replaced. */
static void copy_sentence(const char *sentence, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++) {
        const char *found = strstr(sentence, option_names[i][0]);
        if (found) {
            snprintf(text, size, "%.*s%s%s", (int)(found - sentence), sentence, option_names[i][1],
                     found + strlen(option_names[i][0]));
            return;
        }
    }
    snprintf(text, size, "%s", sentence);
}

/* Takes the library's functions, as in "cnn_dataset_open: ", from where a sentence or a part of it begins. */
static void cut_functions(char *sentence)
{
    for (char *at = sentence; at; at = strstr(at, ": ") ? strstr(at, ": ") + 2 : NULL) {
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (!strncmp(at, "cnn_", 4) && !strncmp(at + length, ": ", 2))
            memmove(at, at + length + 2, strlen(at + length + 2) + 1);
    }
}

void output_error(const char *format, ...)
{
    char sentence[LONGEST_SENTENCE], text[LONGEST_SENTENCE];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof sentence, format, values);
    va_end(values);
    cut_functions(sentence);
    copy_sentence(sentence, text, sizeof text);
    fputs("catdog: ", stderr);
    output_text(stderr, text);
    fputc('\n', stderr);
}

int output_library_error(void)
{
    output_error("%s", cnn_last_error());
    return EXIT_FAILED;
}

FILE *output_results(void)
{
    return kept_for_file ? stderr : stdout;
}

void output_keep_for_file(void)
{
    kept_for_file = 1;
}

const char *output_reason(const char *path, const char *sentence)
{
    static _Thread_local char text[LONGEST_SENTENCE];
    size_t length = strlen(path);
    int named = !strncmp(sentence, path, length) && !strncmp(sentence + length, ": ", 2);
    copy_sentence(named ? sentence + length + 2 : sentence, text, sizeof text);
    return text;
}

void output_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)text[0], next = (unsigned char)text[1];
        int c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F: controls, too */
        fputc(byte < 0x20 || byte == 0x7f || c1 ? '?' : byte, file);
        text += c1;
    }
}

int output_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80; /* the bytes of a UTF-8 character after its first don't count */
    return width;
}

/* The length of the UTF-8 character at `text`, 0 if there is none: overlong forms, surrogates and values beyond
 * U+10FFFF aren't any. */
static size_t utf8_length(const unsigned char *text)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    if (!length || first >= 0xf8)
        return 0;
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    return value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0 : length;
}

/* The UTF-8 of the text's first character, U+FFFD for a byte that belongs to none; moves the text on. */
static size_t take_character(const char **text, const char **character)
{
    static const char unknown[] = "\xef\xbf\xbd";
    size_t length = utf8_length((const unsigned char *)*text);
    *character = length ? *text : unknown;
    *text += length ? length : 1;
    return length ? length : sizeof unknown - 1;
}

char *output_utf8(const char *text)
{
    char *clean = malloc(3 * strlen(text) + 1);
    if (!clean)
        return NULL;
    size_t used = 0;
    while (*text) {
        const char *character;
        size_t length = take_character(&text, &character);
        memcpy(clean + used, character, length);
        used += length;
    }
    clean[used] = '\0';
    return clean;
}

void output_utf8_into(char *to, size_t size, const char *text)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t used = 0, kept = 0; /* where the ellipsis would still find room */
    while (*text) {
        const char *character;
        size_t length = take_character(&text, &character);
        if (used + length >= size) {
            memcpy(to + kept, ellipsis, sizeof ellipsis);
            return;
        }
        memcpy(to + used, character, length);
        used += length;
        if (used + sizeof ellipsis <= size)
            kept = used;
    }
    to[used] = '\0';
}

json_t *output_json_text(const char *text)
{
    char *clean = output_utf8(text);
    if (!clean)
        json_memory_lost();
    json_t *string = clean ? json_string(clean) : NULL;
    free(clean);
    return string;
}

json_t *output_json_number(double number)
{
    json_t *real = json_real(number); /* NULL for what JSON can't say */
    return real ? real : json_null();
}

char *output_json_dump(json_t *object, size_t flags)
{
    char *text = object ? json_dumps(object, flags) : NULL;
    json_decref(object);
    char *kept = text && !json_memory_ran_out() ? strdup(text) : NULL;
    json_memory_release(text);
    return kept;
}

int output_json(json_t *object, size_t flags)
{
    char *text = output_json_dump(object, flags | JSON_REAL_PRECISION(9));
    if (!text) {
        output_error("out of memory: the result can't be written");
        return -1;
    }
    errno = 0;
    if (fprintf(output_results(), "%s\n", text) < 0 && !flush_errno)
        flush_errno = errno; /* which a later flush doesn't say */
    free(text);
    return 0;
}

int output_flush(void)
{
    errno = 0;
    int failed = fflush(stdout) || ferror(stdout);
    if (failed && !flush_errno)
        flush_errno = errno;
    return failed;
}

int output_finish(void)
{
    if (!output_flush())
        return EXIT_DONE;
    if (flush_errno == EPIPE)
        return EXIT_FAILED;
    output_error("standard output can't be written: %s", flush_errno ? strerror(flush_errno) : "a write failed");
    return EXIT_FAILED;
}
