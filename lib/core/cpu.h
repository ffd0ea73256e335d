/* The instruction sets that the processor has, and how many processors there are to use. */
#ifndef CNN_CORE_CPU_H
#define CNN_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include <cnn/context.h>

/* The best instruction set that the processor has and this build was compiled for, not above `wanted`. */
cnn_instruction_set cnn_cpu_instruction_set(cnn_instruction_set wanted);

/* Dot products of bytes in 512-bit vectors. */
bool cnn_cpu_has_vnni(void);

const char *cnn_instruction_set_name(cnn_instruction_set set);

/* CNN_ISA_BEST if the name is none. */
cnn_instruction_set cnn_instruction_set_from_name(const char *name);

/* Processors that this process may run on, and a quota of a control group gives it the time for. */
uint32_t cnn_cpu_count(void);

#endif
