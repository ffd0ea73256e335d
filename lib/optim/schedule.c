#include <math.h>

#include "core/error.h"
#include "core/options.h"
#include "optim/optimizer_internal.h"

static const double PI = 3.14159265358979323846;
static const double START = 1.0 / 25; /* where a rise begins: never at 0, which would waste steps */

static const char *const names[] = { "constant", "step", "exponential", "cosine", "one_cycle", "plateau" };

const char *cnn_schedule_kind_name(cnn_schedule_kind kind)
{
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

static cnn_status check_schedule(const cnn_schedule *schedule)
{
    if (!cnn_schedule_kind_name(schedule->kind))
        return cnn_fail(CNN_ERROR_ARGUMENT, "schedule: there is no kind %d", (int)schedule->kind);
    if (!(schedule->warmup >= 0 && schedule->warmup < 1))
        return cnn_fail(CNN_ERROR_ARGUMENT, "schedule: warmup is %g; it must be at least 0 and below 1",
                        (double)schedule->warmup);
    if (!(schedule->gamma >= 0 && isfinite(schedule->gamma)))
        return cnn_fail(CNN_ERROR_ARGUMENT, "schedule: gamma is %g; it must be at least 0 and finite",
                        (double)schedule->gamma);
    if (!(schedule->final_factor >= 0 && isfinite(schedule->final_factor)))
        return cnn_fail(CNN_ERROR_ARGUMENT, "schedule: final_factor is %g; it must be at least 0 and finite",
                        (double)schedule->final_factor);
    if (!schedule->patience)
        return cnn_fail(CNN_ERROR_ARGUMENT, "schedule: patience is 0; it must be at least 1 epoch");
    return CNN_OK;
}

static float default_gamma(cnn_schedule_kind kind)
{
    switch (kind) {
    case CNN_SCHEDULE_STEP: return 0.1f;
    case CNN_SCHEDULE_EXPONENTIAL: return 0.95f;
    case CNN_SCHEDULE_PLATEAU: return 0.5f;
    default: return 1;
    }
}

cnn_status cnn_schedule_resolve(const cnn_schedule *given, cnn_schedule *schedule)
{
    cnn_schedule_init(schedule);
    cnn_status status = cnn_options_read(schedule, sizeof *schedule, given, "cnn_schedule");
    if (status)
        return status;
    if (schedule->warmup == -1)
        schedule->warmup = schedule->kind == CNN_SCHEDULE_ONE_CYCLE ? 0.3f : 0;
    if (schedule->gamma == -1)
        schedule->gamma = default_gamma(schedule->kind);
    return check_schedule(schedule);
}

/* From 1 at 0 to `low` at 1, as half a cosine wave. */
static double cosine_fall(double low, double at)
{
    return low + (1 - low) * 0.5 * (1 + cos(PI * at));
}

static double step_factor(const cnn_schedule *schedule, double epoch, uint32_t epochs)
{
    uint32_t length = schedule->step_epochs ? schedule->step_epochs : epochs / 3;
    return pow(schedule->gamma, floor(epoch / (length ? length : 1)));
}

static double rise(const cnn_schedule *schedule, double at)
{
    if (schedule->kind == CNN_SCHEDULE_ONE_CYCLE)
        return cosine_fall(START, 1 - at);
    return START + (1 - START) * at;
}

double cnn_schedule_factor(const cnn_schedule *given, double progress, uint32_t epochs)
{
    cnn_schedule schedule;
    if (cnn_schedule_resolve(given, &schedule) || !(progress >= 0))
        return NAN;
    double warmup = schedule.warmup, rising = progress < warmup ? rise(&schedule, progress / warmup) : 1;
    double after = progress > warmup ? fmin((progress - warmup) / (1 - warmup), 1) : 0;
    double epoch = floor(progress * epochs + 1e-9); /* progress is a rounded quotient: keep whole epochs whole */
    switch (schedule.kind) {
    case CNN_SCHEDULE_STEP: return rising * step_factor(&schedule, epoch, epochs);
    case CNN_SCHEDULE_EXPONENTIAL: return rising * pow(schedule.gamma, epoch);
    case CNN_SCHEDULE_COSINE:
    case CNN_SCHEDULE_ONE_CYCLE: return rising * cosine_fall(schedule.final_factor, after);
    case CNN_SCHEDULE_CONSTANT:
    case CNN_SCHEDULE_PLATEAU:
    case CNN_SCHEDULE_KIND_MAX_ENUM: break;
    }
    return rising;
}
