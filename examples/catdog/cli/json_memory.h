/* Whether memory was short while JSON was built: jansson's functions tell by results that would have to be looked at
 * for each element of each list. */
#ifndef CATDOG_CLI_JSON_MEMORY_H
#define CATDOG_CLI_JSON_MEMORY_H

/* Before the first use of jansson. */
void json_memory_watch(void);

/* Frees what jansson's functions give to be freed. */
void json_memory_release(void *memory);

/* Tells of an allocation that failed elsewhere, so that a value is missing. */
void json_memory_lost(void);

/* Not 0 if an allocation for JSON has failed on this thread since the last call. What was built since may lack parts.
 */
int json_memory_ran_out(void);

#endif
