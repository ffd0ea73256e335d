#include "data/layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "data/classes.h"
#include "data/utf8.h"

/* A folder, as the images below it: sorted by path they stand side by side. */
typedef struct level {
    size_t first, end;
    size_t depth; /* bytes of each path before the names in this folder */
} level;

typedef struct child {
    const char *name; /* not ended by a zero byte */
    size_t length;
    level inside;
} child;

typedef struct children {
    child *folders; /* those that hold images */
    size_t count, capacity;
    size_t loose; /* images in the folder itself */
} children;

typedef struct finder {
    cnn_source *source;
    cnn_layout *layout;
    cnn_classes known;        /* the training part's classes, once they are known */
    const char *only_class;   /* for the error if there are no two: the only folder or name */
    const char *empty_folder; /* beside it */
} finder;

/* A folder's or file's name as a class name, in the source's memory. */
static const char *make_label(cnn_source *source, const char *name, size_t length)
{
    size_t room = 2 * length + 1;
    char *label = cnn_source_text(source, room);
    if (label)
        cnn_to_utf8(name, length, label);
    return label;
}

static void set_label(finder *f, size_t image, const char *label, cnn_role role)
{
    f->layout->labels[image] = label;
    f->layout->roles[image] = (unsigned char)role;
    f->layout->labelled[role]++;
}

static cnn_status list_children(finder *f, level at, children *found)
{
    *found = (children){ 0 };
    const cnn_entry *images = f->source->images.entries;
    for (size_t i = at.first; i < at.end; i++) {
        const char *name = images[i].path + at.depth;
        const char *slash = strchr(name, '/');
        size_t length = slash ? (size_t)(slash - name) : 0;
        child *last = found->count ? &found->folders[found->count - 1] : NULL;
        if (!slash) {
            found->loose++;
        } else if (last && last->length == length && !memcmp(last->name, name, length)) {
            last->inside.end = i + 1;
        } else {
            if (!cnn_grow(f->source->context, (void **)&found->folders, &found->capacity, found->count + 1,
                          sizeof *found->folders))
                return CNN_ERROR_OUT_OF_MEMORY;
            level inside = { .first = i, .end = i + 1, .depth = at.depth + length + 1 };
            found->folders[found->count++] = (child){ .name = name, .length = length, .inside = inside };
        }
    }
    return CNN_OK;
}

static bool holds_images(const cnn_source *source, const char *folder)
{
    size_t low = 0, high = source->images.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(source->images.entries[middle].path, folder) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < source->images.count && !strncmp(source->images.entries[low].path, folder, strlen(folder));
}

/* Names the folders in this one that hold no images: one may have been meant as a class. */
static void warn_of_empty_folders(finder *f, level at)
{
    const char *parent = f->source->images.entries[at.first].path;
    for (size_t i = 0; i < f->source->folders.count; i++) {
        const char *folder = f->source->folders.entries[i].path;
        if (strncmp(folder, parent, at.depth) != 0 || !folder[at.depth])
            continue;
        const char *slash = strchr(folder + at.depth, '/');
        if (!slash || slash[1] || holds_images(f->source, folder))
            continue;
        cnn_log(f->source->context, CNN_LOG_WARNING, "%s: holds no images and is no class", folder);
        f->empty_folder = folder;
    }
}

static cnn_status label_folders(finder *f, const children *found, cnn_role role)
{
    for (size_t i = 0; i < found->count; i++) {
        const child *folder = &found->folders[i];
        const char *label = make_label(f->source, folder->name, folder->length);
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        for (size_t k = folder->inside.first; k < folder->inside.end; k++)
            set_label(f, k, label, role);
    }
    return CNN_OK;
}

typedef struct flat_name {
    const char *name;
    size_t length; /* of the class in it */
    size_t image;
} flat_name;

static int compare_flat_names(const void *a, const void *b)
{
    const flat_name *first = a, *second = b;
    int order = strncmp(first->name, second->name, first->length < second->length ? first->length : second->length);
    if (!order && first->length != second->length)
        order = first->length < second->length ? -1 : 1;
    return order ? order : first->image < second->image ? -1 : 1;
}

/* "cat" of cat.0.jpg, cat_0.jpg, cat0.jpg, "cat (1).jpg". */
static size_t class_length(const char *name)
{
    size_t length = strcspn(name, "._0123456789");
    while (length && strchr(" -(", name[length - 1]))
        length--;
    return length;
}

/* The files in a folder itself, sorted by the classes in their names; how many. */
static size_t list_flat_names(const finder *f, level at, flat_name *names)
{
    size_t count = 0;
    for (size_t i = at.first; i < at.end; i++) {
        const char *name = f->source->images.entries[i].path + at.depth;
        if (!strchr(name, '/'))
            names[count++] = (flat_name){ .name = name, .length = class_length(name), .image = i };
    }
    if (count)
        qsort(names, count, sizeof *names, compare_flat_names);
    return count;
}

