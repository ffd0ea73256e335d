/* Verification: every image is decoded once before any is used. */
#include <stdio.h>
#include <string.h>

#include "core/cancel.h"
#include "core/context_internal.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/parallel.h"
#include "data/content.h"
#include "data/file_name.h"
#include "image/decode.h"
#include "image/format.h"

/* Images are verified block by block: within one on all threads, between them the callbacks are called. */
enum { BLOCK = 256, REASON_SIZE = 256, DECODED_SIZE = 32, CHANNELS = 3, EXPLAINED_RATIO = 300, MESSAGE_SIZE = 8192 };

typedef struct finding {
    cnn_status status;
    char reason[REASON_SIZE]; /* of a bad image */
    bool of_process;          /* it is none: memory or open files ran out, and no image is to be left out for that */
    const char *misnamed;     /* the format it is, if its name says another; else NULL */
    uint64_t hash;            /* of its bytes */
    uint64_t unexplained;     /* bytes of pixels beyond what its size explains */
} finding;

typedef struct verification {
    cnn_dataset *dataset;
    cnn_verify_options options;
    cnn_work work;
    size_t first; /* of the current block */
    finding *findings;
    size_t group;               /* where the findings begin that wait and are decoded together */
    cnn_content_table contents; /* without places if duplicates aren't looked for */
    uint64_t unexplained;       /* of all images so far */
    bool *bad;
} verification;

/* What the content of an image is where the name says another; NULL if they agree or the name says nothing. */
static const char *find_misnamed(const char *path, const void *bytes, size_t size)
{
    const cnn_image_decoder *named, *is = cnn_image_find_decoder(bytes, size);
    return cnn_image_has_extension(cnn_name_extension(path), &named) && named != is ? is->name : NULL;
}

static cnn_status decode(const verification *v, size_t index, const void *bytes, size_t size, uint64_t *decoded)
{
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_file_bytes = v->dataset->max_file_bytes;
    options.min_width = options.min_height = DECODED_SIZE; /* every byte is still read */
    cnn_tensor *pixels = NULL;
    const cnn_image_file file = { bytes, size, cnn_dataset_path(v->dataset, index) };
    cnn_status status = cnn_image_decode_counted(v->dataset->context, &file, &options, decoded, &pixels);
    cnn_tensor_destroy(pixels);
    return status;
}

/* Messages begin with the path, which is reported by itself. */
static void keep_reason(finding *found, const char *path)
{
    const char *text = cnn_last_error();
    size_t length = strlen(path);
    found->of_process = found->status == CNN_ERROR_OUT_OF_MEMORY || cnn_lacked_files();
    if (!strncmp(text, path, length) && !strncmp(text + length, ": ", 2))
        text += length + 2;
    size_t size = strlen(text) + 1;
    if (size > sizeof found->reason) { /* what is wrong stands at the end */
        text += size - sizeof found->reason;
        size = sizeof found->reason;
    }
    memcpy(found->reason, text, size);
}

/* Whether decoding it will end at its head: what is refused for its size, or can't hold its pixels, costs nothing. */
static bool is_refused_by_head(const cnn_dataset *dataset, const cnn_image_info *info, size_t size)
{
    enum { MOST_PNG_INFLATION = 1032, BITS = 8 };
    const cnn_context *context = cnn_context_or_default(dataset->context);
    uint64_t pixels = (uint64_t)info->width * info->height;
    if (info->width > CNN_IMAGE_MAX_SIDE || info->height > CNN_IMAGE_MAX_SIDE ||
        (context && pixels > context->max_pixels))
        return true;
    return info->format == CNN_IMAGE_PNG && pixels * info->channels / BITS / MOST_PNG_INFLATION > size;
}

static uint64_t beyond(uint64_t pixels, size_t size)
{
    uint64_t decoded = pixels * CHANNELS, explained = (uint64_t)size * EXPLAINED_RATIO;
    return decoded > explained ? decoded - explained : 0;
}

/* As its head claims. */
static uint64_t count_unexplained(const cnn_dataset *dataset, const char *path, const void *bytes, size_t size)
{
    cnn_image_info info = { .struct_size = sizeof info };
    if (cnn_image_probe(bytes, size, path, &info) || is_refused_by_head(dataset, &info, size))
        return 0; /* decoding will say what is wrong */
    return beyond((uint64_t)info.width * info.height, size);
}

static void check_image(const verification *v, size_t index, const void *bytes, size_t size, finding *found)
{
    const char *path = cnn_dataset_path(v->dataset, index);
    uint64_t decoded;
    found->status = decode(v, index, bytes, size, &decoded);
    found->unexplained = beyond(decoded, size);
    if (!found->status && v->contents.places)
        found->misnamed = find_misnamed(path, bytes, size);
    if (found->status) {
        keep_reason(found, path);
    } else {
        found->hash = cnn_content_hash(bytes, size);
        cnn_content_note(v->dataset, index, found->hash);
    }
}

