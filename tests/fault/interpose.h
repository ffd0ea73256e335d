/* A process group that doesn't exist. interpose.c asks for it when main() begins, which tells trace.c so. */
#ifndef CNN_TESTS_FAULT_INTERPOSE_H
#define CNN_TESTS_FAULT_INTERPOSE_H

enum { FAULT_MARK = 123456789 };

#endif
