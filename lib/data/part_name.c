#include "data/part_name.h"

#include <string.h>

typedef struct part_word {
    const char *word;
    cnn_role role;
} part_word;

static const part_word part_words[] = {
    { "train", CNN_ROLE_TRAINING },
    { "training", CNN_ROLE_TRAINING },
    { "trainset", CNN_ROLE_TRAINING },
    { "trainingset", CNN_ROLE_TRAINING },
    { "traindata", CNN_ROLE_TRAINING },
    { "val", CNN_ROLE_VALIDATION },
    { "valid", CNN_ROLE_VALIDATION },
    { "validate", CNN_ROLE_VALIDATION },
    { "validation", CNN_ROLE_VALIDATION },
    { "valset", CNN_ROLE_VALIDATION },
    { "validset", CNN_ROLE_VALIDATION },
    { "validationset", CNN_ROLE_VALIDATION },
    { "dev", CNN_ROLE_VALIDATION },
    { "devset", CNN_ROLE_VALIDATION },
    { "development", CNN_ROLE_VALIDATION },
    { "test", CNN_ROLE_TEST },
    { "tests", CNN_ROLE_TEST },
    { "testing", CNN_ROLE_TEST },
    { "testset", CNN_ROLE_TEST },
    { "testdata", CNN_ROLE_TEST },
    { "eval", CNN_ROLE_TEST },
    { "evaluation", CNN_ROLE_TEST },
    { "holdout", CNN_ROLE_TEST },
};

static const char *const words_of_no_meaning[] = { "data",  "dataset", "set",    "sets",  "images",   "image",
                                                   "img",   "imgs",    "photos", "photo", "pictures", "part",
                                                   "split", "subset",  "k",      "files", "folder",   "the" };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_word(const char *at, size_t length, const char *word)
{
    if (strlen(word) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((at[i] | 0x20) != word[i])
            return false;
    return true;
}

static const part_word *find_part_word(const char *at, size_t length)
{
    for (size_t i = 0; i < sizeof part_words / sizeof *part_words; i++)
        if (is_word(at, length, part_words[i].word))
            return &part_words[i];
    return NULL;
}

static bool means_nothing(const char *at, size_t length)
{
    for (size_t i = 0; i < sizeof words_of_no_meaning / sizeof *words_of_no_meaning; i++)
        if (is_word(at, length, words_of_no_meaning[i]))
            return true;
    return false;
}

cnn_part_match cnn_part_of_name(const char *name, size_t length, cnn_role *role)
{
    const part_word *found = NULL;
    cnn_part_match match = CNN_PART_MATCH_WHOLE;
    for (size_t at = 0, used; at < length; at += used) {
        for (used = 0; at + used < length && is_letter(name[at + used]);)
            used++;
        const part_word *part = used ? find_part_word(name + at, used) : NULL;
        if (part && found)
            return CNN_PART_MATCH_NONE;
        if (part)
            found = part;
        else if (used && !means_nothing(name + at, used))
            match = CNN_PART_MATCH_AMONG_WORDS;
        used += !used; /* digits and separators */
    }
    if (found)
        *role = found->role;
    return found ? match : CNN_PART_MATCH_NONE;
}
