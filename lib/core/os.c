#define _GNU_SOURCE /* O_TMPFILE, getrandom, sched_getaffinity, d_type, madvise, RTLD_NODELETE */
#include "core/os.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/size.h"

/* Calls again what a signal has interrupted. */
#define RETRY(result, call) \
    do                      \
        (result) = (call);  \
    while ((result) < 0 && errno == EINTR)

/* --- reading --- */

int cnn_os_open(const char *path)
{
    int descriptor;
    RETRY(descriptor, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return descriptor;
}

bool cnn_os_close(int descriptor)
{
    return !close(descriptor) || errno == EINTR;
}

static cnn_file_kind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode)    ? CNN_FILE_REGULAR
           : S_ISDIR(mode)  ? CNN_FILE_FOLDER
           : S_ISLNK(mode)  ? CNN_FILE_LINK
           : S_ISFIFO(mode) ? CNN_FILE_PIPE
           : S_ISCHR(mode)  ? CNN_FILE_CHARACTERS
           : S_ISSOCK(mode) ? CNN_FILE_SOCKET
           : S_ISBLK(mode)  ? CNN_FILE_DISK
                            : CNN_FILE_UNKNOWN;
}

static bool describe(int failed, const struct stat *from, cnn_file_info *info)
{
    if (failed)
        return false;
    *info = (cnn_file_info){ .kind = kind_of_mode(from->st_mode),
                             .size = (uint64_t)from->st_size,
                             .device = from->st_dev,
                             .number = from->st_ino,
                             .mode = from->st_mode & 07777,
                             .owner = from->st_uid,
                             .group = from->st_gid };
    return true;
}

bool cnn_os_stat(const char *path, cnn_file_info *info)
{
    struct stat found;
    return describe(stat(path, &found), &found, info);
}

bool cnn_os_lstat(const char *path, cnn_file_info *info)
{
    struct stat found;
    return describe(lstat(path, &found), &found, info);
}

bool cnn_os_fstat(int descriptor, cnn_file_info *info)
{
    struct stat found;
    return describe(fstat(descriptor, &found), &found, info);
}

bool cnn_os_exists(const char *path)
{
    return !access(path, F_OK);
}

bool cnn_os_read(int descriptor, void *to, size_t size, size_t *done)
{
    for (*done = 0; *done < size;) {
        ssize_t got;
        RETRY(got, read(descriptor, (char *)to + *done, size - *done));
        if (got <= 0)
            return got == 0;
        *done += (size_t)got;
    }
    return true;
}

