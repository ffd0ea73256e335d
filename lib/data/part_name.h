/* Which part of a dataset a name means: of a folder ("train", "valid", "4k_test_set"), or a value in a list. */
#ifndef CNN_DATA_PART_NAME_H
#define CNN_DATA_PART_NAME_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cnn_role { CNN_ROLE_TRAINING = 0, CNN_ROLE_VALIDATION = 1, CNN_ROLE_TEST = 2, CNN_ROLES = 3 } cnn_role;

/* How a name says it: not at all, among other words ("seg_train"), or with nothing beside it that means anything
 * ("train", "test1", "4k_training_data_set"). */
typedef enum cnn_part_match { CNN_PART_MATCH_NONE, CNN_PART_MATCH_AMONG_WORDS, CNN_PART_MATCH_WHOLE } cnn_part_match;

/* Only whole words count: "strainer", "latest" and "valve" name no part, nor does a name of two parts. */
cnn_part_match cnn_part_of_name(const char *name, size_t length, cnn_role *role);

#endif