/* Decodes an image whose size explains its pixels. Others wait, and are decoded some at a time. */
static void examine(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    verification *v = argument;
    size_t index = v->first + task, size;
    finding *found = &v->findings[task];
    *found = (finding){ 0 };
    if (cnn_work_is_cancelled(&v->work))
        return;
    void *bytes;
    const char *path = cnn_dataset_path(v->dataset, index);
    found->status = cnn_dataset_read(v->dataset, index, &bytes, &size);
    if (found->status)
        keep_reason(found, path);
    else
        found->unexplained = count_unexplained(v->dataset, path, bytes, size);
    if (!found->status && !found->unexplained)
        check_image(v, index, bytes, size, found);
    cnn_release(v->dataset->context, bytes);
}

static void examine_waiting(void *argument, size_t task, uint32_t worker)
{
    (void)worker;
    verification *v = argument;
    size_t index = v->first + v->group + task, size;
    finding *found = &v->findings[v->group + task];
    if (!found->unexplained)
        return;
    void *bytes;
    found->status = cnn_dataset_read(v->dataset, index, &bytes, &size);
    found->unexplained = 0;
    if (found->status)
        keep_reason(found, cnn_dataset_path(v->dataset, index));
    else
        check_image(v, index, bytes, size, found);
    cnn_release(v->dataset->context, bytes);
}

static cnn_status fail_unexplained(const verification *v, size_t worst)
{
    return cnn_fail(CNN_ERROR_LIMIT,
                    "%s: its images decode to far more pixels than their files' sizes explain, most of them in %s; "
                    "cnn_dataset_options.max_decoded_bytes raises the limit of %llu bytes",
                    v->dataset->source->path, cnn_dataset_path(v->dataset, v->first + worst),
                    (unsigned long long)v->dataset->max_decoded_bytes);
}

/* How many of the block's findings from the group's beginning on may be decoded together: as many as the limit allows
 * if their heads tell the truth, but one at least. */
static size_t choose_group(const verification *v, size_t count)
{
    uint64_t left = v->dataset->max_decoded_bytes - v->unexplained;
    size_t end = v->group;
    while (end < count && (end == v->group || v->findings[end].unexplained <= left)) {
        uint64_t claimed = v->findings[end++].unexplained;
        left -= claimed < left ? claimed : left;
    }
    return end - v->group;
}

/* What counts is what was decoded: heads may claim anything. Whether the limit is reached depends on the files alone.
 */
static cnn_status examine_block(verification *v, size_t count)
{
    cnn_parallel(v->dataset->context, count, examine, v);
    size_t worst = 0;
    for (v->group = 0; v->group < count;) {
        size_t group = choose_group(v, count);
        cnn_parallel(v->dataset->context, group, examine_waiting, v);
        for (size_t i = v->group; i < v->group + group; i++) {
            v->unexplained += v->findings[i].unexplained;
            if (v->findings[i].unexplained > v->findings[worst].unexplained)
                worst = i;
        }
        if (v->unexplained > v->dataset->max_decoded_bytes)
            return fail_unexplained(v, worst);
        v->group += group;
    }
    return CNN_OK;
}

static void report(const verification *v, size_t index, const char *reason)
{
    if (v->options.bad_file)
        v->options.bad_file(cnn_dataset_path(v->dataset, index), reason, v->options.bad_file_user);
}

/* Both could be read a moment ago. */
static cnn_status have_equal_bytes(const cnn_dataset *dataset, size_t a, size_t b, bool *equal)
{
    void *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    cnn_status status = cnn_dataset_read(dataset, a, &first, &first_size);
    if (!status)
        status = cnn_dataset_read(dataset, b, &second, &second_size);
    *equal = !status && first_size == second_size && !memcmp(first, second, first_size);
    cnn_release(dataset->context, first);
    cnn_release(dataset->context, second);
    return status;
}

/* The same photograph twice is a waste; in two classes it contradicts itself, in two parts it gives a test away. */
static void report_duplicate(const verification *v, size_t index, size_t equal)
{
    static const char *const parts[CNN_ROLES] = { "training", "validation", "test" };
    const cnn_dataset *dataset = v->dataset;
    const cnn_item *one = &dataset->items[equal], *other = &dataset->items[index];
    char reason[MESSAGE_SIZE];
    snprintf(reason, sizeof reason, "has the same content as %s", cnn_dataset_path(dataset, equal));
    size_t used = strlen(reason), left = sizeof reason - used;
    if (one->label != other->label && one->label >= 0 && other->label >= 0)
        snprintf(reason + used, left, ", and another label: %s there, %s here; one of them is wrong",
                 dataset->class_names[one->label], dataset->class_names[other->label]);
    else if (one->role != other->role)
        snprintf(reason + used, left, " in the %s part: what is in the %s part must not be in another",
                 parts[one->role], parts[other->role]);
    report(v, index, reason);
}

