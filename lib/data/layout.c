/* Classes from folders: one for each class, perhaps below folders for training, validation and tests. */
#include "data/layout.h"

#include <string.h>
#include <strings.h>

#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "data/layout_internal.h"

typedef struct child {
    const char *name; /* not ended by a zero byte */
    size_t length;
    cnn_layout_level inside;
} child;

typedef struct children {
    child *folders; /* those that hold images */
    size_t count, capacity;
    size_t loose; /* images in the folder itself */
} children;

static cnn_status list_children(cnn_layout_finder *f, cnn_layout_level at, children *found)
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
            cnn_layout_level inside = { .first = i, .end = i + 1, .depth = at.depth + length + 1 };
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
static void warn_of_empty_folders(cnn_layout_finder *f, cnn_layout_level at)
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

static cnn_status label_folders(cnn_layout_finder *f, const children *found, cnn_role role)
{
    for (size_t i = 0; i < found->count; i++) {
        const child *folder = &found->folders[i];
        const char *label = cnn_layout_make_label(f->source, folder->name, folder->length);
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        for (size_t k = folder->inside.first; k < folder->inside.end; k++)
            cnn_layout_set_label(f, k, label, role);
    }
    return CNN_OK;
}

static bool has_class_folders(const cnn_layout_finder *f, const children *found)
{
    return found->count >= 2 ||
           (found->count == 1 && cnn_classes_find(&f->known, found->folders[0].name, found->folders[0].length) >= 0);
}

static bool names_what_is_in_files(const char *name, size_t length)
{
    static const char *const words[] = { "images",  "annotations",   "labels", "masks",
                                         "trimaps", "segmentations", "xmls",   "bboxes" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && !strncasecmp(words[i], name, length))
            return true;
    return false;
}

/* The folder of photographs, where the others are named as what describes them, such as masks for segmentation. */
static const child *find_annotated_images(const children *found)
{
    const child *images = NULL;
    for (size_t i = 0; i < found->count; i++) {
        const child *folder = &found->folders[i];
        if (!names_what_is_in_files(folder->name, folder->length))
            return NULL;
        if (!strncasecmp("images", folder->name, folder->length))
            images = folder;
    }
    return images;
}

static cnn_status label_level(cnn_layout_finder *f, cnn_layout_level at, cnn_role role, size_t *classes);

/* Class folders; or the classes within the photographs that annotations describe, where they have classes. */
static cnn_status label_class_folders(cnn_layout_finder *f, const children *found, cnn_role role, size_t *classes)
{
    const child *images = find_annotated_images(found);
    cnn_status status = images ? label_level(f, images->inside, role, classes) : CNN_OK;
    if (status || *classes)
        return status;
    *classes = found->count;
    if (images)
        cnn_log(f->source->context, CNN_LOG_WARNING,
                "%s: its folders, taken for classes, are named as photographs and what describes them; if the classes "
                "are within %.*s, give that folder alone",
                f->source->path, (int)images->length, images->name);
    return label_folders(f, found, role);
}

/* Labels what has a class in the folder `at`; `*classes` stays 0 if nothing has. `*inner` gets the folder to look into
 * next: the single one in this one, as zips and copies wrap it; `at` itself if there is none. */
static cnn_status label_folder(cnn_layout_finder *f, cnn_layout_level at, cnn_role role, size_t *classes,
                               cnn_layout_level *inner)
{
    *inner = at;
    children found;
    cnn_status status = list_children(f, at, &found);
    if (!status && has_class_folders(f, &found)) {
        status = label_class_folders(f, &found, role, classes);
        warn_of_empty_folders(f, at);
    } else if (!status && found.loose) {
        status = cnn_layout_label_flat(f, at, role, classes);
    }
    if (!status && !*classes && found.count == 1) {
        *inner = found.folders[0].inside;
        f->only_class = cnn_layout_make_label(f->source, found.folders[0].name, found.folders[0].length);
        status = f->only_class ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
        warn_of_empty_folders(f, at);
    }
    cnn_release(f->source->context, found.folders);
    return status;
}

static cnn_status label_level(cnn_layout_finder *f, cnn_layout_level at, cnn_role role, size_t *classes)
{
    *classes = 0;
    for (;;) {
        cnn_layout_level inner;
        cnn_status status = label_folder(f, at, role, classes, &inner);
        if (status || *classes || inner.depth == at.depth)
            return status;
        at = inner;
    }
}

/* The outermost folder that holds more than one. */
static cnn_status find_branching(cnn_layout_finder *f, cnn_layout_level *at, children *found)
{
    for (;;) {
        cnn_status status = list_children(f, *at, found);
        if (status || found->count != 1)
            return status;
        *at = found->folders[0].inside;
        cnn_release(f->source->context, found->folders);
    }
}

/* A part whose images have no classes can't be measured on: what remains would be, unsaid. */
static cnn_status label_part(cnn_layout_finder *f, const child *part, cnn_role role)
{
    size_t classes;
    cnn_status status = label_level(f, part->inside, role, &classes);
    if (!status && !classes)
        cnn_log(
            f->source->context, CNN_LOG_WARNING,
            "%s: the images of its part %.*s are in no classes: whatever needs classes, measuring a model too, uses "
            "the other parts",
            f->source->path, (int)part->length, part->name);
    return status;
}

