/* The model that comes with catdog. */
#ifndef CATDOG_CLI_SHIPPED_H
#define CATDOG_CLI_SHIPPED_H

/* The path of the classifier of cats and dogs that is installed with the program, or lies in its build folder. NULL,
 * with a sentence printed, if it isn't there. Valid until the program ends. */
const char *shipped_model(void);

/* `given`, or the shipped model's path where that is NULL or the word "shipped". */
const char *shipped_model_unless(const char *given);

#endif
