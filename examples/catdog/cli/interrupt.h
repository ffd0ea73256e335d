/* Ctrl-C asks the work to stop where it can; a second one kills the process. */
#ifndef CATDOG_CLI_INTERRUPT_H
#define CATDOG_CLI_INTERRUPT_H

/* From here on SIGINT, SIGTERM and SIGHUP (a closed terminal) are noted, once; SIGHUP not where it was ignored. */
void interrupt_catch(void);
int interrupt_asked(void);

#endif
