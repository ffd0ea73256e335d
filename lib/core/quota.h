/* Processor time that control groups of Linux allow: what a container has of a larger machine. */
#ifndef CNN_CORE_QUOTA_H
#define CNN_CORE_QUOTA_H

#include <stdint.h>

/* The fewest whole processors that the process's own group or one above it may use, of version 1 and 2: rounded down,
 * at least 1; 0 without a quota. `root` stands before every path that is read: "" outside of tests. */
uint32_t cnn_cpu_quota(const char *root);

#endif
