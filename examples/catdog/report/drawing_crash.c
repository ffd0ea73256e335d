#include "report/drawing_crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"

static const char sentence[] = "catdog: Pango or fontconfig crashed while drawing, probably because memory or threads "
                               "are short; raise the limits (ulimit -v, ulimit -u) and draw again\n";

/* Calls nothing but what a handler may call. */
static void end(int number)
{
    (void)number;
    ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);
    (void)written; /* without standard error there is nobody to tell */
    _exit(EXIT_FAILED);
}

void drawing_crash_catch(void)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGTRAP };
    struct sigaction action, present;
    memset(&action, 0, sizeof action);
    action.sa_handler = end;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        if (!sigaction(crashes[i], NULL, &present) && present.sa_handler == SIG_DFL)
            sigaction(crashes[i], &action, NULL);
}
