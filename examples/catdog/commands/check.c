#include <stdio.h>
#include <stdlib.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/data.h"
#include "cli/inference_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "commands/commands.h"
#include "training/label_issues.h"

typedef struct checking {
    data_options data;
    const char *model; /* NULL: labels are not checked */
    inference_options inference;
    int json;
    context_options resources;
    progress_line progress;
    cnn_context *context;
    cnn_dataset *dataset;
    cnn_classifier *classifier;
    json_t *bad; /* for --json: what was found */
    uint64_t images, bad_count;
    uint64_t *class_counts; /* as found, the bad ones among them */
    label_issues label_issues;
} checking;

static void report_bad_file(const char *path, const char *sentence, void *user)
{
    checking *c = user;
    const char *reason = output_reason(path, sentence);
    c->bad_count++;
    if (c->json) {
        json_array_append_new(
            c->bad, json_pack("{s:o,s:o}", "path", output_json_text(path), "reason", output_json_text(reason)));
        return;
    }
    progress_clear(&c->progress);
    output_text(stdout, path);
    fputs(": ", stdout);
    output_text(stdout, reason);
    putchar('\n');
}

static int show(uint64_t done, uint64_t total, void *user)
{
    checking *c = user;
    progress_work(&c->progress, "checking", done, total);
    return output_flush(); /* nobody reads the list any more */
}

static int count_classes(checking *c)
{
    c->images = cnn_dataset_count(c->dataset);
    c->class_counts = calloc(cnn_dataset_class_count(c->dataset) + 1, sizeof *c->class_counts);
    if (!c->class_counts) {
        output_error("out of memory: the classes can't be counted");
        return EXIT_FAILED;
    }
    for (uint64_t i = 0; i < c->images; i++) {
        int32_t label = cnn_dataset_label(c->dataset, i);
        if (label >= 0)
            c->class_counts[label]++;
    }
    return EXIT_DONE;
}

static int print_json(checking *c)
{
    json_t *classes = json_object();
    for (uint32_t i = 0; i < cnn_dataset_class_count(c->dataset); i++) {
        json_t *name = output_json_text(cnn_dataset_class_name(c->dataset, i));
        json_object_set_new(classes, json_string_value(name), json_integer((json_int_t)c->class_counts[i]));
        json_decref(name);
    }
    json_t *bad = json_incref(c->bad);
    json_t *object = json_pack("{s:I,s:o,s:o}", "images", (json_int_t)c->images, "classes", classes, "bad", bad);
    if (c->model)
        json_object_set_new(object, "label_issues", label_issues_to_json(&c->label_issues));
    return output_json(object, JSON_INDENT(2));
}

static void print_table(const checking *c)
{
    printf("%s%llu images:", c->bad_count ? "\n" : "", (unsigned long long)c->images);
    for (uint32_t i = 0; i < cnn_dataset_class_count(c->dataset); i++) {
        printf("%s%llu ", i ? ", " : " ", (unsigned long long)c->class_counts[i]);
        output_text(stdout, cnn_dataset_class_name(c->dataset, i));
    }
    if (c->bad_count)
        printf("; %llu of them with a fault\n", (unsigned long long)c->bad_count);
    else
        puts("; all are sound");
}

static cnn_status verify(checking *c)
{
    cnn_verify_options options;
    cnn_verify_options_init(&options);
    options.find_duplicates = 1;
    options.bad_file = report_bad_file;
    options.progress = show;
    options.bad_file_user = options.progress_user = c;
    cnn_status status = cnn_dataset_verify(c->dataset, &options, NULL);
    progress_clear(&c->progress);
    return status;
}

static int check_labels(checking *c)
{
    if (inference_load(&check_command, c->context, c->model, &c->inference, &c->classifier))
        return EXIT_FAILED;
    if (data_align_to_classifier(c->dataset, c->classifier) ||
        label_issues_find(c->classifier, c->dataset, &c->progress, &c->label_issues))
        return EXIT_FAILED;
    if (!c->json)
        label_issues_print(&c->label_issues);
    return EXIT_DONE;
}

static int check(checking *c)
{
    if (context_create(&c->resources, &c->context) || data_open(c->context, &c->data, CNN_PART_ALL, &c->dataset) ||
        count_classes(c))
        return EXIT_FAILED;
    c->bad = json_array();
    cnn_status status = verify(c);
    if (status == CNN_ERROR_STOPPED)
        return output_finish();
    if (status)
        output_library_error();
    if (status && status != CNN_ERROR_DATA) /* a class of which nothing is left is a finding, too */
        return EXIT_FAILED;
    if (c->model && !status && check_labels(c))
        return EXIT_FAILED;
    if (!c->json)
        print_table(c);
    else if (print_json(c))
        return EXIT_FAILED;
    return output_finish();
}

/* Options that only matter where a model is run. */
static int refuse_inference_options(const catdog_command *command, const checking *c)
{
    static const char why[] = "without --model FILE";
    return arguments_refuse_unused(
        command, (const unused_option[]){ { "flip", !c->model, why }, { "size", !c->model, why }, { 0 } });
}

static int run(const catdog_command *command, int argc, char **argv)
{
    checking c = { 0 };
    const option options[] = {
        DATA_OPTIONS(c.data, "photographs to check"),
        { "model", "FILE", "trained model to check the labels with", OPTION_TEXT, &c.model },
        INFERENCE_OPTIONS(c.inference),
        { "json", NULL, "print the results as JSON", OPTION_FLAG, &c.json },
        THREADS_OPTION(c.resources),
        MEMORY_OPTION(c.resources),
        MAX_PIXELS_OPTION(c.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (refuse_inference_options(command, &c))
        return EXIT_USAGE;
    progress_init(&c.progress);
    int result = check(&c);
    json_decref(c.bad);
    free(c.class_counts);
    label_issues_release(&c.label_issues);
    cnn_classifier_destroy(c.classifier);
    cnn_dataset_destroy(c.dataset);
    cnn_context_destroy(c.context);
    return result;
}

const catdog_command check_command = {
    "check",
    "find broken, misnamed, duplicate and mislabelled photographs",
    "--data PATH [OPTION]...",
    "Decodes every photograph and lists each one that is broken (not decodable, or truncated),\n"
    "misnamed (a PNG called .jpg) or a duplicate, with the reason.\n\n"
    "  catdog check --data PetImages\n"
    "  catdog check --data photos.zip --json\n"
    "  catdog check --data PetImages --model pets.safetensors\n\n"
    "With --model, the list ends with label issues: photographs for which the model confidently\n"
    "predicts another class than their label, the largest loss first. Use a model that was not\n"
    "trained on these photographs, because it may have learned the wrong labels.\n\n"
    "The exit status is 0 if all photographs were checked, whatever was found, and 1 if the data\n"
    "can't be opened.\n",
    run,
};