bool cnn_os_read_at(int descriptor, void *to, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got;
        RETRY(got, pread(descriptor, (char *)to + done, size - done, (off_t)(offset + done)));
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool cnn_os_real_path(const char *path, char resolved[CNN_PATH_MAX])
{
    _Static_assert(CNN_PATH_MAX >= PATH_MAX, "a path must fit");
    return realpath(path, resolved);
}

bool cnn_os_read_link(const char *path, char target[CNN_PATH_MAX])
{
    ssize_t length = readlink(path, target, CNN_PATH_MAX - 1);
    if (length >= 0)
        target[length] = 0;
    return length >= 0;
}

cnn_folder *cnn_os_open_folder(const char *path)
{
    return (cnn_folder *)opendir(path);
}

const char *cnn_os_next_name(cnn_folder *folder, cnn_file_kind *kind)
{
    errno = 0;
    const struct dirent *item = readdir((DIR *)folder);
    if (!item)
        return NULL;
    *kind = kind_of_mode(DTTOIF(item->d_type));
    return item->d_name;
}

void cnn_os_close_folder(cnn_folder *folder)
{
    closedir((DIR *)folder);
}

/* --- writing --- */

int cnn_os_open_stream(const char *path)
{
    int descriptor;
    RETRY(descriptor, open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    return descriptor;
}

int cnn_os_duplicate(int descriptor)
{
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

int cnn_os_create(const char *path, uint32_t mode)
{
    int descriptor;
    RETRY(descriptor, open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode));
    return descriptor;
}

/* To get its name later it needs /proc. */
int cnn_os_create_unnamed(const char *folder, uint32_t mode)
{
    int descriptor = -1;
#ifdef O_TMPFILE
    if (!access("/proc/self/fd", X_OK))
        RETRY(descriptor, open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, (mode_t)mode));
#endif
    return descriptor;
}

bool cnn_os_give_name(int descriptor, const char *path)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
    return !linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
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

static void take_signal(const sigset_t *set)
{
    while (sigtimedwait(set, NULL, &(struct timespec){ 0 }) < 0 && errno == EINTR)
        continue;
}

/* SIGPIPE and SIGXFSZ would end the process. They are held back, and taken away if this is what sent them. */
bool cnn_os_write(int descriptor, const cnn_chunk *chunks, size_t count)
{
    sigset_t held, before, pending;
    sigemptyset(&held);
    sigaddset(&held, SIGPIPE);
    sigaddset(&held, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    bool sound = true;
    for (size_t i = 0; i < count && sound; i++)
        sound = write_all(descriptor, chunks[i].data, chunks[i].size);
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

bool cnn_os_copy_access(int descriptor, const cnn_file_info *from)
{
    struct stat info;
    if (fstat(descriptor, &info))
        return false;
    mode_t mode = (mode_t)from->mode;
    int failed = 0;
    if (info.st_uid != from->owner || info.st_gid != from->group)
        RETRY(failed, fchown(descriptor, geteuid() ? (uid_t)-1 : from->owner, from->group));
    if (failed) /* the group is another one now, and is to read nothing */
        mode &= ~(mode_t)(S_ISUID | S_ISGID | S_IRWXG);
    RETRY(failed, fchmod(descriptor, mode));
    return !failed;
}

bool cnn_os_sync(int descriptor)
{
    int failed;
    RETRY(failed, fsync(descriptor));
    return !failed;
}

bool cnn_os_sync_folder(const char *folder)
{
    int descriptor;
    RETRY(descriptor, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor < 0)
        return errno == EACCES;
    bool synced = cnn_os_sync(descriptor);
    int reason = errno;
    close(descriptor);
    errno = reason;
    return synced || reason == EINVAL || reason == ENOTSUP;
}

bool cnn_os_may_write(const char *path)
{
    return !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

bool cnn_os_rename(const char *from, const char *to)
{
    return !rename(from, to);
}

void cnn_os_remove(const char *path)
{
    int reason = errno;
    unlink(path);
    errno = reason;
}

/* --- the rest --- */

double cnn_os_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

uint64_t cnn_os_random(void)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) { /* early in the system's life */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 16 ^ (uintptr_t)&now;
    }
    return random;
}

/* A machine may have more processors than cpu_set_t has places for: the kernel then refuses it. */
uint32_t cnn_os_processors(void)
{
    enum { PLACES_MAX = 1 << 20 };
    for (int places = CPU_SETSIZE, error = EINVAL; places <= PLACES_MAX && error == EINVAL; places *= 2) {
        cpu_set_t *allowed = CPU_ALLOC(places);
        if (!allowed)
            break;
        size_t bytes = CPU_ALLOC_SIZE(places);
        error = sched_getaffinity(0, bytes, allowed) ? errno : 0;
        int count = error ? 0 : CPU_COUNT_S(bytes, allowed);
        CPU_FREE(allowed);
        if (count > 0)
            return (uint32_t)count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

void *cnn_os_load_library(const char *name)
{
    return dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

bool cnn_os_find_function(void *library, const char *name, void *function, size_t size)
{
    void *address = dlsym(library, name);
    if (address)
        memcpy(function, &address, size);
    return address;
}

const char *cnn_os_library_error(void)
{
    const char *text = dlerror();
    return text ? text : "nobody says why";
}

void cnn_os_processor_features(unsigned long features[2])
{
    features[0] = getauxval(AT_HWCAP);
    features[1] = getauxval(AT_HWCAP2);
}

/* A first use of a page costs more than filling it, and few addresses are to be looked up when all of it is read: large
 * memory is asked for in large pages. The kernel is free not to. */
void *cnn_os_allocate(size_t alignment, size_t size)
{
    enum { HUGE_PAGE = 2 << 20 };
    size_t rounded = cnn_round_up(size, alignment);
    if (rounded < size)
        return NULL;
    if (rounded < HUGE_PAGE)
        return aligned_alloc(alignment, rounded);
    rounded = cnn_round_up(size, HUGE_PAGE);
    void *memory = rounded < size ? NULL : aligned_alloc(HUGE_PAGE, rounded);
#ifdef MADV_HUGEPAGE
    if (memory)
        madvise(memory, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}
