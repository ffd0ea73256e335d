#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/paths.h"

enum { LOOKED_AT = 256, MOST_LINKS = 40 };

#define METADATA "{\"__metadata__\":{"

/* How catdog's own files begin, after `skipped` bytes. */
static const struct start {
    destination_kind kind;
    size_t skipped;
    const char *text;
} starts[] = {
    { DESTINATION_MODEL, 8, METADATA "\"format\":\"cnn\"" },
    { DESTINATION_EXPORT, 8, METADATA "\"format\":\"cnn\"" },
    { DESTINATION_EXPORT, 2, "\x12\x06libcnn" }, /* ONNX: the producer's name behind a version */
    { DESTINATION_CHECKPOINT, 8, METADATA "\"cnn.checkpoint\"" },
    { DESTINATION_HISTORY, 0, "epoch,learning_rate,loss," },
};

static const char *name_of(destination_kind kind)
{
    static const char *const names[] = {
        [DESTINATION_MODEL] = "model",     [DESTINATION_EXPORT] = "model",  [DESTINATION_CHECKPOINT] = "checkpoint",
        [DESTINATION_HISTORY] = "history", [DESTINATION_SEARCH] = "search", [DESTINATION_PICTURE] = "picture",
        [DESTINATION_PAGE] = "page",       [DESTINATION_FOLDER] = "folder", [DESTINATION_INPUT] = "file",
    };
    return names[kind];
}

typedef struct ends {
    char first[LOOKED_AT], last[LOOKED_AT];
    size_t count; /* of bytes in each */
} ends;

static int read_ends(const char *path, off_t size, ends *of)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return -1;
    of->count = size < LOOKED_AT ? (size_t)size : LOOKED_AT;
    int sound = pread(file, of->first, of->count, 0) == (ssize_t)of->count &&
                pread(file, of->last, of->count, size - (off_t)of->count) == (ssize_t)of->count;
    close(file);
    return sound ? 0 : -1;
}

static int ends_with(const ends *of, const char *text, size_t length)
{
    return of->count >= length && !memcmp(of->last + of->count - length, text, length);
}

static int holds(const ends *of, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= of->count; i++)
        if (!memcmp(of->last + i, text, length))
            return 1;
    return 0;
}

/* Whether the file is one that catdog writes as such. */
static int is_own(const ends *of, destination_kind kind)
{
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        const struct start *s = &starts[i];
        size_t length = strlen(s->text);
        if (s->kind == kind && of->count >= s->skipped + length && !memcmp(of->first + s->skipped, s->text, length))
            return 1;
    }
    if (kind == DESTINATION_PICTURE)
        return ends_with(of, DESTINATION_PNG_END, sizeof DESTINATION_PNG_END - 1) ||
               ends_with(of, DESTINATION_SVG_END, sizeof DESTINATION_SVG_END - 1);
    return kind == DESTINATION_PAGE && holds(of, "Made by catdog ");
}

int destination_is_own_picture(const char *path)
{
    struct stat info;
    ends found;
    return !stat(path, &info) && S_ISREG(info.st_mode) && info.st_size && !read_ends(path, info.st_size, &found) &&
           is_own(&found, DESTINATION_PICTURE);
}

int destination_check_content(const char *path, destination_kind kind, int force)
{
    struct stat info;
    ends found;
    if (force || stat(path, &info) || !S_ISREG(info.st_mode) || !info.st_size)
        return 0;
    if (!read_ends(path, info.st_size, &found) && is_own(&found, kind))
        return 0;
    output_error("'%s' exists and is not a %s that catdog wrote; name another file, or overwrite it with --force", path,
                 name_of(kind));
    return -1;
}

/* The names of a process's own file descriptors. */
static int is_descriptor(const char *path)
{
    return !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/stderr") || !strncmp(path, "/dev/fd/", 8) ||
           !strncmp(path, "/proc/self/fd/", 14);
}

/* Follows one link; 0: there is none, or where it leads is too long a path. */
static int follow_link(char path[PATH_MAX])
{
    char link[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0)
        return 0;
    link[length] = '\0';
    const char *slash = strrchr(path, '/');
    int kept = link[0] == '/' || !slash ? 0 : (int)(slash + 1 - path);
    snprintf(joined, sizeof joined, "%.*s%s", kept, path, link);
    if (strlen(joined) >= PATH_MAX)
        return 0;
    memcpy(path, joined, strlen(joined) + 1);
    return 1;
}

