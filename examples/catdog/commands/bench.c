#include "bench/bench_output.h"
#include "bench/bench_run.h"
#include "cli/output.h"
#include "commands/commands.h"

/* In the order of BENCH_ALL and those that follow it. */
static const char *const part_names[] = { "all", "machine", "net", "loader", NULL };

static int refuse_options_of_other_parts(const catdog_command *command, const bench_run *b)
{
    static const char no_net[] = "with a --part that doesn't run the net";
    static const char no_loader[] = "with a --part that is not the loader", no_data[] = "without --data PATH";
    const int net = bench_run_has(b, BENCH_NET), loader = bench_run_has(b, BENCH_LOADER);
    return arguments_refuse_unused(command, (const unused_option[]){ { "net", !net && !loader, no_net },
                                                                     { "size", !net && !loader, no_net },
                                                                     { "width", !net, no_net },
                                                                     { "batch-norm", !net, no_net },
                                                                     { "dropout", !net, no_net },
                                                                     { "batch", !net, no_net },
                                                                     { "precision", !net, no_net },
                                                                     { "data", !loader, no_loader },
                                                                     { "trust-data", !b->data.path, no_data },
                                                                     { "max-pixels", !b->data.path, no_data },
                                                                     { 0 } });
}

/* The start-up comes first, as it finds out whether the net can be made. */
static int measure(bench_run *b, int json)
{
    const bool machine = bench_run_has(b, BENCH_MACHINE), net = bench_run_has(b, BENCH_NET);
    const bool loader = bench_run_has(b, BENCH_LOADER);
    int result = bench_run_find_machine(b);
    if (!result && net)
        result = bench_run_measure_start_up(b);
    if (!result && machine)
        result = bench_run_measure_machine(b);
    if (!result && machine && !json)
        bench_output_machine(b);
    if (!result && net)
        result = bench_run_measure_net(b);
    if (!result && net && !json)
        bench_output_net(b);
    if (!result && loader)
        result = bench_run_measure_loader(b);
    if (!result && loader && !json)
        bench_output_loader(b);
    if (result)
        return result;
    return json ? bench_output_json(b) : output_finish();
}

static int run(const catdog_command *command, int argc, char **argv)
{
    bench_run b = { .net = { .net = { .name = "four_conv", .dropout = -1 }, .batch = 32 } };
    int json = 0;
    const option options[] = {
        NET_OPTIONS(b.net.net, "four_conv"),
        { "batch", "N", "images in a batch", OPTION_WHOLE, &b.net.batch, 1, 4096, .initial = "32" },
        { "precision", "NAME", "number format; bf16 measures training only, int8 prediction only", OPTION_CHOICE,
          &b.net.precision, .choices = bench_precisions, .initial = "fp32" },
        { "data", "PATH", "photographs for the loader: folder, zip or CSV list", OPTION_TEXT, &b.data.path,
          .initial = "images in memory" },
        TRUST_OPTION(b.data),
        { "part", "NAME", "part to measure", OPTION_CHOICE, &b.part, .choices = part_names, .initial = "all" },
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &json },
        THREADS_OPTION(b.net.resources),
        MAX_PIXELS_OPTION(b.net.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (refuse_options_of_other_parts(command, &b) || net_check(command, &b.net.net))
        return EXIT_USAGE;
    return measure(&b, json);
}

const catdog_command bench_command = {
    "bench",
    "measure the speed of this machine, a network and the loader",
    "[OPTION]...",
    "Measures the peak of this machine's arithmetic in each precision, and its memory bandwidth.\n"
    "Then measures a network on images in memory: the speed of training (with Adam) and of\n"
    "prediction, also as a percentage of the peak; the memory used; and the time from the start\n"
    "of a process to its first prediction. Then measures each stage of the loader. A percentage\n"
    "above 100 is possible, because some convolutions take fewer operations than their definition.\n"
    "This takes about ten seconds, during which nothing else should run.\n\n"
    "  catdog bench\n"
    "  catdog bench --data PetImages\n"
    "  catdog bench --precision bf16\n"
    "  catdog bench --precision int8 --part net\n"
    "  catdog bench --net two_conv --batch 64 --threads 2 --json\n",
    run,
};
