/* Runs a program and makes one of its system calls fail, be cut short, or the process be killed before it:
 *
 *     trace REPORT POSITION WAY PROGRAM [ARGUMENT]...
 *
 * Counted are the calls of all threads that open, read, write, sync, rename, map, close and the like, from main() on
 * (interpose.c marks it, which FAULT_PRELOAD names). WAY is which of the errors that a call may have (see `calls`),
 * from 0, or "kill". To REPORT go the number of calls, and the name and error of the one that failed; "-" if it has no
 * such WAY; with POSITION 0 the names of all, and how many ways each has. The exit status is the program's, or 128 and
 * the signal's number. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interpose.h"

#if defined(__x86_64__)

enum { SHORT = -1, MOST_WAYS = 4, MOST_THREADS = 64 };

static const struct call {
    long number;
    const char *name;
    int ways[MOST_WAYS]; /* errors; SHORT: fewer bytes than were asked for */
} calls[] = {
    { SYS_open, "open", { ENOSPC, EIO, EINTR } },
    { SYS_openat, "open", { ENOSPC, EIO, EINTR } },
    { SYS_read, "read", { EIO, EINTR, SHORT } },
    { SYS_pread64, "pread", { EIO, EINTR, SHORT } },
    { SYS_write, "write", { ENOSPC, EIO, EINTR, SHORT } },
    { SYS_pwrite64, "pwrite", { ENOSPC, EIO, EINTR, SHORT } },
    { SYS_writev, "writev", { ENOSPC, EIO, EINTR } },
    { SYS_fsync, "fsync", { EIO, ENOSPC, EINTR } },
    { SYS_fdatasync, "fdatasync", { EIO, ENOSPC, EINTR } },
    { SYS_rename, "rename", { ENOSPC, EIO } },
    { SYS_renameat, "rename", { ENOSPC, EIO } },
    { SYS_renameat2, "rename", { ENOSPC, EIO } },
    { SYS_link, "link", { ENOSPC, EIO } },
    { SYS_linkat, "link", { ENOSPC, EIO } },
    { SYS_unlink, "unlink", { EIO } },
    { SYS_mkdir, "mkdir", { ENOSPC, EIO } },
    { SYS_mmap, "mmap", { ENOMEM } },
    { SYS_close, "close", { EIO, EINTR } },
    { SYS_ftruncate, "ftruncate", { EIO, EINTR } },
    { SYS_fchmod, "fchmod", { EIO, EINTR } },
    { SYS_fchown, "fchown", { EIO, EINTR } },
    { SYS_fstat, "stat", { EIO } },
    { SYS_stat, "stat", { EIO } },
    { SYS_lstat, "stat", { EIO } },
    { SYS_newfstatat, "stat", { EIO } },
    { SYS_access, "access", { EIO } },
    { SYS_faccessat, "access", { EIO } },
    { SYS_getdents64, "getdents", { EIO } },
    { SYS_lseek, "lseek", { EIO } },
    { SYS_clone3, "clone", { EAGAIN } },
    { SYS_clone, "clone", { EAGAIN } },
};

/* What a thread's call is to give when it ends. */
typedef struct pending {
    pid_t thread;
    int error;
} pending;

typedef struct tracer {
    FILE *report;
    long position, count;
    int way; /* -1: kill */
    bool counts, lists;
    pid_t process;
    pending threads[MOST_THREADS];
    const char *name, *error;
} tracer;

static const struct call *find_call(long number)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

static int count_ways(const struct call *call)
{
    int count = 0;
    while (count < MOST_WAYS && call->ways[count])
        count++;
    return count;
}

static void shorten(pid_t thread, struct user_regs_struct *registers, tracer *t)
{
    if (registers->rdx < 2) {
        t->error = "-";
        return;
    }
    registers->rdx /= 2;
    ptrace(PTRACE_SETREGS, thread, NULL, registers);
    t->error = "short";
}

static void fail(pid_t thread, int error, struct user_regs_struct *registers, tracer *t)
{
    for (int i = 0; i < MOST_THREADS; i++) {
        if (!t->threads[i].thread) {
            t->threads[i] = (pending){ thread, error };
            registers->orig_rax = (unsigned long long)-1;
            ptrace(PTRACE_SETREGS, thread, NULL, registers);
            t->error = strerrorname_np(error);
            return;
        }
    }
}

static void enter(pid_t thread, struct user_regs_struct *registers, tracer *t)
{
    long number = (long)registers->orig_rax;
    if (number == SYS_getpgid && registers->rdi == FAULT_MARK) {
        t->counts = true;
        t->count = 0;
    }
    const struct call *call = t->counts ? find_call(number) : NULL;
    if (!call)
        return;
    t->count++;
    if (t->lists)
        fprintf(t->report, "%s:%d\n", call->name, count_ways(call));
    if (t->count != t->position)
        return;
    t->position = -1; /* once, whatever the process becomes */
    t->name = call->name;
    t->error = "-";
    if (t->way < 0) {
        t->error = "kill";
        kill(t->process, SIGKILL);
    } else if (t->way < MOST_WAYS && call->ways[t->way] == SHORT) {
        shorten(thread, registers, t);
    } else if (t->way < MOST_WAYS && call->ways[t->way]) {
        fail(thread, call->ways[t->way], registers, t);
    }
}

static void leave(pid_t thread, struct user_regs_struct *registers, tracer *t)
{
    for (int i = 0; i < MOST_THREADS; i++) {
        if (t->threads[i].thread != thread)
            continue;
        registers->rax = (unsigned long long)-(long long)t->threads[i].error;
        ptrace(PTRACE_SETREGS, thread, NULL, registers);
        t->threads[i] = (pending){ 0 };
    }
}

static void handle_call(pid_t thread, tracer *t)
{
    struct __ptrace_syscall_info info;
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0 ||
        ptrace(PTRACE_GETREGS, thread, NULL, &registers))
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        enter(thread, &registers, t);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        leave(thread, &registers, t);
}

/* Follows all threads to their end; gives the process's. */
static int follow(tracer *t)
{
    int status, result = 0;
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == t->process)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int number = WSTOPSIG(status), passed = 0;
        if (number == (SIGTRAP | 0x80))
            handle_call(thread, t);
        else if (status >> 16 == PTRACE_EVENT_EXEC)
            t->counts = false; /* till the new program's main() */
        else if (!(status >> 16) && number != SIGSTOP)
            passed = number;
        ptrace(PTRACE_SYSCALL, thread, NULL, passed);
    }
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    tracer t = { .report = fopen(argv[1], "we"),
                 .position = atol(argv[2]),
                 .lists = !atol(argv[2]),
                 .way = strcmp(argv[3], "kill") ? atoi(argv[3]) : -1 };
    if (!t.report)
        return 2;
    t.process = fork();
    if (!t.process) {
        if (getenv("FAULT_PRELOAD"))
            setenv("LD_PRELOAD", getenv("FAULT_PRELOAD"), 1);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[4], argv + 4);
        _exit(127);
    }
    int status;
    if (t.process < 0 || waitpid(t.process, &status, __WALL) != t.process ||
        ptrace(PTRACE_SETOPTIONS, t.process, NULL,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) ||
        ptrace(PTRACE_SYSCALL, t.process, NULL, NULL)) {
        perror("trace");
        return 77;
    }
    int result = follow(&t);
    if (!t.lists)
        fprintf(t.report, "%ld %s %s\n", t.count, t.name ? t.name : "none", t.error ? t.error : "-");
    return fclose(t.report) ? 2 : result;
}

#else
int main(void)
{
    return 77; /* the registers of other processors have other names */
}
#endif
