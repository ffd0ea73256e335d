/* Prints the results of `catdog bench`. */
#ifndef CATDOG_BENCH_BENCH_OUTPUT_H
#define CATDOG_BENCH_BENCH_OUTPUT_H

#include "bench/bench_run.h"

extern const char *const bench_precisions[]; /* by bench_net.precision; NULL past the last */

/* Each part as text, once it is measured. */
void bench_output_machine(const bench_run *b);
void bench_output_net(const bench_run *b);
void bench_output_loader(const bench_run *b);

/* All parts as JSON. Returns an exit status. */
int bench_output_json(const bench_run *b);

#endif
