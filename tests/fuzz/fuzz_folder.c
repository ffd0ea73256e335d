/* Folders of strangers: the input is a list of paths, one a line, of files to be put into an empty folder. A path that
 * ends in a slash is a folder, one with a > is a link to what stands behind it. */
#define _GNU_SOURCE /* nftw */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "use_dataset.h"

enum { ENTRIES_MAX = 40, PATH_SIZE = 1024 };

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type;
    return walk->level ? remove(path) : 0;
}

/* Whether the path stays in its folder. */
static int stays_inside(const char *path)
{
    return path[0] != '/' && !strstr(path, "..") && strlen(path) < 300;
}

static void make_folders(int root, char *path)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdirat(root, path, 0700);
        *slash = '/';
    }
}

static void make_entry(int root, char *path)
{
    char *link = strchr(path, '>');
    if (link)
        *link++ = '\0';
    if (!stays_inside(path) || (link && !stays_inside(link)))
        return;
    make_folders(root, path);
    if (link) {
        (void)!symlinkat(link, root, path);
        return;
    }
    int file = openat(root, path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
    if (file >= 0)
        close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_SIZE], root_path[PATH_SIZE];
    snprintf(root_path, sizeof root_path, "%s", fuzz_path("photos"));
    mkdir(root_path, 0700);
    int root = open(root_path, O_RDONLY | O_DIRECTORY);
    if (root < 0)
        fuzz_fail("the folder can't be opened");
    size_t at = 0;
    for (int i = 0; i < ENTRIES_MAX && at < size; i++) {
        size_t length = 0;
        for (; at < size && data[at] != '\n'; at++)
            if (length < sizeof path - 1 && data[at])
                path[length++] = (char)data[at];
        path[length] = '\0';
        at++;
        if (length)
            make_entry(root, path);
    }
    close(root);
    fuzz_use_dataset(fuzz_hash(data, size), root_path);
    nftw(root_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