static void warn_of_other_folders(const cnn_layout_finder *f, const children *found,
                                  const child *const parts[CNN_ROLES])
{
    for (size_t i = 0; i < found->count; i++) {
        const child *folder = &found->folders[i];
        if (folder != parts[CNN_ROLE_TRAINING] && folder != parts[CNN_ROLE_VALIDATION] &&
            folder != parts[CNN_ROLE_TEST])
            cnn_log(f->source->context, CNN_LOG_WARNING, "%s: the folder %.*s is none of its parts and is passed over",
                    f->source->path, (int)folder->length, folder->name);
    }
}

/* The first part tells the classes: the training part, where there is one. */
static cnn_status label_parts(cnn_layout_finder *f, const children *found, const child *const parts[CNN_ROLES])
{
    size_t classes;
    int first = parts[CNN_ROLE_TRAINING] ? CNN_ROLE_TRAINING : CNN_ROLE_VALIDATION;
    cnn_status status = label_level(f, parts[first]->inside, (cnn_role)first, &classes);
    if (status || !classes)
        return status;
    f->layout->is_pair = true;
    status = cnn_classes_collect(f->source->context, f->layout->labels, f->source->images.count, &f->known);
    for (int role = first + 1; role < CNN_ROLES && !status; role++)
        if (parts[role])
            status = label_part(f, parts[role], (cnn_role)role);
    if (!status)
        warn_of_other_folders(f, found, parts);
    return status;
}

/* The folder for each part: the first of those whose names say it best. How many name a part and nothing else. */
static size_t choose_parts(const children *found, const child *parts[CNN_ROLES])
{
    cnn_part_match best[CNN_ROLES] = { CNN_PART_MATCH_NONE };
    size_t whole = 0;
    for (size_t i = 0; i < found->count; i++) {
        cnn_role role = CNN_ROLE_TRAINING;
        cnn_part_match match = cnn_part_of_name(found->folders[i].name, found->folders[i].length, &role);
        whole += match == CNN_PART_MATCH_WHOLE;
        if (match > best[role]) {
            best[role] = match;
            parts[role] = &found->folders[i];
        }
    }
    return whole;
}

/* Looks for a training folder with classes beside a test or validation folder, or for these two alone. */
static cnn_status find_pair(cnn_layout_finder *f, cnn_layout_level root)
{
    children found;
    cnn_layout_level at = root;
    cnn_status status = find_branching(f, &at, &found);
    if (!status && found.count >= 2) {
        const child *parts[CNN_ROLES] = { NULL };
        f->only_parts = choose_parts(&found, parts) == found.count;
        f->has_training = parts[CNN_ROLE_TRAINING] != NULL;
        bool has_test = parts[CNN_ROLE_TEST], has_validation = parts[CNN_ROLE_VALIDATION];
        if (f->has_training ? has_test || has_validation : f->only_parts && has_test && has_validation)
            status = label_parts(f, &found, parts);
    }
    cnn_release(f->source->context, found.folders);
    return status;
}

static cnn_status fail_without_classes(const cnn_layout_finder *f)
{
    static const char needed[] =
        "at least two are needed, each in a folder of its own (Cat/1.jpg, Dog/1.jpg) or at the "
        "start of the names (cat.1.jpg, dog.1.jpg)";
    const char *path = f->source->path;
    if (f->only_parts)
        return cnn_fail(
            CNN_ERROR_DATA, "%s: its folders are named as parts, and %s; %s", path,
            f->has_training ? "the images of its training part are in no classes" : "none is a training part", needed);
    if (f->only_class && f->empty_folder)
        return cnn_fail(CNN_ERROR_DATA, "%s: there is only one class, \"%s\", and %s holds no images; %s", path,
                        f->only_class, f->empty_folder, needed);
    if (f->lone_names)
        return cnn_fail(
            CNN_ERROR_DATA,
            "%s: the names give no classes, because too many images are alone in theirs (%zu, such as %s); add "
            "more of each class, or give each class a folder",
            path, f->lone_names, f->lone_name);
    if (f->only_class)
        return cnn_fail(CNN_ERROR_DATA, "%s: there is only one class, \"%s\"; %s", path, f->only_class, needed);
    return cnn_fail(CNN_ERROR_DATA, "%s: its images are in no classes; %s", path, needed);
}

static void warn_of_strays(const cnn_layout_finder *f)
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

static cnn_status find_in_paths(cnn_layout_finder *f)
{
    cnn_layout_level root = { .end = f->source->images.count, .depth = f->source->prefix };
    size_t classes = 0;
    cnn_status status = find_pair(f, root);
    if (status || f->layout->is_pair)
        return status;
    if (!f->only_parts)
        status = label_level(f, root, CNN_ROLE_TRAINING, &classes);
    if (!status && !classes)
        status = fail_without_classes(f);
    if (!status)
        warn_of_strays(f);
    return status;
}

static cnn_status copy_labels(cnn_layout_finder *f)
{
    for (size_t i = 0; i < f->source->images.count; i++) {
        const char *label = f->source->images.entries[i].label;
        label = cnn_layout_make_label(f->source, label, strlen(label));
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        bool divided = f->source->is_divided;
        cnn_layout_set_label(f, i, label, divided ? f->source->images.entries[i].role : CNN_ROLE_TRAINING);
    }
    f->layout->is_pair = f->source->is_divided;
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
    cnn_layout_finder f = { .source = source, .layout = layout };
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
