/* What is done with a case's model, one operation after the other, each of which checks what it can. */
#ifndef CNN_TESTS_RANDOM_OPERATIONS_H
#define CNN_TESTS_RANDOM_OPERATIONS_H

#include "case.h"

typedef struct case_trial case_trial;

typedef struct operation_form {
    const char *name;
    int32_t weight;   /* how often it is drawn */
    int32_t argument; /* drawn below this */
    bool threads;     /* of interest to a thread sanitizer */
    bool (*run)(case_trial *trial, int32_t argument);
} operation_form;
extern const operation_form operation_forms[];
extern const int32_t operation_count;

/* The index of the operation of that name. */
int32_t operations_find(const char *name);

void operations_draw(random_case *drawn, draw *source, bool threads_only);

typedef enum case_result { CASE_PASSED, CASE_FAILED, CASE_IMPOSSIBLE } case_result;

/* Runs a case, with `folder` for its files. Where it failed, `why` says what was wrong, and what was allocated is lost.
 */
case_result operations_run(const random_case *it, const char *folder, char *why, size_t size);

#endif
