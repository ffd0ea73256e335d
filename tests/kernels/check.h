/* Every instruction set's kernels against the plain C reference, in the manner of dav1d's checkasm; and their speed. */
#ifndef CNN_TESTS_CHECK_H
#define CNN_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/context.h>

#include "core/cpu.h"
#include "kernels/conv/conv.h"
#include "kernels/gemm/dense.h"

/* Values of which sums are exact in any order, so that results must agree to the bit; or any. */
typedef enum check_values { CHECK_WHOLE_NUMBERS, CHECK_FLOATS } check_values;

/* Memory with marks before and behind it. */
void *check_allocate(size_t bytes);
void check_release(void *memory); /* counts a failure if a mark has changed */

float *check_random(int64_t count, check_values values, uint32_t seed);
uint32_t check_draw(uint32_t *state, uint32_t bound);

/* Rounds to what bfloat16 can hold, if that is the type. */
void check_round(float *values, int64_t count, cnn_dtype type);

/* A copy in that type; and floats of values in it, which are released. */
void *check_typed(const float *values, int64_t count, cnn_dtype type);
float *check_widened(void *values, int64_t count, cnn_dtype type);

/* Counts a failure if `count` values aren't equal, or within `tolerance`; `what` and the case's name are printed. */
void check_equal(const char *what, const float *expected, const float *got, int64_t count, float tolerance);
void check_same_bits(const char *what, const void *expected, const void *got, size_t bytes);
void check_true(const char *what, bool truth);

/* Names the case under check, for messages. */
__attribute__((format(printf, 1, 2))) void check_case(const char *format, ...);

/* One context for each tier and number of threads; the first of a set has one thread. Sanitizers are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CHECK_SANITIZED = 1, CHECK_THREADS = 2 };
#else
enum { CHECK_SANITIZED = 0, CHECK_THREADS = 4 };
#endif
typedef struct check_set {
    const char *name;
    cnn_context *contexts[CHECK_THREADS];
} check_set;

typedef struct check_sets {
    check_set sets[CNN_TIER_COUNT];
    int count;
} check_sets;

void check_batch_norm(const check_sets *sets);
void check_conv(const check_sets *sets);
void check_convert_bf16(const check_sets *sets);
void check_dense(const check_sets *sets);
void check_elementwise(const check_sets *sets);
void check_int8(const check_sets *sets);
void check_pool(const check_sets *sets);
void check_winograd(const check_sets *sets);

/* Prints GFLOP/s and per cent of the measured peak of the best set on one and two threads, or of `set` on one.
 * `filter`: only shapes whose name contains it. As text, or as JSON: see bench_report.h. */
void bench(const check_sets *sets, const char *set, const char *filter, bool json);
void bench_int8(const char *set, cnn_context *context, const char *filter);

#endif