static cnn_status look_for_duplicate(verification *v, size_t index, const finding *found)
{
    size_t first = cnn_content_table_find(&v->contents, found->hash, index, true);
    if (first == SIZE_MAX)
        return CNN_OK;
    bool equal;
    cnn_status status = have_equal_bytes(v->dataset, first, index, &equal);
    if (!status && equal)
        report_duplicate(v, index, first);
    return status;
}

static cnn_status report_finding(verification *v, size_t index, const finding *found)
{
    if (found->of_process)
        return cnn_fail(found->status, "%s: %s", cnn_dataset_path(v->dataset, index), found->reason);
    v->bad[index] = found->status != CNN_OK;
    if (v->bad[index]) {
        report(v, index, found->reason);
        return CNN_OK;
    }
    if (found->misnamed) {
        char reason[REASON_SIZE];
        snprintf(reason, sizeof reason, "is a %s image, though its name says otherwise", found->misnamed);
        report(v, index, reason);
    }
    return v->contents.places ? look_for_duplicate(v, index, found) : CNN_OK;
}

static cnn_status verify_all(verification *v)
{
    size_t total = v->dataset->count;
    for (v->first = 0; v->first < total; v->first += BLOCK) {
        size_t count = total - v->first < BLOCK ? total - v->first : BLOCK;
        cnn_status status = examine_block(v, count);
        if (!status)
            status = cnn_work_check(v->dataset->source->path); /* then not all were examined */
        for (size_t i = 0; i < count && !status; i++)
            status = report_finding(v, v->first + i, &v->findings[i]);
        if (status)
            return status;
        if (v->options.progress && v->options.progress(v->first + count, total, v->options.progress_user))
            return cnn_fail(CNN_ERROR_STOPPED, "%s: verification was stopped", v->dataset->source->path);
    }
    return CNN_OK;
}

/* `images` of each class were there before, and `left` are now. */
static cnn_status check_classes(const cnn_dataset *dataset, const uint32_t *images, const uint32_t *left)
{
    if (!dataset->count)
        return cnn_fail(CNN_ERROR_DATA, "%s: none of its images can be used", dataset->source->path);
    for (uint32_t label = 0; label < dataset->class_count; label++)
        if (images[label] && !left[label])
            return cnn_fail(CNN_ERROR_DATA, "%s: none of the images of the class \"%s\" can be used",
                            dataset->source->path, dataset->class_names[label]);
    return CNN_OK;
}

static cnn_status remove_bad(cnn_dataset *dataset, const bool *bad, uint64_t *bad_count)
{
    uint32_t *images = cnn_allocate_zeroed(dataset->context, 2 * (size_t)dataset->class_count, sizeof *images);
    uint32_t *left = images ? images + dataset->class_count : NULL;
    if (!images)
        return CNN_ERROR_OUT_OF_MEMORY;
    size_t kept = 0, total = dataset->count;
    for (size_t i = 0; i < total; i++) {
        int32_t label = dataset->items[i].label;
        if (label >= 0) {
            images[label]++;
            left[label] += !bad[i];
        }
        if (!bad[i])
            dataset->items[kept++] = dataset->items[i];
    }
    dataset->count = kept;
    if (bad_count)
        *bad_count = total - kept;
    cnn_status status = total ? check_classes(dataset, images, left) : CNN_OK;
    cnn_release(dataset->context, images);
    return status;
}

static cnn_status allocate(verification *v)
{
    cnn_context *context = v->dataset->context;
    size_t count = v->dataset->count;
    v->findings = cnn_allocate_zeroed(context, BLOCK, sizeof *v->findings);
    v->bad = cnn_allocate_zeroed(context, count, sizeof *v->bad);
    if (!v->findings || !v->bad)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!v->options.find_duplicates)
        return CNN_OK;
    return cnn_content_table_create(context, count, &v->contents);
}

cnn_status cnn_dataset_verify(cnn_dataset *dataset, const cnn_verify_options *given, uint64_t *bad_count)
{
    if (bad_count)
        *bad_count = 0;
    if (!dataset)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_dataset_verify: no dataset was given");
    if (dataset->source->type->pixels)
        return CNN_OK; /* they were checked when they were given */
    verification v = { .dataset = dataset };
    cnn_verify_options_init(&v.options);
    cnn_status status = cnn_options_read(&v.options, sizeof v.options, given, "cnn_verify_options");
    if (!status)
        status = allocate(&v);
    cnn_work_begin(&v.work, dataset->context);
    if (!status)
        status = verify_all(&v);
    cnn_work_end(&v.work);
    if (!status)
        status = remove_bad(dataset, v.bad, bad_count);
    dataset->verified = dataset->verified || !status;
    cnn_release(dataset->context, v.findings);
    cnn_release(dataset->context, v.contents.places);
    cnn_release(dataset->context, v.bad);
    return status;
}
