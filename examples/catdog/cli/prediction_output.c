#include "cli/prediction_output.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

static void print_csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_as_csv(const char *path, const cnn_prediction *prediction, const char *reason)
{
    print_csv_text(path);
    putchar(',');
    if (prediction->status) {
        fputs(",,", stdout);
        print_csv_text(reason);
    } else {
        print_csv_text(prediction->label);
        printf(",%.6f,", prediction->confidence);
    }
    putchar('\n');
}

/* The likeliest classes with their probabilities. */
static json_t *candidates_to_json(const prediction_output *o, const cnn_prediction *prediction)
{
    enum { MOST = 5 };
    uint32_t classes[MOST], count = cnn_top_classes(prediction->probabilities, prediction->class_count, classes, MOST);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        const char *name = cnn_classifier_class_name(o->classifier, classes[i]);
        json_array_append_new(list, json_pack("{s:o,s:o}", "label", output_json_text(name), "confidence",
                                              output_json_number(prediction->probabilities[classes[i]])));
    }
    return list;
}

static int has_many_classes(const prediction_output *o)
{
    return cnn_classifier_class_count(o->classifier) > 2;
}

static int print_as_json(const prediction_output *o, const char *path, const cnn_prediction *prediction,
                         const char *reason)
{
    json_t *object = json_object();
    json_object_set_new(object, "path", output_json_text(path));
    if (prediction->status) {
        json_object_set_new(object, "error", output_json_text(reason));
    } else {
        json_object_set_new(object, "label", output_json_text(prediction->label));
        json_object_set_new(object, "confidence", output_json_number(prediction->confidence));
        if (has_many_classes(o))
            json_object_set_new(object, "candidates", candidates_to_json(o, prediction));
    }
    return output_json(object, JSON_COMPACT);
}

/* The two classes that come next, if they are at all likely. */
static void print_others(const prediction_output *o, const cnn_prediction *prediction)
{
    const float least = 0.01f;
    uint32_t classes[3], count = cnn_top_classes(prediction->probabilities, prediction->class_count, classes, 3);
    for (uint32_t i = 1; i < count && prediction->probabilities[classes[i]] >= least; i++) {
        fputs(i == 1 ? "  or " : ", ", stdout);
        output_text(stdout, cnn_classifier_class_name(o->classifier, classes[i]));
        printf(" %.1f %%", 100 * prediction->probabilities[classes[i]]);
    }
}

static void print_as_row(const prediction_output *o, const char *path, const cnn_prediction *prediction,
                         const char *reason)
{
    if (prediction->status) {
        output_flush(); /* where both go to one place, they stay in order */
        output_error("%s: %s", path, reason);
        return;
    }
    output_text(stdout, path);
    printf("%*s  ", o->width - output_width(path), "");
    output_text(stdout, prediction->label);
    int widest = 0;
    for (uint32_t i = 0; cnn_classifier_class_name(o->classifier, i); i++) {
        int width = output_width(cnn_classifier_class_name(o->classifier, i));
        widest = width > widest ? width : widest;
    }
    printf("%*s  %5.1f %%", widest - output_width(prediction->label), "", 100 * prediction->confidence);
    if (has_many_classes(o))
        print_others(o, prediction);
    putchar('\n');
}

void prediction_output_widen(prediction_output *o, const char *path)
{
    int width = output_width(path);
    o->width = width > o->width ? width : o->width;
}

void prediction_output_begin(const prediction_output *o)
{
    if (o->csv)
        puts("path,label,confidence,error");
}

int prediction_output_print(const prediction_output *o, const char *path, const cnn_prediction *prediction,
                            const char *sentence)
{
    const char *reason = output_reason(path, sentence);
    if (o->json) {
        if (print_as_json(o, path, prediction, reason))
            return -1;
    } else if (o->csv) {
        print_as_csv(path, prediction, reason);
    } else {
        print_as_row(o, path, prediction, reason);
    }
    return ferror(stdout);
}
