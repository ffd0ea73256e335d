#include "cli/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <cnn/cnn.h>

#include "cli/arguments.h"
#include "cli/output.h"
#include "cli/spelling.h"

enum { MOST_NAMES = 4096 };

/* The folder that a path is in; the caller frees it. */
static char *folder_of(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return NULL;
    char *slash = strrchr(folder, '/');
    if (!slash) {
        free(folder);
        return strdup(".");
    }
    slash[slash == folder] = '\0';
    return folder;
}

/* The names in a folder, ending in NULL; NULL if it can't be read. */
static char **list_names(const char *folder)
{
    char **names = calloc(MOST_NAMES + 1, sizeof *names);
    DIR *listing = names ? opendir(folder) : NULL;
    if (!listing) {
        free(names);
        return NULL;
    }
    size_t count = 0;
    for (const struct dirent *item; count < MOST_NAMES && (item = readdir(listing)) != NULL;) {
        if (item->d_name[0] != '.' && (names[count] = strdup(item->d_name)) != NULL)
            count++;
    }
    closedir(listing);
    return names;
}

static void free_names(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

/* Prints the sentence on a path that doesn't exist, with the most similar name beside it. */
static void print_with_nearest(const char *path)
{
    char *folder = folder_of(path);
    char **names = folder ? list_names(folder) : NULL;
    const char *slash = strrchr(path, '/');
    const char *nearest = names ? spelling_nearest(slash ? slash + 1 : path, (const char *const *)names) : NULL;
    if (nearest)
        output_error("%s; did you mean '%.*s%s'?", cnn_last_error(), slash ? (int)(slash + 1 - path) : 0, path,
                     nearest);
    else
        output_library_error();
    free_names(names);
    free(folder);
}

void paths_library_error(const char *path)
{
    struct stat info;
    if (lstat(path, &info) && errno == ENOENT)
        print_with_nearest(path);
    else
        output_library_error();
}

void paths_model_error(const char *path, cnn_status status)
{
    if (strstr(cnn_last_error(), "no trained classifier"))
        output_error("%s; docs/migrate.md explains how to add it", cnn_last_error());
    else if (status == CNN_ERROR_FORMAT)
        output_error("%s; a model is a file that 'catdog train' wrote, or an ONNX file", cnn_last_error());
    else
        paths_library_error(path);
}

int paths_ends_in(const char *path, const char *end)
{
    size_t length = strlen(path), more = strlen(end);
    return length >= more && !strcasecmp(path + length - more, end);
}

int paths_is_of_the_kernel(const char *path)
{
#ifdef __linux__
    enum { PROC = 0x9fa0, SYSFS = 0x62656572 }; /* linux/magic.h */
    struct statfs system;
    return !statfs(path, &system) && (system.f_type == PROC || system.f_type == SYSFS);
#else
    (void)path;
    return 0;
#endif
}
