/* Classes from the names of files: american_bulldog_12.jpg is of the class american_bulldog. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/context_internal.h"
#include "core/memory.h"
#include "data/layout_internal.h"

/* How much of a name is its class. */
typedef size_t (*class_rule)(const char *name);

typedef struct flat_name {
    const char *name;
    size_t length; /* of the class in it */
    size_t image;
} flat_name;

typedef struct flat_folder {
    cnn_layout_finder *f;
    flat_name *names; /* sorted by their classes */
    size_t count;
} flat_folder;

static int compare_flat_names(const void *a, const void *b)
{
    const flat_name *first = a, *second = b;
    int order = strncmp(first->name, second->name, first->length < second->length ? first->length : second->length);
    if (!order && first->length != second->length)
        order = first->length < second->length ? -1 : 1;
    return order ? order : first->image < second->image ? -1 : 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t trim_separators(const char *name, size_t length)
{
    while (length && strchr(" -_.([{#", name[length - 1]))
        length--;
    return length;
}

/* Without the extension, which begins with a letter: ".jpg", but not the ".0" of "cat.0". */
static size_t stem_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && isalpha((unsigned char)dot[1]) ? (size_t)(dot - name) : strlen(name);
}

/* What stands before the last number and its separator: "great_dane" of great_dane_3.jpg, "cat" of cat.0.jpg, cat0.jpg,
 * "cat (1).jpg" and cat.jpg. */
static size_t before_last_number(const char *name)
{
    size_t stem = stem_length(name), length = stem;
    while (length && !is_digit(name[length - 1]))
        length--;
    if (!length)
        return trim_separators(name, stem);
    while (length && is_digit(name[length - 1]))
        length--;
    return trim_separators(name, length);
}

/* "cat" of cat_left.jpg and cat.x7f3.jpg. */
static size_t before_first_separator(const char *name)
{
    return trim_separators(name, strcspn(name, "._0123456789"));
}

/* The files in the folder itself, sorted by the classes in their names. */
static void list_names(flat_folder *folder, cnn_layout_level at, class_rule rule)
{
    folder->count = 0;
    for (size_t i = at.first; i < at.end; i++) {
        const char *name = folder->f->source->images.entries[i].path + at.depth;
        if (!strchr(name, '/'))
            folder->names[folder->count++] = (flat_name){ .name = name, .length = rule(name), .image = i };
    }
    if (folder->count)
        qsort(folder->names, folder->count, sizeof *folder->names, compare_flat_names);
}

static size_t run_length(const flat_folder *folder, size_t first)
{
    const flat_name *names = folder->names + first;
    size_t length = 1;
    while (length < folder->count - first && names[length].length == names[0].length &&
           !memcmp(names[length].name, names[0].name, names[0].length))
        length++;
    return length;
}

/* A name is a class if two files begin with it, or if the training part has that class. */
static bool is_class(const flat_folder *folder, size_t first, size_t run)
{
    const flat_name *name = &folder->names[first];
    return name->length && (run >= 2 || cnn_classes_find(&folder->f->known, name->name, name->length) >= 0);
}

/* For the sentence on names that give no classes: those whose class no other has. */
static void note_lone_names(const flat_folder *folder)
{
    cnn_layout_finder *f = folder->f;
    for (size_t i = 0, run; i < folder->count; i += run) {
        run = run_length(folder, i);
        if (!is_class(folder, i, run) && !f->lone_names++)
            f->lone_name = folder->names[i].name;
    }
}

/* The number of classes, if the names tell them: a few strays don't matter; if they are many, the names mean something
 * else. `*numbered` gets a class that ends in a digit itself, if there is one. */
static cnn_status count_classes(const flat_folder *folder, size_t *classes, const flat_name **numbered)
{
    cnn_layout_finder *f = folder->f;
    size_t distinct = 0, covered = 0;
    for (size_t i = 0, run; i < folder->count; i += run) {
        const flat_name *name = &folder->names[i];
        run = run_length(folder, i);
        if (!is_class(folder, i, run))
            continue;
        distinct++;
        covered += run;
        if (!*numbered && is_digit(name->name[name->length - 1]))
            *numbered = name;
        f->only_class = cnn_layout_make_label(f->source, name->name, name->length);
        if (!f->only_class)
            return CNN_ERROR_OUT_OF_MEMORY;
    }
    if (distinct >= 2 && !f->lone_names)
        note_lone_names(folder);
    bool told = (distinct >= 2 || (distinct && f->known.count)) && covered >= folder->count - folder->count / 10;
    *classes = told ? distinct : 0;
    return CNN_OK;
}

static cnn_status label_names(const flat_folder *folder, cnn_role role)
{
    cnn_layout_finder *f = folder->f;
    for (size_t i = 0, run; i < folder->count; i += run) {
        run = run_length(folder, i);
        if (!is_class(folder, i, run))
            continue;
        const char *label = cnn_layout_make_label(f->source, folder->names[i].name, folder->names[i].length);
        if (!label)
            return CNN_ERROR_OUT_OF_MEMORY;
        for (size_t k = i; k < i + run; k++)
            cnn_layout_set_label(f, folder->names[k].image, label, role);
    }
    return CNN_OK;
}

static void warn_of_doubt(const flat_folder *folder, const flat_name *example, const char *rule)
{
    cnn_source *source = folder->f->source;
    cnn_log(source->context, CNN_LOG_WARNING,
            "%s: the classes are what stands before the %s in the files' names, as \"%.*s\" of %s; if that is wrong, "
            "give each class a folder",
            source->path, rule, (int)example->length, example->name, example->name);
}

static cnn_status label_by_rules(flat_folder *folder, cnn_layout_level at, cnn_role role, size_t *classes)
{
    const flat_name *numbered = NULL, *unused = NULL;
    list_names(folder, at, before_last_number);
    cnn_status status = count_classes(folder, classes, &numbered);
    if (!status && *classes && numbered)
        warn_of_doubt(folder, numbered, "last number");
    if (!status && !*classes) {
        list_names(folder, at, before_first_separator);
        status = count_classes(folder, classes, &unused);
        if (!status && *classes)
            warn_of_doubt(folder, &folder->names[folder->count - 1], "first dot, underscore or digit");
    }
    return status || !*classes ? status : label_names(folder, role);
}

cnn_status cnn_layout_label_flat(cnn_layout_finder *f, cnn_layout_level at, cnn_role role, size_t *classes)
{
    flat_folder folder = { .f = f };
    folder.names = cnn_allocate_zeroed(f->source->context, at.end - at.first, sizeof *folder.names);
    if (!folder.names)
        return CNN_ERROR_OUT_OF_MEMORY;
    cnn_status status = label_by_rules(&folder, at, role, classes);
    cnn_release(f->source->context, folder.names);
    return status;
}
