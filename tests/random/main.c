/* Tries random cases. Each that fails is made smaller and printed as a command that repeats it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/scratch.h"
#include "shrink.h"

enum { BATCH = 50, SHRINK_SECONDS = 60 };

static const char usage[] =
    "usage: random [--seed N] [--cases N] [--minutes X] [--case SPEC] [--replay FILE] [--threads-only]\n"
    "              [--seconds N] [--most N]\n"
    "  --seed N        the first case's seed; else a fresh one, which is printed\n"
    "  --cases N       how many\n"
    "  --minutes X     for how long; 1 unless --cases is given\n"
    "  --case SPEC     this one, as a failure printed it\n"
    "  --replay FILE   the cases of a file first, one a line\n"
    "  --threads-only  operations that threads take part in\n"
    "  --seconds N     that a case may take; 60\n"
    "  --most N        failures after which it ends; 5\n";

typedef struct program_options {
    runner_options runner;
    uint64_t seed;
    int64_t cases, most_failures;
    double minutes;
    const char *spec, *replay;
} program_options;

static const char *program;
static int64_t failures;

static void report(const char *kind, const random_case *failed, const char *why)
{
    char text[CASE_TEXT_SIZE];
    case_print(failed, text);
    printf("%s: %s\n  %s --case '%s'\n", kind, why, program, text);
    fflush(stdout);
}

static void handle_failure(const program_options *options, random_case *failed, const char *why_first)
{
    char why[WHY_SIZE];
    failures++;
    report("FAILED", failed, why_first);
    if (runner_run_case(&options->runner, failed, true, why) != CASE_FAILED) {
        printf("  fails only now and then, or after others\n");
        return;
    }
    shrink(&options->runner, failed, SHRINK_SECONDS, why);
    report("SMALLER", failed, why);
}

static bool run_text(const program_options *options, const char *text)
{
    random_case parsed;
    const char *wrong;
    char why[WHY_SIZE];
    if (!case_parse(text, &parsed, &wrong)) {
        fprintf(stderr, "random: this says no case from here on: %.60s\n", wrong);
        return false;
    }
    case_result result = runner_run_case(&options->runner, &parsed, false, why);
    if (result == CASE_FAILED)
        handle_failure(options, &parsed, why);
    if (result == CASE_IMPOSSIBLE)
        fprintf(stderr, "random: there is no such net: %s\n", text);
    return result != CASE_IMPOSSIBLE;
}

/* The text of a file, which the caller frees. It is closed before children begin, who would share its place. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : -1;
    char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
    if (text) {
        rewind(file);
        text[fread(text, 1, (size_t)size, file)] = '\0';
    } else
        perror(path);
    if (file)
        fclose(file);
    return text;
}

/* A line a case; lines that begin # are comments. */
static bool replay(const program_options *options, const char *path)
{
    char *text = read_text(path);
    bool right = text != NULL;
    int count = 0;
    for (const char *line = text; line && *line && right; line = strchr(line, '\n') + 1) {
        if (*line != '#' && *line != '\n') {
            right = run_text(options, line);
            count++;
        }
        if (!strchr(line, '\n'))
            break;
    }
    free(text);
    printf("%d cases of %s\n", count, path);
    return right;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_random(const program_options *options)
{
    double start = seconds_now(), end = start + 60 * options->minutes;
    int64_t done = 0;
    printf("--seed %" PRIu64 "\n", options->seed);
    fflush(stdout);
    while (done < options->cases && (options->minutes <= 0 || seconds_now() < end) &&
           failures < options->most_failures) {
        char why[WHY_SIZE];
        int32_t count = options->cases - done < BATCH ? (int32_t)(options->cases - done) : BATCH;
        int32_t passed = runner_run_seeds(&options->runner, options->seed + (uint64_t)done, count, why);
        done += passed;
        if (passed == count)
            continue;
        random_case failed;
        case_draw(&failed, options->seed + (uint64_t)done, options->runner.threads_only);
        handle_failure(options, &failed, why);
        done++;
    }
    printf("%" PRId64 " cases in %.0f s, %" PRId64 " failures\n", done, seconds_now() - start, failures);
}

static bool read_options(int count, char **arguments, program_options *options)
{
    bool timed = false;
    *options = (program_options){
        .runner = { .seconds = 60 }, .seed = (uint64_t)time(NULL) * 1000003, .cases = -1, .most_failures = 5
    };
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (!strcmp(name, "--threads-only")) {
            options->runner.threads_only = true;
            continue;
        }
        if (!value)
            return false;
        if (!strcmp(name, "--seed"))
            options->seed = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--cases"))
            options->cases = strtoll(value, NULL, 10);
        else if (!strcmp(name, "--minutes"))
            timed = (options->minutes = strtod(value, NULL)) > 0;
        else if (!strcmp(name, "--most"))
            options->most_failures = strtoll(value, NULL, 10);
        else if (!strcmp(name, "--case"))
            options->spec = value;
        else if (!strcmp(name, "--replay"))
            options->replay = value;
        else if (!strcmp(name, "--seconds"))
            options->runner.seconds = (int32_t)strtol(value, NULL, 10);
        else
            return false;
        i++;
    }
    if (options->cases < 0) {
        options->cases = INT64_MAX;
        options->minutes = timed ? options->minutes : 1;
    }
    return true;
}

int main(int count, char **arguments)
{
    program_options options;
    program = arguments[0];
    if (!read_options(count, arguments, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    void *folder;
    if (scratch_setup(&folder)) {
        perror("random: a folder for files");
        return 2;
    }
    options.runner.folder = folder;
    bool right = options.spec ? run_text(&options, options.spec) : !options.replay || replay(&options, options.replay);
    if (right && !options.spec)
        run_random(&options);
    scratch_teardown(&folder);
    return right ? failures > 0 : 2;
}
