/* How the kernels' speeds are printed: as lines for people or as JSON, an array of sets of layers. */
#ifndef CNN_TESTS_BENCH_REPORT_H
#define CNN_TESTS_BENCH_REPORT_H

#include <stdbool.h>

void bench_begin(bool json);
void bench_end(void);

/* What follows is of this instruction set, precision and number of threads. */
void bench_set_of(const char *set, const char *precision, unsigned threads, double peak);
void bench_layer_of(const char *name);
void bench_rate(const char *what, double rate); /* in 1e9 operations a second */
void bench_packing(double seconds);

#endif
