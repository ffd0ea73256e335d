#include "serve/answers.h"

#include <string.h>

#include <jansson.h>

#include "cli/json_memory.h"
#include "cli/output.h"

/* The text as memory for free(), which jansson's is not. A float has six significant digits. NULL if memory ran out
 * while the object was built, because it may be incomplete. */
static char *to_text(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    int lacks_parts = json_memory_ran_out();
    char *copy = text && !lacks_parts ? strdup(text) : NULL;
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
    json_decref(object);
    return copy;
}

char *answer_error(const char *sentence)
{
    return to_text(json_pack("{s:o}", "error", output_json_text(sentence)));
}

char *answer_health(int stopping)
{
    return to_text(json_pack("{s:s}", "status", stopping ? "stopping" : "ok"));
}

static json_t *class_names(const cnn_classifier *classifier)
{
    json_t *names = json_array();
    const char *name;
    for (uint32_t i = 0; (name = cnn_classifier_class_name(classifier, i)); i++)
        json_array_append_new(names, output_json_text(name));
    return names;
}

/* In the order of cnn_fit. */
static const char *const fit_names[] = { "stretch", "crop", "letterbox" };

char *answer_model(cnn_classifier *classifier, const char *name, const serve_limits *limits)
{
    const cnn_model *model = cnn_classifier_model(classifier);
    const cnn_preprocess *preprocess = cnn_classifier_preprocess(classifier);
    json_t *input = json_pack("{s:I,s:I,s:s}", "width", (json_int_t)preprocess->width, "height",
                              (json_int_t)preprocess->height, "fit", fit_names[preprocess->fit]);
    json_t *bounds = json_pack("{s:I,s:I,s:I}", "request_bytes", (json_int_t)limits->body_bytes, "photographs",
                               (json_int_t)limits->photographs, "pixels", (json_int_t)limits->pixels);
    return to_text(json_pack("{s:o,s:o,s:o,s:I,s:f,s:o,s:s}", "name", output_json_text(name), "classes",
                             class_names(classifier), "input", input, "parameters",
                             (json_int_t)cnn_model_weight_count(model, NULL), "threshold",
                             (double)cnn_classifier_threshold(classifier), "limits", bounds, "version", cnn_version()));
}

static json_t *candidates(const cnn_classifier *classifier, const cnn_prediction *prediction)
{
    enum { MOST = 5 };
    json_t *list = json_array();
    uint32_t classes[MOST], count = cnn_top_classes(prediction->probabilities, prediction->class_count, classes, MOST);
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "label",
                                              output_json_text(cnn_classifier_class_name(classifier, classes[i])),
                                              "confidence", output_json_number(prediction->probabilities[classes[i]])));
    return list;
}

/* Rows from top to bottom. Three digits are more than an eye tells apart. */
static json_t *heat_map(const cnn_tensor *map)
{
    const float *values = cnn_tensor_const_data(map);
    json_t *rows = json_array();
    for (int64_t y = 0; y < cnn_tensor_dim(map, 0); y++) {
        json_t *row = json_array();
        for (int64_t x = 0; x < cnn_tensor_dim(map, 1); x++)
            json_array_append_new(row, output_json_number((double)(int)(1000 * *values++ + 0.5f) / 1000));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *answer_one(const cnn_classifier *classifier, const photograph *one)
{
    const cnn_prediction *prediction = &one->prediction;
    json_t *object = json_object();
    if (one->name)
        json_object_set_new(object, "name", output_json_text(one->name));
    if (prediction->status) {
        json_object_set_new(object, "error", output_json_text(output_reason("the image", prediction->error)));
        return object;
    }
    json_object_set_new(object, "label", output_json_text(prediction->label));
    json_object_set_new(object, "confidence", output_json_number(prediction->confidence));
    json_object_set_new(object, "candidates", candidates(classifier, prediction));
    if (one->heat_map)
        json_object_set_new(object, "heat_map", heat_map(one->heat_map));
    return object;
}

char *answer_predictions(const cnn_classifier *classifier, const photographs *all, size_t *refused)
{
    json_t *list = json_array();
    *refused = 0;
    for (size_t i = 0; i < all->count; i++) {
        json_array_append_new(list, answer_one(classifier, all->items[i]));
        *refused += all->items[i]->prediction.status != CNN_OK;
    }
    json_t *object = json_pack("{s:o}", "predictions", list);
    if (*refused == all->count)
        json_object_set_new(object, "error",
                            json_string(all->count == 1 ? "the photograph can't be classified"
                                                        : "none of the photographs can be classified"));
    return to_text(object);
}
