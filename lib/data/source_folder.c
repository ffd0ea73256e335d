/* A folder and all below it. Links to files are followed, and links to folders too; each folder is visited once, so
 * that links in a circle end. */
#define _DEFAULT_SOURCE /* d_type */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/memory.h"
#include "data/name.h"
#include "data/source.h"

enum { MAX_DEPTH = 64 };

typedef struct folder_identity {
    dev_t device;
    ino_t inode;
} folder_identity;

typedef struct walk {
    cnn_source *source;
    folder_identity *visited;
    size_t visited_count, visited_capacity;
} walk;

static const cnn_source_type folder_type = { .read = cnn_source_read_file };

static cnn_status mark_visited(walk *w, const char *path, bool *first_time)
{
    struct stat info;
    if (stat(path, &info))
        return cnn_fail_errno(path, "can't be opened");
    *first_time = false;
    for (size_t i = 0; i < w->visited_count; i++)
        if (w->visited[i].inode == info.st_ino && w->visited[i].device == info.st_dev)
            return CNN_OK;
    if (!cnn_grow(w->source->context, (void **)&w->visited, &w->visited_capacity, w->visited_count + 1,
                  sizeof *w->visited))
        return CNN_ERROR_OUT_OF_MEMORY;
    w->visited[w->visited_count++] = (folder_identity){ info.st_dev, info.st_ino };
    *first_time = true;
    return CNN_OK;
}

static cnn_status add_file(walk *w, const char *path)
{
    if (cnn_name_has_extension(path, "zip"))
        w->source->inner_zip = path;
    if (cnn_name_is_no_image(path))
        return CNN_OK;
    return cnn_source_add(w->source, &w->source->images, path, 0);
}

/* Real folders are visited before those that links lead to, so that a link beside its folder changes nothing. */
typedef struct listing {
    cnn_entry_list folders, links;
} listing;

static cnn_status add_name(walk *w, const char *folder, const struct dirent *item, listing *found)
{
    if (cnn_name_is_hidden(item->d_name, strlen(item->d_name)))
        return CNN_OK;
    char *path = cnn_source_join(w->source, folder, item->d_name);
    if (!path)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (item->d_type == DT_REG)
        return add_file(w, path);
    struct stat info, target;
    if (lstat(path, &info))
        return cnn_fail_errno(path, "can't be opened");
    bool is_link = S_ISLNK(info.st_mode);
    if (is_link && stat(path, &target))
        return add_file(w, path); /* a link to nothing: verification reports it */
    if (is_link)
        info = target;
    if (S_ISREG(info.st_mode))
        return add_file(w, path);
    if (!S_ISDIR(info.st_mode))
        return CNN_OK;
    path = cnn_source_join(w->source, path, "/");
    return path ? cnn_source_add(w->source, is_link ? &found->links : &found->folders, path, 0)
                : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status list_names(walk *w, const char *folder, listing *found)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return cnn_fail_errno(folder, "can't be opened");
    cnn_status status = CNN_OK;
    while (!status) {
        errno = 0;
        struct dirent *item = readdir(stream);
        if (!item) {
            status = errno ? cnn_fail_errno(folder, "can't be read") : CNN_OK;
            break;
        }
        status = add_name(w, folder, item, found);
    }
    closedir(stream);
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const cnn_entry *)a)->path, ((const cnn_entry *)b)->path);
}

static cnn_status visit(walk *w, const char *folder, int depth);

static cnn_status visit_all(walk *w, cnn_entry_list *folders, int depth)
{
    if (folders->count)
        qsort(folders->entries, folders->count, sizeof *folders->entries, compare_paths);
    cnn_status status = CNN_OK;
    for (size_t i = 0; i < folders->count && !status; i++)
        status = visit(w, folders->entries[i].path, depth);
    return status;
}

/* `folder` ends in a slash. */
static cnn_status visit(walk *w, const char *folder, int depth)
{
    if (depth > MAX_DEPTH)
        return cnn_fail(CNN_ERROR_LIMIT, "%s: folders are nested more than %d deep", folder, MAX_DEPTH);
    bool first_time = false;
    cnn_status status = mark_visited(w, folder, &first_time);
    if (status || !first_time)
        return status;
    if (depth && (status = cnn_source_add(w->source, &w->source->folders, folder, 0)))
        return status;
    listing found = { 0 };
    status = list_names(w, folder, &found);
    if (!status)
        status = visit_all(w, &found.folders, depth + 1);
    if (!status)
        status = visit_all(w, &found.links, depth + 1);
    cnn_release(w->source->context, found.folders.entries);
    cnn_release(w->source->context, found.links.entries);
    return status;
}

cnn_status cnn_source_open_folder(cnn_source *source)
{
    source->type = &folder_type;
    const char *root = cnn_source_join(source, source->path, strcmp(source->path, "/") ? "/" : "");
    if (!root)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->prefix = strlen(root);
    walk w = { .source = source };
    cnn_status status = visit(&w, root, 0);
    cnn_release(source->context, w.visited);
    return status;
}

cnn_status cnn_source_open_file(cnn_source *source)
{
    source->type = &folder_type;
    const char *slash = strrchr(source->path, '/');
    source->prefix = slash ? (size_t)(slash + 1 - source->path) : 0;
    return cnn_source_add(source, &source->images, source->path, 0);
}
