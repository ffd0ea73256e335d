#include "core/quota.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os.h"

enum { MOUNT_MAX = 4096 };

/* A version of control groups. Of version 1 each controller has a tree of its own. */
typedef struct hierarchy {
    const char *type; /* of its file system */
    bool unified;     /* version 2 */
} hierarchy;

static const hierarchy hierarchies[] = { { "cgroup2", true }, { "cgroup", false } };

/* Calls `see` with each line of a file until it is true; false if it never was. */
static bool find_line(const char *root, const char *path, bool (*see)(char *line, void *user), void *user)
{
    char place[CNN_PATH_MAX];
    int length = snprintf(place, sizeof place, "%s%s", root, path);
    FILE *file = length > 0 && (size_t)length < sizeof place ? fopen(place, "re") : NULL;
    if (!file)
        return false;
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    while (!found && getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\n")] = 0;
        found = see(line, user);
    }
    free(line);
    fclose(file);
    return found;
}

/* Whether a list with commas has the name "cpu". */
static bool lists_cpu(const char *list)
{
    for (const char *name = list; name; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
        if (!strncmp(name, "cpu", 3) && (name[3] == ',' || !name[3]))
            return true;
    return false;
}

/* Where the process's group is: below `root_of_mount` of the hierarchy, which is mounted at `mount`. */
typedef struct group {
    const hierarchy *hierarchy;
    char path[MOUNT_MAX], root_of_mount[MOUNT_MAX], mount[MOUNT_MAX];
} group;

/* A line of /proc/self/cgroup: NUMBER:CONTROLLERS:PATH, without controllers for version 2. */
static bool see_group(char *line, void *user)
{
    group *g = user;
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(++controllers, ':') : NULL;
    if (!path)
        return false;
    *path++ = 0;
    if (g->hierarchy->unified ? *controllers != 0 : !lists_cpu(controllers))
        return false;
    return (size_t)snprintf(g->path, sizeof g->path, "%s", path) < sizeof g->path;
}

/* A line of /proc/self/mountinfo: ID PARENT DEVICE ROOT MOUNT OPTIONS [TAG...] - TYPE SOURCE OPTIONS. */
static bool see_mount(char *line, void *user)
{
    group *g = user;
    char type[16], options[MOUNT_MAX];
    const char *rest = strstr(line, " - ");
    return rest && sscanf(rest, " - %15s %*s %4095s", type, options) == 2 && !strcmp(type, g->hierarchy->type) &&
           (g->hierarchy->unified || lists_cpu(options)) &&
           sscanf(line, "%*s %*s %*s %4095s %4095s", g->root_of_mount, g->mount) == 2;
}

static bool see_number(char *line, void *user)
{
    char *end;
    *(long long *)user = strtoll(line, &end, 10);
    return end != line;
}

/* "QUOTA PERIOD", or "max PERIOD" */
static bool see_pair(char *line, void *user)
{
    long long *pair = user;
    char *end;
    pair[0] = strtoll(line, &end, 10);
    return end != line && see_number(end, &pair[1]);
}

/* 0 for none. */
static uint32_t quota_of_folder(const char *folder, const hierarchy *h)
{
    long long pair[2] = { 0 };
    bool found = h->unified ? find_line(folder, "/cpu.max", see_pair, pair)
                            : find_line(folder, "/cpu.cfs_quota_us", see_number, &pair[0]) &&
                                  find_line(folder, "/cpu.cfs_period_us", see_number, &pair[1]);
    if (!found || pair[0] <= 0 || pair[1] <= 0)
        return 0;
    long long whole = pair[0] / pair[1];
    return whole < 1 ? 1 : whole < INT_MAX ? (uint32_t)whole : INT_MAX;
}

static uint32_t fewer(uint32_t a, uint32_t b)
{
    return !a || (b && b < a) ? b : a;
}

/* The part of the group's path that is seen below the mount. In a container the path may be one of the host. */
static const char *path_below_mount(const group *g)
{
    size_t length = strlen(g->root_of_mount);
    if (!strcmp(g->root_of_mount, "/"))
        length = 0;
    bool below = !strncmp(g->path, g->root_of_mount, length) && (g->path[length] == '/' || !g->path[length]);
    const char *path = below ? g->path + length : "";
    return strcmp(path, "/") != 0 && !strstr(path, "/..") ? path : "";
}

/* From the process's own group up to the mount. */
static uint32_t quota_of_group(const char *root, const group *g)
{
    char folder[CNN_PATH_MAX];
    int above = snprintf(folder, sizeof folder, "%s%s", root, g->mount);
    if (above < 0 || (size_t)above >= sizeof folder)
        return 0;
    int below = snprintf(folder + above, sizeof folder - (size_t)above, "%s", path_below_mount(g));
    if (below < 0 || (size_t)above + (size_t)below >= sizeof folder)
        return 0;
    uint32_t quota = quota_of_folder(folder, g->hierarchy);
    for (char *slash = NULL; (slash = strrchr(folder + above, '/'));) {
        *slash = 0;
        quota = fewer(quota, quota_of_folder(folder, g->hierarchy));
    }
    return quota;
}

uint32_t cnn_cpu_quota(const char *root)
{
    uint32_t quota = 0;
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
        group g = { .hierarchy = &hierarchies[i] };
        if (find_line(root, "/proc/self/cgroup", see_group, &g) &&
            find_line(root, "/proc/self/mountinfo", see_mount, &g))
            quota = fewer(quota, quota_of_group(root, &g));
    }
    return quota;
}
