/* Detects that memory ran out while JSON was built, without a check after each of jansson's calls. */
#ifndef CATDOG_CLI_JSON_MEMORY_H
#define CATDOG_CLI_JSON_MEMORY_H

/* Before the first use of jansson. */
void json_memory_watch(void);

/* Releases memory that jansson's functions return. */
void json_memory_release(void *memory);

/* Records an allocation that failed elsewhere and left a value out. */
void json_memory_lost(void);

/* Not 0 if an allocation for JSON has failed on this thread since the last call: JSON built since may be incomplete. */
int json_memory_ran_out(void);

#endif