static size_t run_length(const flat_name *names, size_t count)
{
    size_t length = 1;
    while (length < count && names[length].length == names[0].length &&
           !memcmp(names[length].name, names[0].name, names[0].length))
        length++;
    return length;
}

/* A name is a class if two files begin with it, or if the training part has that class. */
static bool is_flat_class(const finder *f, const flat_name *name, size_t run)
{
    return name->length && (run >= 2 || cnn_classes_find(&f->known, name->name, name->length) >= 0);
}

static cnn_status label_flat_names(finder *f, const flat_name *names, size_t count, cnn_role role, size_t *classes)
{
    size_t distinct = 0, covered = 0;
    for (size_t i = 0, run; i < count; i += run) {
        run = run_length(names + i, count - i);
        if (!is_flat_class(f, &names[i], run))
            continue;
        distinct++;
        covered += run;
        f->only_class = make_label(f->source, names[i].name, names[i].length);
        if (!f->only_class)
            return CNN_ERROR_OUT_OF_MEMORY;
    }
    if ((distinct < 2 && !f->known.count) || covered < count - count / 10)
        return CNN_OK; /* a few strays don't matter; if they are many, the names mean something else */
    for (size_t i = 0, run; i < count; i += run) {
        run = run_length(names + i, count - i);
        const char *label = make_label(f->source, names[i].name, names[i].length);
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        for (size_t k = i; k < i + run && is_flat_class(f, &names[i], run); k++)
            set_label(f, names[k].image, label, role);
    }
    *classes = distinct;
    return CNN_OK;
}

static cnn_status label_flat(finder *f, level at, cnn_role role, size_t *classes)
{
    flat_name *names = cnn_allocate_zeroed(f->source->context, at.end - at.first, sizeof *names);
    if (!names)
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t count = list_flat_names(f, at, names);
    cnn_status status = label_flat_names(f, names, count, role, classes);
    cnn_release(f->source->context, names);
    return status;
}

static bool has_class_folders(const finder *f, const children *found)
{
    return found->count >= 2 ||
           (found->count == 1 && cnn_classes_find(&f->known, found->folders[0].name, found->folders[0].length) >= 0);
}

/* Labels what has a class in the folder `at`; `*classes` stays 0 if nothing has. `*inner` gets the folder to look into
 * next: the single one in this one, as zips and copies wrap it; `at` itself if there is none. */
static cnn_status label_folder(finder *f, level at, cnn_role role, size_t *classes, level *inner)
{
    *inner = at;
    children found;
    cnn_status status = list_children(f, at, &found);
    if (!status && has_class_folders(f, &found)) {
        status = label_folders(f, &found, role);
        *classes = found.count;
        warn_of_empty_folders(f, at);
    } else if (!status && found.loose) {
        status = label_flat(f, at, role, classes);
    }
    if (!status && !*classes && found.count == 1) {
        *inner = found.folders[0].inside;
        f->only_class = make_label(f->source, found.folders[0].name, found.folders[0].length);
        status = f->only_class ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
        warn_of_empty_folders(f, at);
    }
    cnn_release(f->source->context, found.folders);
    return status;
}

static cnn_status label_level(finder *f, level at, cnn_role role, size_t *classes)
{
    *classes = 0;
    for (;;) {
        level inner;
        cnn_status status = label_folder(f, at, role, classes, &inner);
        if (status || *classes || inner.depth == at.depth)
            return status;
        at = inner;
    }
}

static bool contains(const char *name, size_t length, const char *word)
{
    size_t word_length = strlen(word);
    for (size_t i = 0; i + word_length <= length; i++)
        if (!strncasecmp(name + i, word, word_length))
            return true;
    return false;
}

static bool has_role(const child *folder, cnn_role role)
{
    bool training = contains(folder->name, folder->length, "train");
    bool test = contains(folder->name, folder->length, "test");
    bool validation = contains(folder->name, folder->length, "val");
    if (training + test + validation != 1)
        return false;
    return role == CNN_ROLE_TRAINING ? training : role == CNN_ROLE_TEST ? test : validation;
}

/* The outermost folder that holds more than one. */
static cnn_status find_branching(finder *f, level *at, children *found)
{
    for (;;) {
        cnn_status status = list_children(f, *at, found);
        if (status || found->count != 1)
            return status;
        *at = found->folders[0].inside;
        cnn_release(f->source->context, found->folders);
    }
}

