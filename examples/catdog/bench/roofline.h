/* The machine's roofline (Williams, Waterman and Patterson 2009): peak arithmetic, and the bandwidth of memory that is
 * far larger than the caches. */
#ifndef CATDOG_BENCH_ROOFLINE_H
#define CATDOG_BENCH_ROOFLINE_H

typedef struct roofline_limits {
    double fp32, bf16, int8; /* GFLOP/s, GOP/s */
    double read, copy;       /* GB/s; copying counts the bytes read and the bytes written */
} roofline_limits;

/* Measures all threads together. `instruction_set` is the library's name for it. Returns 0, or -1 if memory or threads
 * are short. */
int roofline_measure(unsigned threads, const char *instruction_set, roofline_limits *limits);

#endif
