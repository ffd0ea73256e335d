/* How many optimizers and schedules the library has: one that is added is drawn, too. */
#ifndef CNN_TESTS_RANDOM_KINDS_H
#define CNN_TESTS_RANDOM_KINDS_H

#include <stdint.h>

int32_t kinds_of_optimizer(void);
int32_t kinds_of_schedule(void);

#endif
