/* Ctrl-C asks the work to stop where it can; a second one kills the process. */
#ifndef CATDOG_INTERRUPT_H
#define CATDOG_INTERRUPT_H

/* From here on SIGINT and SIGTERM are noted, once. */
void interrupt_catch(void);
int interrupt_asked(void);

#endif
