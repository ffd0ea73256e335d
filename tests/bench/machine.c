/* What the machine itself can do, on one thread and on all: prints JSON.
 *   bench_machine [THREADS] */
#include <stdio.h>
#include <stdlib.h>

#include <cnn/cnn.h>

#include "bench/roofline.h"

static int print_limits(unsigned threads, const char *instruction_set, const char *before)
{
    roofline_limits limits;
    if (roofline_measure(threads, instruction_set, &limits)) {
        fprintf(stderr, "bench_machine: no memory or threads for %u threads\n", threads);
        return 1;
    }
    printf("%s    { \"threads\": %u, \"fp32_gflops\": %.1f, \"bf16_gflops\": %.1f, \"int8_gops\": %.1f, "
           "\"read_gb_per_second\": %.1f, \"copy_gb_per_second\": %.1f }",
           before, threads, limits.fp32, limits.bf16, limits.int8, limits.read, limits.copy);
    return 0;
}

int main(int count, char **arguments)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 0;
    cnn_context *context;
    if (cnn_context_create(&options, &context)) {
        fprintf(stderr, "%s\n", cnn_last_error());
        return 1;
    }
    unsigned threads = cnn_context_threads(context);
    const char *instruction_set = cnn_context_instruction_set(context);
    printf("{\n  \"instruction_set\": \"%s\",\n  \"limits\": [\n", instruction_set);
    int failed = print_limits(1, instruction_set, "");
    if (!failed && threads > 1)
        failed = print_limits(threads, instruction_set, ",\n");
    printf("\n  ]\n}\n");
    cnn_context_destroy(context);
    return failed;
}