/* Whether the path is standard output's, perhaps by way of links, as /dev/stdout is. */
static int is_standard_output(const char *path)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s", path);
    for (int i = 0; i < MOST_LINKS; i++) {
        if (!strcmp(name, "/dev/fd/1") || !strcmp(name, "/proc/self/fd/1"))
            return 1;
        if (!follow_link(name))
            return 0;
    }
    return 0;
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(folder, PATH_MAX, "%.*s", !slash ? 1 : slash == path ? 1 : (int)(slash - path), slash ? path : ".");
}

/* Replaces a link to a missing file by its target. Other paths stay as they are. */
static void follow_to_nothing(char path[PATH_MAX])
{
    for (int i = 0; i < MOST_LINKS && follow_link(path); i++)
        continue;
}

/* One spelling for each file, whether it exists or not. */
static void find_place(const char *path, char place[PATH_MAX])
{
    char name[PATH_MAX], folder[PATH_MAX], real[PATH_MAX];
    if (realpath(path, place))
        return;
    snprintf(name, sizeof name, "%s", path);
    follow_to_nothing(name);
    folder_of(name, folder);
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    if (!realpath(folder, real) || strlen(real) + 1 + strlen(last) >= PATH_MAX) {
        snprintf(place, PATH_MAX, "%s", name);
        return;
    }
    memcpy(place, real, strlen(real) + 1);
    snprintf(place + strlen(place), PATH_MAX - strlen(place), "/%s", last);
}

static int takes_a_stream(destination_kind kind)
{
    return kind != DESTINATION_CHECKPOINT && kind != DESTINATION_SEARCH; /* these are read again */
}

/* Why an existing file can't be written; NULL if it can. */
static const char *reason_against(const struct stat *info, const char *path, destination_kind kind)
{
    mode_t mode = info->st_mode;
    if (S_ISDIR(mode))
        return "it is a folder";
    if (S_ISSOCK(mode) || S_ISBLK(mode))
        return S_ISSOCK(mode) ? "it is a socket" : "it is a disk";
    if (!S_ISREG(mode) && !takes_a_stream(kind))
        return "it is not a regular file, so it can't be read again";
    return access(path, W_OK) ? strerror(errno) : NULL;
}

static int check_writable(const destination *d)
{
    struct stat info;
    char place[PATH_MAX], folder[PATH_MAX];
    int there = !stat(d->path, &info);
    const char *reason = there                                     ? reason_against(&info, d->path, d->kind)
                         : errno == ELOOP || errno == ENAMETOOLONG ? strerror(errno)
                                                                   : NULL;
    if (reason) {
        output_error("the %s '%s' can't be written: %s", name_of(d->kind), d->path, reason);
        return -1;
    }
    if (there && !S_ISREG(info.st_mode))
        return 0;
    find_place(d->path, place);
    folder_of(place, folder);
    int wrong = stat(folder, &info) || (S_ISDIR(info.st_mode) && access(folder, W_OK | X_OK));
    reason = wrong ? strerror(errno) : S_ISDIR(info.st_mode) ? NULL : "it is not a folder";
    if (reason)
        output_error("the %s '%s' can't be written to '%s': %s%s", name_of(d->kind), d->path, folder, reason,
                     wrong && errno == ENOENT ? "; create that folder first" : "");
    return reason ? -1 : 0;
}

/* Whether two paths are the same file. Devices and pipes may be used twice. */
static int same(const char *a, const char *b)
{
    struct stat info;
    char place[2][PATH_MAX];
    if (!stat(a, &info) && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode)))
        return 0;
    find_place(a, place[0]);
    find_place(b, place[1]);
    return !strcmp(place[0], place[1]);
}

