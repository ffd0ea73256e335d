/* What the machine itself can do: arithmetic among registers, and reading and copying memory that is far larger than
 * its caches. */
#ifndef CATDOG_BENCH_ROOFLINE_H
#define CATDOG_BENCH_ROOFLINE_H

typedef struct roofline_limits {
    double fp32, bf16, int8; /* GFLOP/s, GOP/s */
    double read, copy;       /* GB/s; copying counts the bytes read and the bytes written */
} roofline_limits;

/* Of so many threads together, by an instruction set as the library calls it. Gives 0, or -1 if there is no memory or
 * there are no threads for it. */
int roofline_measure(unsigned threads, const char *instruction_set, roofline_limits *limits);

#endif
