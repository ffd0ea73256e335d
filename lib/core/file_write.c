#define _GNU_SOURCE /* O_TMPFILE, getrandom */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

/* Calls again what a signal has interrupted. */
#define RETRY(result, call) \
    do                      \
        (result) = (call);  \
    while ((result) < 0 && errno == EINTR)

enum { MOST_LINKS = 40, KEPT_OF_NAME = 200 };

/* Where the bytes go. */
typedef struct target {
    const char *given;   /* for sentences */
    char path[PATH_MAX]; /* without symbolic links at its end */
    char folder[PATH_MAX];
    int descriptor; /* of a path such as /dev/stdout; else -1 */
    bool exists;
    struct stat info; /* if it exists */
} target;

static bool copy_path(char to[PATH_MAX], const char *path)
{
    int length = snprintf(to, PATH_MAX, "%s", path);
    if (length >= 0 && length < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* The folder that a path is in. */
static void find_folder(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, PATH_MAX, ".");
    else
        snprintf(folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* "/dev/fd/N" and "/proc/self/fd/N", where /dev/stdout and its kind lead: opened anew, a file that standard output goes
 * to would be written from its beginning. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = { "/proc/self/fd/", "/dev/fd/" };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) != 0 || path[length] < '0' || path[length] > '9')
            continue;
        char *end;
        long descriptor = strtol(path + length, &end, 10);
        return *end || descriptor > INT_MAX ? -1 : (int)descriptor;
    }
    return -1;
}

/* Follows one link. */
static bool follow(char path[PATH_MAX])
{
    char link[PATH_MAX], joined[PATH_MAX];
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0)
        return false;
    link[length] = 0;
    const char *slash = strrchr(path, '/');
    int kept = link[0] == '/' || !slash ? 0 : (int)(slash + 1 - path);
    if (snprintf(joined, sizeof joined, "%.*s%s", kept, path, link) >= (int)sizeof joined) {
        errno = ENAMETOOLONG;
        return false;
    }
    return copy_path(path, joined);
}

/* Follows links to their end, which need not exist. False with errno. */
static bool resolve(const char *given, target *to)
{
    *to = (target){ .given = given, .descriptor = -1 };
    if (!copy_path(to->path, given))
        return false;
    for (int links = 0; links <= MOST_LINKS; links++) {
        to->descriptor = descriptor_of(to->path);
        if (to->descriptor >= 0)
            return true;
        to->exists = !lstat(to->path, &to->info);
        if (!to->exists && errno != ENOENT)
            return false;
        if (!to->exists || !S_ISLNK(to->info.st_mode)) {
            find_folder(to->path, to->folder);
            return true;
        }
        if (!follow(to->path))
            return false;
    }
    errno = ELOOP;
    return false;
}

static bool is_stream(const target *to)
{
    return to->descriptor >= 0 || (to->exists && (S_ISFIFO(to->info.st_mode) || S_ISCHR(to->info.st_mode)));
}

bool cnn_file_is_stream(const char *path)
{
    target to;
    return resolve(path, &to) && is_stream(&to);
}