static int check_apart(const catdog_command *command, const destination *list)
{
    for (const destination *a = list; a->option; a++)
        for (const destination *b = list; a->path && a->kind != DESTINATION_INPUT && b->option; b++)
            if (b->path && (b->kind == DESTINATION_INPUT || b < a) && same(a->path, b->path))
                return arguments_wrong(command, "%s: %s and %s are the same file, '%s', which would be overwritten",
                                       command->name, b->option, a->option, a->path);
    return EXIT_DONE;
}

/* Ends of names that belong to a format, and which outputs have it. */
static const struct format {
    const char *end;
    unsigned kinds; /* a bit for each destination_kind */
} formats[] = {
    { ".safetensors", 1u << DESTINATION_MODEL | 1u << DESTINATION_EXPORT | 1u << DESTINATION_CHECKPOINT },
    { ".onnx", 1u << DESTINATION_EXPORT },
    { ".csv", 1u << DESTINATION_HISTORY },
    { ".txt", 1u << DESTINATION_HISTORY },
    { ".json", 1u << DESTINATION_SEARCH },
    { ".png", 1u << DESTINATION_PICTURE },
    { ".svg", 1u << DESTINATION_PICTURE },
    { ".jpg", 0 },
    { ".jpeg", 0 },
    { ".gif", 0 },
    { ".webp", 0 },
    { ".bmp", 0 },
    { ".tif", 0 },
    { ".tiff", 0 },
    { ".pdf", 0 },
    { ".html", 0 },
    { ".zip", 0 },
    { ".pt", 0 },
    { ".pth", 0 },
    { ".h5", 0 },
    { ".keras", 0 },
    { ".tflite", 0 },
    { ".npz", 0 },
};

/* Refuses a new file whose name belongs to another format. (An existing one is replaced if it is catdog's, or with
 * --force.) */
static int check_name(const catdog_command *command, const destination *d)
{
    struct stat info;
    const char *wrong = NULL;
    char right[100] = "";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        int written = formats[i].kinds >> d->kind & 1;
        if (written)
            snprintf(right + strlen(right), sizeof right - strlen(right), "%s%s", *right ? " or " : "", formats[i].end);
        else if (paths_ends_in(d->path, formats[i].end))
            wrong = formats[i].end;
    }
    if (!wrong || !stat(d->path, &info))
        return EXIT_DONE;
    return arguments_wrong(command, "%s: %s can't write %s files; choose a name that ends in %s instead of '%s'",
                           command->name, d->option, wrong, right, d->path);
}

/* Whether a path is a folder, or inside it. */
static int is_within(const char *path, const char *folder)
{
    struct stat info;
    char place[PATH_MAX], around[PATH_MAX];
    if (stat(folder, &info) || !S_ISDIR(info.st_mode))
        return 0;
    find_place(path, place);
    find_place(folder, around);
    size_t length = strlen(around);
    return !strncmp(place, around, length) && (around[length - 1] == '/' || place[length] == '/' || !place[length]);
}

/* Refuses to write pictures among the photographs, where the next training would take them for photographs. */
static int check_outside(const catdog_command *command, const destination *list)
{
    for (const destination *a = list; a->option; a++) {
        if (!a->path || (a->kind != DESTINATION_PICTURE && a->kind != DESTINATION_FOLDER) || is_descriptor(a->path))
            continue;
        for (const destination *b = list; b->option; b++)
            if (b->path && b->kind == DESTINATION_INPUT && is_within(a->path, b->path))
                return arguments_wrong(
                    command,
                    "%s: %s '%s' is inside %s '%s', where pictures would count as photographs; choose "
                    "a place outside it",
                    command->name, a->option, a->path, b->option, b->path);
    }
    return EXIT_DONE;
}

int destinations_check(const catdog_command *command, const destination *list, int force)
{
    int wrong = check_apart(command, list);
    if (!wrong)
        wrong = check_outside(command, list);
    for (const destination *d = list; !wrong && d->option; d++) {
        if (!d->path || d->kind == DESTINATION_INPUT || d->kind == DESTINATION_FOLDER)
            continue;
        if (is_standard_output(d->path))
            output_keep_for_file();
        if (is_descriptor(d->path))
            continue;
        wrong = check_name(command, d);
        if (!wrong && (check_writable(d) || destination_check_content(d->path, d->kind, force)))
            wrong = EXIT_FAILED;
    }
    return wrong;
}
