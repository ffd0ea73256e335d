/* Writing whole files: to a fresh one beside the target, which is synced and renamed; or, where the target is a pipe or
 * a device, straight into it. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"

enum { MOST_LINKS = 40, KEPT_OF_NAME = 200 };

/* Where the bytes go. */
typedef struct target {
    const char *given;       /* for sentences */
    char path[CNN_PATH_MAX]; /* without symbolic links at its end */
    char folder[CNN_PATH_MAX];
    int descriptor; /* of a path such as /dev/stdout; else -1 */
    bool exists;
    cnn_file_info info; /* if it exists */
} target;

static bool copy_path(char to[CNN_PATH_MAX], const char *path)
{
    int length = snprintf(to, CNN_PATH_MAX, "%s", path);
    if (length >= 0 && length < CNN_PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* The folder that a path is in. */
static void find_folder(const char *path, char folder[CNN_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, CNN_PATH_MAX, ".");
    else
        snprintf(folder, CNN_PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
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
static bool follow(char path[CNN_PATH_MAX])
{
    char link[CNN_PATH_MAX], joined[CNN_PATH_MAX];
    if (!cnn_os_read_link(path, link))
        return false;
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
        to->exists = cnn_os_lstat(to->path, &to->info);
        if (!to->exists && errno != ENOENT)
            return false;
        if (!to->exists || to->info.kind != CNN_FILE_LINK) {
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
    return to->descriptor >= 0 ||
           (to->exists && (to->info.kind == CNN_FILE_PIPE || to->info.kind == CNN_FILE_CHARACTERS));
}

bool cnn_file_is_stream(const char *path)
{
    target to;
    return resolve(path, &to) && is_stream(&to);
}

static cnn_status write_stream(const target *to, const cnn_chunk *chunks, size_t count)
{
    int descriptor = to->descriptor >= 0 ? cnn_os_duplicate(to->descriptor) : cnn_os_open_stream(to->path);
    if (descriptor < 0)
        return cnn_fail_errno(to->given, "can't be opened");
    bool sound = cnn_os_write(descriptor, chunks, count);
    cnn_status status = sound ? CNN_OK : cnn_fail_errno(to->given, "can't be written");
    if (!cnn_os_close(descriptor) && !status)
        status = cnn_fail_errno(to->given, "can't be written");
    return status;
}

/* What isn't to be replaced. */
static cnn_status refuse(const target *to)
{
    if (!to->exists)
        return CNN_OK;
    if (to->info.kind != CNN_FILE_REGULAR)
        return cnn_fail(CNN_ERROR_IO, "%s: can't be written: it is a %s; name a file", to->given,
                        to->info.kind == CNN_FILE_FOLDER   ? "folder"
                        : to->info.kind == CNN_FILE_SOCKET ? "socket"
                        : to->info.kind == CNN_FILE_DISK   ? "disk"
                                                           : "thing that is no file");
    return cnn_os_may_write(to->path) ? CNN_OK : cnn_fail_errno(to->given, "can't be written");
}

cnn_status cnn_file_check_target(const char *path)
{
    target to;
    if (!resolve(path, &to))
        return cnn_fail_errno(path, "can't be written");
    if (is_stream(&to))
        return CNN_OK;
    cnn_status status = refuse(&to);
    if (!status && !cnn_os_may_write(to.folder))
        status = cnn_fail_errno(path, "can't be written");
    return status;
}

/* By folder and name: what is written replaces a name, and leaves a file's other names alone. */
bool cnn_file_same_target(const char *a, const char *b)
{
    target x, y;
    cnn_file_info folder, other;
    if (!resolve(a, &x) || !resolve(b, &y) || is_stream(&x) || is_stream(&y))
        return false;
    if (!cnn_os_stat(x.folder, &folder) || !cnn_os_stat(y.folder, &other))
        return !strcmp(x.path, y.path);
    const char *slash = strrchr(x.path, '/'), *other_slash = strrchr(y.path, '/');
    return folder.device == other.device && folder.number == other.number &&
           !strcmp(slash ? slash + 1 : x.path, other_slash ? other_slash + 1 : y.path);
}

static bool choose_name(const target *to, char name[CNN_PATH_MAX])
{
    const char *slash = strrchr(to->path, '/'), *last = slash ? slash + 1 : to->path;
    int length = snprintf(name, CNN_PATH_MAX, "%.*s.%.*s.%016" PRIx64, (int)(last - to->path), to->path, KEPT_OF_NAME,
                          last, cnn_os_random());
    if (length < CNN_PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static bool fill(int descriptor, const target *to, const cnn_chunk *chunks, size_t count)
{
    return cnn_os_write(descriptor, chunks, count) && (!to->exists || cnn_os_copy_access(descriptor, &to->info)) &&
           cnn_os_sync(descriptor);
}

/* Writes a synced file beside the target, and leaves its name. On failure there is no file. It has no name until it is
 * whole, where that can be; else a new one, so that nobody's file is opened, and nobody can have prepared it. */
static bool write_beside(const target *to, const cnn_chunk *chunks, size_t count, char name[CNN_PATH_MAX])
{
    uint32_t mode = to->exists ? 0600 : 0666; /* a new one gets what the process gives to its files */
    if (!choose_name(to, name))
        return false;
    int descriptor = cnn_os_create_unnamed(to->folder, mode);
    bool named = descriptor < 0;
    if (named)
        descriptor = cnn_os_create(name, mode);
    if (descriptor < 0)
        return false;
    bool sound = fill(descriptor, to, chunks, count);
    if (sound && !named)
        sound = named = cnn_os_give_name(descriptor, name);
    int reason = errno;
    if (!cnn_os_close(descriptor) && sound) {
        sound = false;
        reason = errno;
    }
    if (!sound && named)
        cnn_os_remove(name);
    errno = reason;
    return sound;
}

static cnn_status replace(const target *to, const cnn_chunk *chunks, size_t count)
{
    char name[CNN_PATH_MAX];
    if (!write_beside(to, chunks, count, name))
        return cnn_fail_errno(to->given, "can't be written");
    if (!cnn_os_rename(name, to->path)) {
        cnn_status status = cnn_fail_errno(to->given, "can't be written");
        cnn_os_remove(name);
        return status;
    }
    /* the rename itself must reach the disk, too */
    return cnn_os_sync_folder(to->folder)
               ? CNN_OK
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
