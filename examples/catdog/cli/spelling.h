/* What a misspelt word was meant to be. */
#ifndef CATDOG_CLI_SPELLING_H
#define CATDOG_CLI_SPELLING_H

/* The one of `names` (ends in NULL) that `word` probably stands for; NULL if none is similar. */
const char *spelling_nearest(const char *word, const char *const *names);

#endif
