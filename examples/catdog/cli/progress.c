#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/clock.h"

enum { USUAL_WIDTH = 80, LONGEST_LINE = 400, SMALLEST_BAR = 8, LARGEST_BAR = 40, SEPARATORS = 4 };

static const double redraw_seconds = 0.1;

void progress_init(progress_line *progress)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    *progress = (progress_line){ .validation = NAN };
    progress->live = isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
    progress->colour = progress->live && !(no_colour && *no_colour);
}

static int terminal_width(void)
{
    struct winsize size;
    int known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : USUAL_WIDTH;
}

static int time_to_draw(progress_line *progress, int last)
{
    if (!progress->live)
        return 0;
    double time = clock_now();
    if (!last && time - progress->last_drawn < redraw_seconds)
        return 0;
    progress->last_drawn = time;
    return 1;
}

/* Draws `left`, a bar if there is room for one, and `right` cut to the terminal's width. */
static void draw(progress_line *progress, const char *left, double part, const char *right)
{
    int width = terminal_width() - 1; /* a full last column would wrap */
    int room = width - (int)strlen(left) - (int)strlen(right) - SEPARATORS;
    char line[LONGEST_LINE] = "";
    size_t bar_start = 0, bar_end = 0;
    if (room >= SMALLEST_BAR) {
        int bar = room < LARGEST_BAR ? room : LARGEST_BAR;
        int filled = (int)(part * bar + 0.5);
        char blocks[LARGEST_BAR + 1];
        for (int i = 0; i < bar; i++)
            blocks[i] = i < filled ? '=' : ' ';
        blocks[bar] = '\0';
        bar_start = strlen(left) + 2;
        bar_end = bar_start + (size_t)bar;
        snprintf(line, sizeof line, "%s [%s] %s", left, blocks, right);
    } else {
        snprintf(line, sizeof line, "%s %s", left, right);
        if (width >= 0 && (size_t)width < strlen(line))
            line[width] = '\0';
    }
    if (progress->colour && bar_end)
        fprintf(stderr, "\r%.*s\033[32m%.*s\033[0m%s\033[K", (int)bar_start, line, (int)(bar_end - bar_start),
                line + bar_start, line + bar_end);
    else
        fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    progress->drawn = 1;
}

static void format_time(char *text, size_t size, double seconds)
{
    unsigned long long whole = seconds > 0 && seconds < 1e9 ? (unsigned long long)(seconds + 0.5) : 0;
    if (whole >= 3600)
        snprintf(text, size, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, size, "%llu:%02llu", whole / 60, whole % 60);
}

/* Images a second in this work so far; 0: not known yet. */
static double work_speed(progress_line *progress, const char *what, uint64_t done)
{
    double time = clock_now();
    if (progress->work != what || done < progress->work_begun) {
        progress->work = what;
        progress->work_started = time;
        progress->work_begun = done;
    }
    double seconds = time - progress->work_started;
    return seconds > 0 ? (double)(done - progress->work_begun) / seconds : 0;
}

/* How much room there is beside a bar of the smallest size. */
static size_t room_beside(const char *left)
{
    int room = terminal_width() - (int)strlen(left) - SMALLEST_BAR - SEPARATORS - 1;
    return room > 0 ? (size_t)room : 0;
}

void progress_work(progress_line *progress, const char *what, uint64_t done, uint64_t total)
{
    double speed = work_speed(progress, what, done);
    if (!time_to_draw(progress, done == total))
        return;
    unsigned long long so_far = done, all = total;
    char right[128], left[32];
    format_time(left, sizeof left, speed > 0 ? (double)(total - done) / speed : 0);
    snprintf(right, sizeof right, "%llu/%llu  %.0f images/s  %s left", so_far, all, speed, left);
    if (speed <= 0 || strlen(right) > room_beside(what))
        snprintf(right, sizeof right, "%llu/%llu", so_far, all);
    draw(progress, what, total ? (double)done / (double)total : 1, right);
}