static bool write_all(int descriptor, const char *data, size_t size)
{
    while (size) {
        ssize_t written;
        RETRY(written, write(descriptor, data, size));
        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool write_chunks(int descriptor, const cnn_chunk *chunks, size_t count)
{
    bool sound = true;
    for (size_t i = 0; i < count && sound; i++)
        sound = write_all(descriptor, chunks[i].data, chunks[i].size);
    return sound;
}

static void take_signal(const sigset_t *set)
{
    while (sigtimedwait(set, NULL, &(struct timespec){ 0 }) < 0 && errno == EINTR)
        continue;
}

/* A pipe whose reader has gone, and a file beyond the limit on its size (RLIMIT_FSIZE), are errors like others: the
 * signals that come with them would end the process. */
static bool write_without_signal(int descriptor, const cnn_chunk *chunks, size_t count)
{
    sigset_t held, before, pending;
    sigemptyset(&held);
    sigaddset(&held, SIGPIPE);
    sigaddset(&held, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    bool sound = write_chunks(descriptor, chunks, count);
    int reason = errno;
    int sent = sound ? 0 : reason == EPIPE ? SIGPIPE : reason == EFBIG ? SIGXFSZ : 0;
    if (sent && !sigismember(&pending, sent)) {
        sigemptyset(&held);
        sigaddset(&held, sent);
        take_signal(&held);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return sound;
}

static cnn_status write_stream(const target *to, const cnn_chunk *chunks, size_t count)
{
    int descriptor;
    if (to->descriptor >= 0)
        descriptor = fcntl(to->descriptor, F_DUPFD_CLOEXEC, 0);
    else
        RETRY(descriptor, open(to->path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (descriptor < 0)
        return cnn_fail_errno(to->given, "can't be opened");
    bool sound = write_without_signal(descriptor, chunks, count);
    cnn_status status = sound ? CNN_OK : cnn_fail_errno(to->given, "can't be written");
    if (close(descriptor) && errno != EINTR && !status)
        status = cnn_fail_errno(to->given, "can't be written");
    return status;
}

/* What isn't to be replaced. */
static cnn_status refuse(const target *to)
{
    if (!to->exists)
        return CNN_OK;
    mode_t mode = to->info.st_mode;
    if (!S_ISREG(mode))
        return cnn_fail(CNN_ERROR_IO, "%s: can't be written: it is a %s; name a file", to->given,
                        S_ISDIR(mode)    ? "folder"
                        : S_ISSOCK(mode) ? "socket"
                        : S_ISBLK(mode)  ? "disk"
                                         : "thing that is no file");
    return faccessat(AT_FDCWD, to->path, W_OK, AT_EACCESS) ? cnn_fail_errno(to->given, "can't be written") : CNN_OK;
}

static bool choose_name(const target *to, char name[PATH_MAX])
{
    uint64_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) { /* early in the system's life */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 16 ^ (uintptr_t)name;
    }
    const char *slash = strrchr(to->path, '/'), *last = slash ? slash + 1 : to->path;
    int length =
        snprintf(name, PATH_MAX, "%.*s.%.*s.%016" PRIx64, (int)(last - to->path), to->path, KEPT_OF_NAME, last, random);
    if (length < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* A file without a name is gone with the process. Not every file system has them; to get its name later it needs /proc.
 */
static int open_unnamed(const target *to, mode_t mode)
{
    int descriptor = -1;
#ifdef O_TMPFILE
    if (!access("/proc/self/fd", X_OK))
        RETRY(descriptor, open(to->folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
#endif
    return descriptor;
}

/* The name is new, so that nobody's file is opened, and nobody can have prepared it. */
static int open_named(const char *name, mode_t mode)
{
    int descriptor;
    RETRY(descriptor, open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    return descriptor;
}

/* Whoever could read the old file can read the new one, and nobody else. */
static bool keep_mode(int descriptor, const struct stat *old)
{
    struct stat info;
    if (fstat(descriptor, &info))
        return false;
    mode_t mode = old->st_mode & 07777;
    int failed = 0;
    if (info.st_uid != old->st_uid || info.st_gid != old->st_gid)
        RETRY(failed, fchown(descriptor, geteuid() ? (uid_t)-1 : old->st_uid, old->st_gid));
    if (failed)
        mode &= ~(mode_t)(S_ISUID | S_ISGID | S_IRWXG);
    RETRY(failed, fchmod(descriptor, mode));
    return !failed;
}

static bool give_name(int descriptor, const char *name)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
    return !linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static bool fill(int descriptor, const target *to, const cnn_chunk *chunks, size_t count)
{
    int failed;
    if (!write_without_signal(descriptor, chunks, count) || (to->exists && !keep_mode(descriptor, &to->info)))
        return false;
    RETRY(failed, fsync(descriptor));
    return !failed;
}

/* Writes a synced file beside the target, and leaves its name. On failure there is no file. */
static bool write_beside(const target *to, const cnn_chunk *chunks, size_t count, char name[PATH_MAX])
{
    mode_t mode = to->exists ? 0600 : 0666; /* a new one gets what the process gives to its files */
    if (!choose_name(to, name))
        return false;
    int descriptor = open_unnamed(to, mode);
    bool named = descriptor < 0;
    if (named)
        descriptor = open_named(name, mode);
    if (descriptor < 0)
        return false;
    bool sound = fill(descriptor, to, chunks, count);
    if (sound && !named)
        sound = named = give_name(descriptor, name);
    int reason = errno;
    if (close(descriptor) && errno != EINTR && sound) { /* after EINTR it is closed, and synced it was before */
        sound = false;
        reason = errno;
    }
    if (!sound && named)
        unlink(name);
    errno = reason;
    return sound;
}

/* The rename itself must reach the disk too. A folder that may not be read, and file systems that can't sync folders,
 * do without. */
static bool sync_folder(const char *folder)
{
    int descriptor, failed;
    RETRY(descriptor, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor < 0)
        return errno == EACCES;
    RETRY(failed, fsync(descriptor));
    int reason = errno;
    close(descriptor);
    errno = reason;
    return !failed || reason == EINVAL || reason == ENOTSUP;
}

static cnn_status replace(const target *to, const cnn_chunk *chunks, size_t count)
{
    char name[PATH_MAX];
    if (!write_beside(to, chunks, count, name))
        return cnn_fail_errno(to->given, "can't be written");
    if (rename(name, to->path)) {
        cnn_status status = cnn_fail_errno(to->given, "can't be written");
        unlink(name);
        return status;
    }
    return sync_folder(to->folder) ? CNN_OK
                                   : cnn_fail_errno(to->given, "is written, but may not outlast a loss of power: its "
                                                               "folder can't be synced");
}

cnn_status cnn_file_write(const char *path, const cnn_chunk *chunks, size_t count)
{
    target to;
    if (!resolve(path, &to))
        return cnn_fail_errno(path, "can't be written");
    if (is_stream(&to))
        return write_stream(&to, chunks, count);
    cnn_status status = refuse(&to);
    return status ? status : replace(&to, chunks, count);
}

cnn_status cnn_file_save(const char *path, const void *bytes, size_t size)
{
    if (!path || (!bytes && size))
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_file_save: NULL was given");
    return cnn_file_write(path, &(cnn_chunk){ bytes, size }, 1);
}
