/* What becomes of a crash of the libraries that draw. */
#ifndef CATDOG_REPORT_DRAWING_CRASH_H
#define CATDOG_REPORT_DRAWING_CRASH_H

/* From here on a crash prints a sentence and ends the program with EXIT_FAILED: where memory or threads are short,
 * fontconfig and Pango write to NULL, and GLib ends the program, with a signal. Signals that have a handler, such as a
 * sanitizer's, keep it. */
void drawing_crash_catch(void);

#endif
