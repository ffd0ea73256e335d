/* The model that comes with catdog. */
#ifndef CATDOG_CLI_SHIPPED_H
#define CATDOG_CLI_SHIPPED_H

/* The default of --model, as help shows it. */
#define SHIPPED_MODEL "the cat and dog model that comes with catdog"

/* The path of the classifier of cats and dogs that is installed with the program, or is in its build folder. NULL with
 * a sentence printed if it is missing. Valid until the program ends. */
const char *shipped_model(void);

/* `named`, or the shipped model's where `named` is NULL or the word "shipped". */
const char *shipped_model_unless(const char *named);

#endif
