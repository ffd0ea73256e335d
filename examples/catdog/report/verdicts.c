#include "report/verdicts.h"

#include <math.h>
#include <stdlib.h>

#include "cli/data.h"
#include "cli/interrupt.h"
#include "cli/output.h"

typedef struct collecting {
    verdicts *v;
    progress_line *progress;
} collecting;

static int take(const cnn_judgement *judgement, void *user)
{
    verdicts *v = ((collecting *)user)->v;
    float *row = v->probabilities + v->count * v->classes;
    for (uint32_t k = 0; k < v->classes; k++)
        row[k] = judgement->probabilities[k];
    v->list[v->count++] =
        (verdict){ judgement->image, judgement->label, judgement->decided, (double)row[judgement->decided] };
    return interrupt_asked();
}

static int show(uint64_t done, uint64_t total, void *user)
{
    progress_work(((collecting *)user)->progress, "evaluating", done, total);
    return interrupt_asked();
}

static int evaluate(cnn_classifier *classifier, const cnn_dataset *dataset, double threshold, collecting *state)
{
    cnn_evaluate_options options;
    cnn_evaluate_options_init(&options);
    cnn_classifier_evaluate_options(classifier, &options);
    if (threshold > 0)
        options.threshold = (float)threshold;
    options.progress = show;
    options.on_image = take;
    options.user = state;
    state->v->result.struct_size = sizeof state->v->result;
    cnn_status status = cnn_evaluate(cnn_classifier_model(classifier), dataset, &options, &state->v->metrics);
    if (!status)
        status = cnn_metrics_compute(state->v->metrics, &state->v->result);
    progress_clear(state->progress);
    if (status == CNN_ERROR_STOPPED)
        output_error("interrupted; nothing was written");
    else if (status)
        output_library_error();
    return status ? -1 : 0;
}

int verdicts_collect(cnn_classifier *classifier, const cnn_dataset *dataset, double threshold, progress_line *progress,
                     verdicts *v)
{
    size_t count = (size_t)cnn_dataset_count(dataset);
    *v = (verdicts){ .classes = data_classifier_classes(classifier) };
    v->list = calloc(count, sizeof *v->list);
    v->probabilities = calloc(count, v->classes * sizeof *v->probabilities);
    v->names = calloc(v->classes, sizeof *v->names);
    if (!v->list || !v->probabilities || !v->names) {
        output_error("out of memory: the photographs can't be judged");
        return -1;
    }
    for (uint32_t k = 0; k < v->classes; k++)
        output_utf8_into(v->names[k], sizeof v->names[k], cnn_classifier_class_name(classifier, k));
    return evaluate(classifier, dataset, threshold, &(collecting){ v, progress });
}

void verdicts_release(verdicts *v)
{
    free(v->list);
    free(v->probabilities);
    free(v->names);
    cnn_metrics_destroy(v->metrics);
    *v = (verdicts){ 0 };
}

typedef struct scored {
    float score;
    int positive;
} scored;

static int compare(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

/* All photographs by their probability of the class, the likeliest first. */
static scored *sort_scores(const verdicts *v, uint32_t class_index, size_t *positives)
{
    scored *list = calloc(v->count, sizeof *list);
    *positives = 0;
    for (size_t i = 0; list && i < v->count; i++) {
        int positive = v->list[i].label == class_index;
        list[i] = (scored){ v->probabilities[i * v->classes + class_index], positive };
        *positives += (size_t)positive;
    }
    if (list)
        qsort(list, v->count, sizeof *list, compare);
    return list;
}

/* A point on a straight line through its neighbours isn't needed. */
static void add_point(score_curve *curve, double x, double y)
{
    size_t n = curve->count;
    if (n >= 2 && ((curve->x[n - 1] == x && curve->x[n - 2] == x) || (curve->y[n - 1] == y && curve->y[n - 2] == y)))
        n--;
    curve->x[n] = x;
    curve->y[n] = y;
    curve->count = n + 1;
}

/* How many of the first `seen` are of the class: a point of each curve. */
typedef struct tally {
    size_t seen, hits, positives, count;
} tally;

static void add_to_roc(score_curve *curve, const tally *t, const tally *before)
{
    double negatives = (double)(t->count - t->positives), positives = (double)t->positives;
    double x = (double)(t->seen - t->hits) / negatives, y = (double)t->hits / positives;
    double last_x = (double)(before->seen - before->hits) / negatives, last_y = (double)before->hits / positives;
    curve->area += (x - last_x) * (y + last_y) / 2; /* ties count half */
    add_point(curve, x, y);
}

static void add_to_precision_recall(score_curve *curve, const tally *t, const tally *before)
{
    double recall = (double)t->hits / (double)t->positives, precision = (double)t->hits / (double)t->seen;
    curve->area += (recall - (double)before->hits / (double)t->positives) * precision;
    if (!curve->count)
        add_point(curve, 0, precision);
    add_point(curve, recall, precision);
}

static int trace(const verdicts *v, uint32_t class_index, score_curve *curve,
                 void (*add)(score_curve *curve, const tally *t, const tally *before))
{
    tally t = { .count = v->count }, before;
    scored *list = sort_scores(v, class_index, &t.positives);
    *curve = (score_curve){ .x = calloc(v->count + 2, sizeof *curve->x), .y = calloc(v->count + 2, sizeof *curve->y) };
    if (!list || !curve->x || !curve->y) {
        output_error("out of memory: a curve can't be drawn");
        free(list);
        return -1;
    }
    if (!t.positives || t.positives == t.count)
        curve->area = NAN;
    else if (add == add_to_roc)
        add_point(curve, 0, 0);
    while (t.seen < t.count && !isnan(curve->area)) {
        float score = list[t.seen].score;
        before = t;
        for (; t.seen < t.count && list[t.seen].score == score; t.seen++)
            t.hits += (size_t)list[t.seen].positive;
        add(curve, &t, &before);
    }
    free(list);
    return 0;
}

int verdicts_roc(const verdicts *v, uint32_t class_index, score_curve *curve)
{
    return trace(v, class_index, curve, add_to_roc);
}

int verdicts_precision_recall(const verdicts *v, uint32_t class_index, score_curve *curve)
{
    return trace(v, class_index, curve, add_to_precision_recall);
}

void score_curve_release(score_curve *curve)
{
    free(curve->x);
    free(curve->y);
    *curve = (score_curve){ 0 };
}