/* From the steps of this epoch so far, and from the last epoch, whose time holds the validation, too. */
static double seconds_left(const progress_line *progress, const cnn_progress *state)
{
    double step = state->step ? state->seconds / (double)state->step : 0;
    double epoch = progress->epoch_seconds > 0 ? progress->epoch_seconds : step * (double)state->steps;
    return step * (double)(state->steps - state->step) + epoch * (state->epochs - state->epoch);
}

/* The text beside a training's bar: as much as fits the terminal. */
static void describe(const progress_line *progress, const cnn_progress *state, size_t room, char *text, size_t size)
{
    double speed = state->seconds > 0 ? (double)state->images / state->seconds : 0, accuracy = 100 * state->accuracy;
    char left[32];
    format_time(left, sizeof left, *progress->part ? progress->part_seconds : seconds_left(progress, state));
    if (!isnan(progress->validation))
        snprintf(text, size, "%.0f images/s  loss %.4f  accuracy %.1f %%  validation %.1f %%  %s left", speed,
                 state->loss, accuracy, 100 * progress->validation, left);
    if (isnan(progress->validation) || strlen(text) > room)
        snprintf(text, size, "%.0f images/s  loss %.4f  accuracy %.1f %%  %s left", speed, state->loss, accuracy, left);
    if (strlen(text) > room)
        snprintf(text, size, "loss %.4f  accuracy %.1f %%  %s left", state->loss, accuracy, left);
    if (strlen(text) > room)
        snprintf(text, size, "%s left", left);
}

void progress_training(progress_line *progress, const cnn_progress *state)
{
    if (!time_to_draw(progress, state->step == state->steps) || state->step > state->steps)
        return;
    char left[64], right[128];
    snprintf(left, sizeof left, "%s%s%s %u/%u", progress->part, *progress->part ? ", " : "",
             state->validating ? "validating" : "epoch", state->epoch, state->epochs);
    double part = state->steps ? (double)state->step / (double)state->steps : 1;
    if (state->validating)
        snprintf(right, sizeof right, "%3.0f %%", 100 * part);
    else
        describe(progress, state, room_beside(left), right, sizeof right);
    draw(progress, left, part, right);
}

/* The line of a finished epoch, shortened to the terminal's width where possible. */
static void describe_epoch(const cnn_epoch *epoch, uint32_t epochs, size_t width, char *text, size_t size)
{
    int validated = !isnan(epoch->validation_loss);
    double accuracy = 100 * epoch->accuracy, validation = 100 * epoch->validation_accuracy;
    double speed = epoch->seconds > 0 ? (double)epoch->images / epoch->seconds : 0;
    char more[80] = "", time[32];
    format_time(time, sizeof time, epoch->seconds);
    if (validated)
        snprintf(more, sizeof more, "  validation loss %.4f  accuracy %.1f %%", epoch->validation_loss, validation);
    snprintf(text, size, "epoch %u/%u  loss %.4f  accuracy %.1f %%%s  %.0f images/s  %s", epoch->epoch, epochs,
             epoch->loss, accuracy, more, speed, time);
    if (validated)
        snprintf(more, sizeof more, "  validation %.1f %%", validation);
    if (strlen(text) > width)
        snprintf(text, size, "epoch %u/%u  loss %.4f  accuracy %.1f %%%s  %s", epoch->epoch, epochs, epoch->loss,
                 accuracy, more, time);
    if (strlen(text) > width && validated)
        snprintf(text, size, "epoch %u/%u%s  %s", epoch->epoch, epochs, more, time);
    else if (strlen(text) > width)
        snprintf(text, size, "epoch %u/%u  accuracy %.1f %%  %s", epoch->epoch, epochs, accuracy, time);
}

void progress_epoch(progress_line *progress, const cnn_epoch *epoch, uint32_t epochs)
{
    char text[LONGEST_LINE];
    progress_clear(progress);
    progress->epoch_seconds = epoch->seconds;
    progress->validation = epoch->validation_accuracy;
    describe_epoch(epoch, epochs, progress->live ? (size_t)terminal_width() : sizeof text, text, sizeof text);
    fprintf(stderr, "%s\n", text);
}

void progress_clear(progress_line *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = 0;
}
