/* How work is cut into tasks. Sums are cut by shapes alone, never by the number of threads: the same bits at any number
 * of them. Results may be shared out by it. */
#ifndef CNN_KERNELS_TASKS_H
#define CNN_KERNELS_TASKS_H

#include <stddef.h>
#include <stdint.h>

/* Tasks that few threads share evenly, and of how many threads that is true. */
enum { CNN_ENOUGH_TASKS = 16, CNN_FEW_THREADS = 4 };

/* The same of any number of threads. */
static inline int64_t cnn_enough_tasks(uint32_t threads)
{
    return threads <= CNN_FEW_THREADS ? CNN_ENOUGH_TASKS : CNN_ENOUGH_TASKS / CNN_FEW_THREADS * (int64_t)threads;
}

/* Values of an array that one task takes: 64 KiB of floats. */
enum { CNN_CHUNK = 16384 };

static inline size_t cnn_chunk_count(size_t values)
{
    return (values + CNN_CHUNK - 1) / CNN_CHUNK;
}

static inline size_t cnn_chunk_length(size_t values, size_t chunk)
{
    size_t left = values - chunk * CNN_CHUNK;
    return left < CNN_CHUNK ? left : CNN_CHUNK;
}

static inline int64_t cnn_divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t cnn_lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cnn_at_least_1(int64_t value)
{
    return value > 1 ? value : 1;
}

static inline int64_t cnn_clamp_size(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

#endif
