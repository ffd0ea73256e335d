#include "bench_report.h"

#include <stdio.h>

static struct {
    bool json, in_set, in_layer, first_layer;
    double peak;
} state;

static void close_layer(void)
{
    if (state.in_layer)
        printf(state.json ? " }" : "\n");
    state.in_layer = false;
}

static void close_set(void)
{
    close_layer();
    if (state.in_set && state.json)
        printf("\n  ] }");
    state.in_set = false;
}

void bench_begin(bool json)
{
    state.json = json;
    if (json)
        printf("[");
}

void bench_end(void)
{
    close_set();
    if (state.json)
        printf("\n]\n");
}

void bench_set_of(const char *set, const char *precision, unsigned threads, double peak)
{
    static bool any;
    close_set();
    if (state.json)
        printf("%s\n  { \"instruction_set\": \"%s\", \"precision\": \"%s\", \"threads\": %u, \"peak_gflops\": %.1f, "
               "\"layers\": [",
               any ? "," : "", set, precision, threads, peak);
    else
        printf("%s, %s, %u threads: G operations a second (of the peak, %.0f)\n", set, precision, threads, peak);
    any = true;
    state.in_set = true;
    state.peak = peak;
    state.first_layer = true;
}

void bench_layer_of(const char *name)
{
    close_layer();
    if (state.json)
        printf("%s\n    { \"layer\": \"%s\"", state.first_layer ? "" : ",", name);
    else
        printf("%-24s", name);
    state.first_layer = false;
    state.in_layer = true;
}

void bench_rate(const char *what, double rate)
{
    double percent = 100 * rate / state.peak;
    if (state.json)
        printf(", \"%s\": { \"gflops\": %.1f, \"percent_of_peak\": %.1f }", what, rate, percent);
    else
        printf("  %s %6.1f (%4.1f %%)", what, rate, percent);
    fflush(stdout);
}

void bench_packing(double seconds)
{
    printf(state.json ? ", \"packing_ms\": %.3f" : "  packing %.3f ms", 1e3 * seconds);
}