static cnn_status label_parts(finder *f, const children *found, const child *const parts[CNN_ROLES])
{
    size_t classes;
    cnn_status status = label_level(f, parts[CNN_ROLE_TRAINING]->inside, CNN_ROLE_TRAINING, &classes);
    if (status || !classes)
        return status;
    f->layout->is_pair = true;
    status = cnn_classes_collect(f->source->context, f->layout->labels, f->source->images.count, &f->known);
    for (int role = CNN_ROLE_VALIDATION; role < CNN_ROLES && !status; role++)
        if (parts[role])
            status = label_level(f, parts[role]->inside, (cnn_role)role, &classes);
    for (size_t i = 0; i < found->count && !status; i++) {
        const child *folder = &found->folders[i];
        if (folder != parts[CNN_ROLE_TRAINING] && folder != parts[CNN_ROLE_VALIDATION] &&
            folder != parts[CNN_ROLE_TEST])
            cnn_log(f->source->context, CNN_LOG_WARNING,
                    "%s: the folder %.*s is neither its training nor its test part", f->source->path,
                    (int)folder->length, folder->name);
    }
    return status;
}

/* Looks for a training folder with classes beside a test or validation folder. `*only_parts`: every folder is named
 * like a part, so that none of them is a class. */
static cnn_status find_pair(finder *f, level root, bool *only_parts)
{
    *only_parts = false;
    children found;
    level at = root;
    cnn_status status = find_branching(f, &at, &found);
    const child *parts[CNN_ROLES] = { NULL };
    size_t named = 0;
    for (size_t i = 0; i < found.count && !status; i++)
        for (int role = 0; role < CNN_ROLES; role++)
            if (has_role(&found.folders[i], (cnn_role)role)) {
                named++;
                if (!parts[role])
                    parts[role] = &found.folders[i];
            }
    if (!status && parts[CNN_ROLE_TRAINING] && (parts[CNN_ROLE_TEST] || parts[CNN_ROLE_VALIDATION])) {
        *only_parts = named == found.count;
        status = label_parts(f, &found, parts);
    }
    cnn_release(f->source->context, found.folders);
    return status;
}

static cnn_status fail_without_classes(const finder *f)
{
    static const char needed[] =
        "at least two are needed, each in a folder of its own (Cat/1.jpg, Dog/1.jpg) or at the "
        "start of the names (cat.1.jpg, dog.1.jpg)";
    const char *path = f->source->path;
    if (f->only_class && f->empty_folder)
        return cnn_fail(CNN_ERROR_DATA, "%s: there is only one class, \"%s\", and %s holds no images; %s", path,
                        f->only_class, f->empty_folder, needed);
    if (f->only_class)
        return cnn_fail(CNN_ERROR_DATA, "%s: there is only one class, \"%s\"; %s", path, f->only_class, needed);
    return cnn_fail(CNN_ERROR_DATA, "%s: its images are in no classes; %s", path, needed);
}

static void warn_of_strays(const finder *f)
{
    size_t strays = 0;
    const char *first = NULL;
    for (size_t i = 0; i < f->source->images.count; i++)
        if (!f->layout->labels[i] && strays++ == 0)
            first = f->source->images.entries[i].path;
    if (strays)
        cnn_log(f->source->context, CNN_LOG_WARNING, "%s: %zu images are in no class and are passed over, such as %s",
                f->source->path, strays, first);
}

static cnn_status find_in_paths(finder *f)
{
    level root = { .end = f->source->images.count, .depth = f->source->prefix };
    bool only_parts;
    size_t classes = 0;
    cnn_status status = find_pair(f, root, &only_parts);
    if (status || f->layout->is_pair)
        return status;
    if (!only_parts)
        status = label_level(f, root, CNN_ROLE_TRAINING, &classes);
    if (!status && !classes)
        status = fail_without_classes(f);
    if (!status)
        warn_of_strays(f);
    return status;
}

static cnn_status copy_labels(finder *f)
{
    for (size_t i = 0; i < f->source->images.count; i++) {
        const char *label = f->source->images.entries[i].label;
        label = make_label(f->source, label, strlen(label));
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        set_label(f, i, label, CNN_ROLE_TRAINING);
    }
    return CNN_OK;
}

cnn_status cnn_layout_find(cnn_source *source, cnn_layout *layout)
{
    *layout = (cnn_layout){ 0 };
    size_t count = source->images.count;
    layout->labels = cnn_allocate_zeroed(source->context, count, sizeof *layout->labels);
    layout->roles = cnn_allocate_zeroed(source->context, count, sizeof *layout->roles);
    if (!layout->labels || !layout->roles)
        return CNN_ERROR_OUT_OF_MEMORY;
    finder f = { .source = source, .layout = layout };
    cnn_status status = source->is_list ? copy_labels(&f) : find_in_paths(&f);
    cnn_release(source->context, f.known.names);
    return status;
}

void cnn_layout_free(cnn_source *source, cnn_layout *layout)
{
    cnn_release(source->context, layout->labels);
    cnn_release(source->context, layout->roles);
    *layout = (cnn_layout){ 0 };
}
