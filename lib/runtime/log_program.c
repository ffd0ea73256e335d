/* Programs in the log. */
#include <string.h>

#include "core/context_internal.h"
#include "core/memory.h"
#include "runtime/model_state.h"

static void log_lines(cnn_context *context, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        cnn_log(context, CNN_LOG_DEBUG, "%.*s", (int)(end - text), text);
}

static void log_program(const cnn_program *program, const cnn_print_options *options)
{
    char *text;
    if (cnn_program_print(program, options, &text))
        return;
    log_lines(program->source.context, text);
    cnn_release(program->source.context, text);
}

void cnn_log_program(const cnn_program *program)
{
    cnn_context *context = program->source.context;
    if (!cnn_logs(context, CNN_LOG_DEBUG))
        return;
    cnn_log(context, CNN_LOG_DEBUG, "program for %s on %s: %d operations of %d layers, %.2f MB of values an image",
            program->purpose.training ? "training" : "prediction", cnn_context_instruction_set(context),
            (int)program->count, (int)program->source.graph->count, (double)program->image_bytes / 1e6);
    log_program(program, &(const cnn_print_options){ .places = true, .algorithms = true });
}

void cnn_log_times(const cnn_program *program, int64_t images, const double *seconds)
{
    cnn_log(program->source.context, CNN_LOG_DEBUG, "%lld images at once take:", (long long)images);
    log_program(program, &(const cnn_print_options){ .algorithms = true, .seconds = seconds });
}
