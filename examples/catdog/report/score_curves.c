#include "report/score_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output.h"
#include "report/axes.h"
#include "report/isolate.h"

static const double width = 390, height = 300;

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
static scored *sort_scores(const predictions *all, uint32_t class_index, size_t *positives)
{
    scored *list = calloc(all->count, sizeof *list);
    *positives = 0;
    for (size_t i = 0; list && i < all->count; i++) {
        int positive = all->list[i].label == class_index;
        list[i] = (scored){ all->probabilities[i * all->classes + class_index], positive };
        *positives += (size_t)positive;
    }
    if (list)
        qsort(list, all->count, sizeof *list, compare);
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

/* Of the `seen` photographs with the highest scores, `hits` are of the class: one point of each curve. */
typedef struct tally {
    size_t seen, hits, positives, count;
} tally;

/* Adds the point of `t`, which follows that of `before`, and the area between them. */
typedef void (*curve_step)(score_curve *curve, const tally *t, const tally *before);

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

static int trace(const predictions *all, uint32_t class_index, curve_step add, score_curve *curve)
{
    tally t = { .count = all->count }, before;
    scored *list = sort_scores(all, class_index, &t.positives);
    *curve =
        (score_curve){ .x = calloc(all->count + 2, sizeof *curve->x), .y = calloc(all->count + 2, sizeof *curve->y) };
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

static void score_curve_release(score_curve *curve)
{
    free(curve->x);
    free(curve->y);
    *curve = (score_curve){ 0 };
}

/* Keeps a curve if it is among the worst so far, which stay in order of their classes. */
static void keep_worst(curve_set *set, uint32_t class_index, score_curve *curve)
{
    uint32_t best = 0;
    if (set->count == THEME_SERIES) {
        for (uint32_t i = 1; i < set->count; i++)
            if (set->curves[i].area > set->curves[best].area)
                best = i;
        if (set->curves[best].area <= curve->area) {
            score_curve_release(curve);
            return;
        }
        score_curve_release(&set->curves[best]);
        for (set->count--; best < set->count; best++) {
            set->curves[best] = set->curves[best + 1];
            set->classes[best] = set->classes[best + 1];
        }
    }
    set->classes[set->count] = class_index;
    set->curves[set->count++] = *curve;
}

static int make_set(const predictions *all, curve_step add, curve_set *set)
{
    uint32_t known = 0;
    *set = (curve_set){ .predictions = all };
    for (uint32_t k = all->classes == 2; k < all->classes; k++) {
        score_curve curve;
        if (trace(all, k, add, &curve)) {
            score_curve_release(&curve);
            return -1;
        }
        if (isnan(curve.area)) {
            score_curve_release(&curve);
            continue;
        }
        known++;
        set->area += curve.area;
        keep_worst(set, k, &curve);
    }
    set->area = known ? set->area / known : NAN;
    return 0;
}

int curve_set_roc(const predictions *all, curve_set *set)
{
    return make_set(all, add_to_roc, set);
}

int curve_set_precision_recall(const predictions *all, curve_set *set)
{
    return make_set(all, add_to_precision_recall, set);
}

void curve_set_release(curve_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        score_curve_release(&set->curves[i]);
    *set = (curve_set){ 0 };
}

/* A key has two classes in a line; of two classes there is one curve. */
static int key_lines(const curve_set *set)
{
    return set->predictions->classes > 2 ? (int)(set->count + 1) / 2 : 1;
}

static void draw_set(const canvas *c, const curve_set *set, axes *a, const char *area_name)
{
    char text[CLASS_NAME + 64], name[CLASS_NAME + 8];
    int many = set->predictions->classes > 2;
    axes_draw(a, c, key_lines(set));
    for (uint32_t i = set->count; i-- > 0;)
        axes_curve(a, c, set->curves[i].x, set->curves[i].y, set->curves[i].count, c->theme->series[i]);
    for (uint32_t i = 0; i < set->count; i++) {
        double x = i % 2 ? c->width / 2 : 0;
        isolate(name, sizeof name, set->predictions->names[set->classes[i]]);
        snprintf(text, sizeof text, "%s: %s %.4f", name, area_name, set->curves[i].area);
        axes_key(c, (int)i / 2, &x, many ? c->width / 2 - 8 : c->width, c->theme->series[i], text);
    }
}

static void draw_roc(const canvas *c, const void *data)
{
    axes a = { { 0, 1, 0.2, AXIS_PERCENT, "false positive rate" },
               { 0, 1, 0.2, AXIS_PERCENT, "recall (true positive rate)" } };
    draw_set(c, data, &a, "AUC");
    axes_dashes(&a, c, 0, 0, 1, 1);
}

static void draw_precision_recall(const canvas *c, const void *data)
{
    axes a = { { 0, 1, 0.2, AXIS_PERCENT, "recall" }, { 0, 1, 0.2, AXIS_PERCENT, "precision" } };
    draw_set(c, data, &a, "AP");
}

figure curve_set_roc_figure(const curve_set *set)
{
    return (figure){ "roc", "ROC curve", width, height + AXES_KEY_LINE * (key_lines(set) - 1), draw_roc, set };
}

figure curve_set_precision_recall_figure(const curve_set *set)
{
    const double tall = height + AXES_KEY_LINE * (key_lines(set) - 1);
    return (figure){ "precision-recall", "Precision and recall", width, tall, draw_precision_recall, set };
}
