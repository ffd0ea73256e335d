/* Peak arithmetic of one core: multiplications and additions in registers, in billions a second. */
#ifndef CATDOG_BENCH_PEAK_FLOPS_H
#define CATDOG_BENCH_PEAK_FLOPS_H

double peak_gflops(const char *instruction_set);
double peak_int8_gops(const char *instruction_set);
double peak_bf16_gflops(const char *instruction_set); /* of products of bfloat16; of floats where there are none */

#endif
