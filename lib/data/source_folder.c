/* A folder and all below it. Links to files are followed, and links to folders too; each folder is visited once, so
 * that links in a circle end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/os.h"
#include "data/file_name.h"
#include "data/source.h"

enum { MAX_DEPTH = 64 };

typedef struct folder_identity {
    uint64_t device, number;
    bool taken;
} folder_identity;

typedef struct walk {
    cnn_source *source;
    bool any_image;               /* what can't be read needn't have a class: it is found when it is to be decoded */
    folder_identity *visited;     /* an open-addressed table */
    size_t visited_count, places; /* the latter 0 or a power of two, at least twice the former */
} walk;

static const cnn_source_type folder_type = { .read = cnn_source_read_file };

/* Where a folder stands in the table, or would. */
static folder_identity *place_of(folder_identity *table, size_t places, uint64_t device, uint64_t number)
{
    uint64_t hash = (number ^ device << 40) * 0x9E3779B97F4A7C15u;
    size_t at = (size_t)(hash >> 32) & (places - 1);
    while (table[at].taken && (table[at].number != number || table[at].device != device))
        at = (at + 1) & (places - 1);
    return &table[at];
}

static cnn_status make_room(walk *w)
{
    if (w->visited_count * 2 < w->places)
        return CNN_OK;
    size_t places = w->places ? w->places * 2 : 64;
    folder_identity *larger = cnn_allocate_zeroed(w->source->context, places, sizeof *larger);
    if (!larger)
        return CNN_ERROR_OUT_OF_MEMORY;
    for (size_t i = 0; i < w->places; i++)
        if (w->visited[i].taken)
            *place_of(larger, places, w->visited[i].device, w->visited[i].number) = w->visited[i];
    cnn_release(w->source->context, w->visited);
    w->visited = larger;
    w->places = places;
    return CNN_OK;
}

static cnn_status mark_visited(walk *w, const char *path, bool *first_time)
{
    cnn_file_info info;
    if (!cnn_os_stat(path, &info))
        return cnn_fail_errno(path, "can't be opened");
    cnn_status status = make_room(w);
    if (status)
        return status;
    folder_identity *place = place_of(w->visited, w->places, info.device, info.number);
    *first_time = !place->taken;
    w->visited_count += *first_time;
    *place = (folder_identity){ info.device, info.number, true };
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

static cnn_status add_name(walk *w, const char *folder, const char *name, cnn_file_kind kind, listing *found)
{
    if (cnn_name_is_hidden(name, strlen(name)))
        return CNN_OK;
    char *path = cnn_source_join(w->source, folder, name);
    if (!path)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (kind == CNN_FILE_REGULAR)
        return add_file(w, path);
    cnn_file_info info, target;
    if (!cnn_os_lstat(path, &info))
        return cnn_fail_errno(path, "can't be opened");
    bool is_link = info.kind == CNN_FILE_LINK;
    if (is_link && !cnn_os_stat(path, &target))
        return add_file(w, path); /* a link to nothing: verification reports it */
    if (is_link)
        info = target;
    if (info.kind == CNN_FILE_REGULAR)
        return add_file(w, path);
    if (info.kind != CNN_FILE_FOLDER)
        return CNN_OK;
    path = cnn_source_join(w->source, path, "/");
    return path ? cnn_source_add(w->source, is_link ? &found->links : &found->folders, path, 0)
                : CNN_ERROR_OUT_OF_MEMORY;
}

static cnn_status list_names(walk *w, const char *folder, listing *found)
{
    cnn_folder *names = cnn_os_open_folder(folder);
    if (!names && w->any_image && strlen(folder) > w->source->prefix)
        return cnn_source_add(w->source, &w->source->images, folder, 0);
    if (!names)
        return cnn_fail_errno(folder, "can't be opened");
    cnn_status status = CNN_OK;
    while (!status) {
        cnn_file_kind kind;
        const char *name = cnn_os_next_name(names, &kind);
        if (!name) {
            status = errno ? cnn_fail_errno(folder, "can't be read") : CNN_OK;
            break;
        }
        status = add_name(w, folder, name, kind, found);
    }
    cnn_os_close_folder(names);
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

cnn_status cnn_source_open_folder(cnn_source *source, bool any_image)
{
    source->type = &folder_type;
    const char *root = cnn_source_join(source, source->path, strcmp(source->path, "/") ? "/" : "");
    if (!root)
        return CNN_ERROR_OUT_OF_MEMORY;
    source->prefix = strlen(root);
    walk w = { .source = source, .any_image = any_image };
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
