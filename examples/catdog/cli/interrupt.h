/* Stopping on Ctrl-C: the first one asks the work to stop at its next opportunity, the second kills the process. */
#ifndef CATDOG_CLI_INTERRUPT_H
#define CATDOG_CLI_INTERRUPT_H

/* From here on the first SIGINT, SIGTERM or SIGHUP (a closed terminal) is recorded; SIGHUP not if it was ignored. */
void interrupt_catch(void);
int interrupt_asked(void);

#endif
