#include "report/page.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/destination.h"
#include "cli/memory_stream.h"
#include "cli/output.h"
#include "report/calibration.h"
#include "report/confusion_matrix.h"
#include "report/html.h"
#include "report/style.h"

/* A page in the making. */
typedef struct page {
    const report *r;
    const char *folder;
    int force;
    FILE *file; /* in memory */
    int wrong;  /* something couldn't be written, and its sentence was printed */
} page;

static const char *name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void add_figure(page *p, const figure *f, const char *alt, const char *explanation)
{
    if (p->wrong)
        return;
    p->wrong = figure_save_both(f, p->folder, p->force);
    if (!p->wrong && html_figure(p->file, f, alt, explanation)) {
        output_error("the figure '%s' can't be drawn into the page", f->name);
        p->wrong = -1;
    }
}

/* Of a figure that this report lacks, an older one in the same folder may have left files. */
static void leave_out(page *p, const char *name)
{
    if (!p->wrong)
        p->wrong = figure_remove_both(name, p->folder);
}

static void add_grid(page *p, const grid *g, const char *kind, const char *name, const char *title,
                     const char *explanation)
{
    if (!g->count) {
        leave_out(p, name);
        return;
    }
    if (p->wrong)
        return;
    figure f = grid_figure(g, name, title);
    p->wrong = figure_save_both(&f, p->folder, p->force);
    html_grid(p->file, g, kind, name, title, explanation);
}

static void begin_section(const page *p, const char *id, const char *title)
{
    fprintf(p->file, "<h2 id=\"%s\">%s</h2>\n<div class=\"figures\">\n", id, title);
}

static void end_section(const page *p)
{
    fputs("</div>\n", p->file);
}

/* A figure that people read, and programs: JSON has the same. */
static void add_number(const page *p, const char *id, const char *title, double value, int percent)
{
    fprintf(p->file, "<div><dt>%s</dt><dd>", title);
    if (isnan(value))
        fprintf(p->file, "<data id=\"%s\" value=\"\">\xe2\x80\x93</data>", id);
    else
        fprintf(p->file,
                percent ? "<data id=\"%s\" value=\"%.9g\">%.2f\xc2\xa0%%</data>"
                        : "<data id=\"%s\" value=\"%.9g\">%.4f</data>",
                id, value, percent ? 100 * value : value);
    fputs("</dd></div>\n", p->file);
}

static void add_numbers(const page *p)
{
    const cnn_metrics_result *m = &p->r->predictions.result;
    fputs("<dl class=\"numbers\">\n", p->file);
    add_number(p, "accuracy-number", "accuracy", m->accuracy, 1);
    add_number(p, "precision-number", "precision", m->precision, 1);
    add_number(p, "recall-number", "recall", m->recall, 1);
    add_number(p, "f1-number", "F1", m->f1, 1);
    add_number(p, "auc-number", "AUC", m->auc, 0);
    add_number(p, "loss-number", "loss", m->loss, 0);
    add_number(p, "calibration-number", "calibration error", m->calibration_error, 1);
    fprintf(p->file,
            "<div><dt>photographs</dt><dd><data id=\"images-number\" value=\"%llu\">%llu</data></dd></div>\n</dl>\n"
            "<p class=\"note\">Precision, recall and F1 are ",
            (unsigned long long)m->images, (unsigned long long)m->images);
    if (m->classes == 2) {
        fputs("given for the class ", p->file);
        html_name(p->file, p->r->predictions.names[1]);
    } else
        fputs("means over the classes", p->file);
    fputs(".</p>\n", p->file);
}

static void add_classes(const page *p)
{
    const predictions *all = &p->r->predictions;
    fputs("<figure id=\"classes\"><figcaption><h3>Results by class</h3><p>Precision: of the photographs predicted as "
          "this class, the share that are correct. Recall: of the photographs of this class, the share that are "
          "predicted correctly. F1: the harmonic mean of both.</p></figcaption><div class=\"scroll\"><table><thead><tr>"
          "<th>class</th><th>photographs</th><th>precision</th><th>recall</th><th>F1</th></tr></thead><tbody>\n",
          p->file);
    for (uint32_t k = 0; k < all->classes; k++) {
        cnn_class_result result = { .struct_size = sizeof result };
        cnn_metrics_compute_class(all->metrics, k, &result);
        fputs("<tr><td>", p->file);
        html_name(p->file, all->names[k]);
        fprintf(p->file,
                "</td><td>%llu</td><td>%.2f\xc2\xa0%%</td><td>%.2f\xc2\xa0%%</td><td>%.2f\xc2\xa0%%</td></tr>\n",
                (unsigned long long)result.images, 100 * result.precision, 100 * result.recall, 100 * result.f1);
    }
    fputs("</tbody></table></div></figure>\n", p->file);
}

static void add_head(const page *p)
{
    const report *r = p->r;
    const cnn_preprocess *input = cnn_classifier_preprocess(r->classifier);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          p->file);
    html_text(p->file, name_of_file(r->model_path));
    fprintf(p->file, ": evaluation report</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", page_style);
    html_name(p->file, name_of_file(r->model_path));
    fputs("</h1>\n<p class=\"lead\">Classifies ", p->file);
    for (uint32_t k = 0; k < r->predictions.classes; k++) {
        fputs(!k ? "" : k + 1 < r->predictions.classes ? ", " : " and ", p->file);
        html_name(p->file, r->predictions.names[k]);
    }
    fprintf(p->file, "; input %u \xc3\x97 %u pixels, %.1f million weights. Measured on %llu photographs from <code>",
            input->width, input->height,
            1e-6 * (double)cnn_model_weight_count(cnn_classifier_model(r->classifier), NULL),
            (unsigned long long)r->predictions.result.images);
    html_name(p->file, name_of_file(r->data_path));
    fputs("</code>", p->file);
    if (r->skipped)
        fprintf(p->file, " (%llu broken file%s left out)", (unsigned long long)r->skipped, r->skipped == 1 ? "" : "s");
    fputs(".</p>\n<nav>", p->file);
    fputs("<a href=\"#errors\">Accuracy</a> <a href=\"#confident\">Confidence</a> <a href=\"#shown\">Predictions</a> ",
          p->file);
    if (r->history.count)
        fputs("<a href=\"#training\">Training</a> ", p->file);
    fputs("<a href=\"#data\">Data</a> <a href=\"#net\">Network</a></nav>\n</header>\n<main>\n", p->file);
}

static void add_errors(page *p)
{
    const report *r = p->r;
    begin_section(p, "errors", "Accuracy and mistakes");
    figure f = confusion_matrix_figure(&r->predictions);
    add_figure(
        p, &f, "Confusion matrix: the number of photographs of each true class by predicted class",
        "Each row is a true class, each column a predicted class. The diagonal holds the correct predictions; all "
        "other cells are mistakes. If two classes are often confused, train with more or clearer photographs of "
        "them.");
    fputs("<div class=\"stack\">\n", p->file);
    add_classes(p);
    f = bars_figure(&r->balance, "balance", "Photographs per class");
    add_figure(
        p, &f, "The number of photographs in each class",
        r->balance.count < r->predictions.classes
            ? "The twenty largest classes, and the twenty smallest."
            : "If the classes differ widely in size, accuracy says little: compare precision and recall instead.");
    fputs("</div>\n", p->file);
    f = curve_set_roc_figure(&r->roc);
    add_figure(p, &f, "ROC curves: recall against false positive rate at every threshold",
               "Each point is a threshold. A lower threshold raises the recall, but also the false positive rate: the "
               "share of the other photographs that are predicted as this class. The closer a curve comes to the top "
               "left corner, the better; the dashed line is guessing.");
    f = curve_set_precision_recall_figure(&r->precision_recall);
    add_figure(p, &f, "Precision against recall at every threshold",
               "Each point is a threshold. A lower threshold raises the recall, but usually lowers the precision. If a "
               "class is rare, this curve tells more than the ROC curve. <code>catdog eval --threshold</code> "
               "measures with another threshold.");
    end_section(p);
}

static void add_confidence(page *p)
{
    const report *r = p->r;
    begin_section(p, "confident", "Confidence");
    figure f = calibration_figure(&r->predictions);
    add_figure(
        p, &f, "Calibration: accuracy by confidence",
        "Of the predictions made with 80\xc2\xa0% confidence, 80\xc2\xa0% should be correct. Bars below the dashed "
        "line show overconfidence, which <code>catdog calibrate</code> corrects. Pale bars stand for fewer than 10 "
        "photographs.");
    f = confidence_figure(&r->predictions);
    add_figure(p, &f, "The numbers of correct and wrong predictions by confidence",
               "Mistakes should have low confidence. Mistakes with high confidence are often wrong labels, or "
               "photographs unlike those of the training.");
    add_grid(p, &r->mistake_grid, "squares", "mistakes", "Most confident mistakes",
             "Some of these photographs may have wrong labels: <code>catdog check --model</code> lists those.");
    end_section(p);
}

static void add_predictions(page *p)
{
    const report *r = p->r;
    begin_section(p, "shown", "Predictions");
    add_grid(p, &r->prediction_grid, "squares", "predictions", "Random samples",
             "Photographs drawn at random, with the predicted class and its confidence.");
    add_grid(
        p, &r->heat_map_grid, "pairs", "heat-maps", "Heat maps",
        "Bright areas are evidence for the predicted class (Grad-CAM). If they lie in the background, the net tells "
        "the backgrounds apart, not the classes.");
    if (r->no_heat_maps[0]) {
        fputs("<p class=\"note wide\">There are no heat maps: ", p->file);
        html_text(p->file, r->no_heat_maps);
        fputs(".</p>\n", p->file);
    }
    end_section(p);
}

static void add_training(page *p)
{
    if (!p->r->history.count) {
        leave_out(p, "loss");
        leave_out(p, "accuracy");
        return;
    }
    begin_section(p, "training", "Training");
    figure f = training_curves_of_loss(&p->r->history);
    add_figure(p, &f, "Training and validation loss per epoch",
               "Both losses should fall. If the validation loss rises while the training loss falls, the net overfits: "
               "augment more, or train for fewer epochs. If both still fall at the end, train for more epochs.");
    f = training_curves_of_accuracy(&p->r->history);
    add_figure(p, &f, "Training and validation accuracy per epoch",
               "Training accuracy is measured on augmented photographs, which are harder, so it may be lower than "
               "validation accuracy. The dot marks the epoch whose weights were saved.");
    end_section(p);
}

static void add_data(page *p)
{
    const report *r = p->r;
    char explanation[512];
    begin_section(p, "data", "Data");
    add_grid(p, &r->sample_grid, "squares", "samples", "Samples", "Photographs drawn at random, with their labels.");
    snprintf(explanation, sizeof explanation,
             "Photographs as training with <code>--augment %.200s</code> sees them. The net can't learn from what you "
             "can't recognise.",
             r->augmentation);
    add_grid(p, &r->augmented_grid, "rows", "augmented", "Augmented samples", explanation);
    end_section(p);
}

static void add_layers(const page *p)
{
    const layers *l = &p->r->layers;
    fprintf(
        p->file,
        "<details class=\"card wide\"><summary>All %zu layers</summary><div class=\"scroll\"><table><thead><tr>"
        "<th>layer</th><th class=\"words\">type</th><th>output</th><th>weights</th><th>ms</th></tr></thead><tbody>\n",
        l->count);
    for (size_t i = 0; i < l->count; i++) {
        fputs("<tr><td>", p->file);
        html_name(p->file, l->list[i].name);
        fputs("</td><td class=\"words\">", p->file);
        html_text(p->file, l->list[i].type);
        fprintf(p->file, "</td><td>%s</td><td>%llu</td><td>", l->list[i].shape,
                (unsigned long long)l->list[i].parameters);
        if (l->list[i].milliseconds >= 0.0005)
            fprintf(p->file, "%.3f", l->list[i].milliseconds);
        fputs("</td></tr>\n", p->file);
    }
    fputs("</tbody></table></div><p class=\"note\">A layer without a time is computed together with the layer before "
          "it.</p></details>\n",
          p->file);
}

static void add_net(page *p)
{
    const report *r = p->r;
    char explanation[256];
    begin_section(p, "net", "Network");
    snprintf(explanation, sizeof explanation,
             "The slowest layers, for one photograph on this machine. All layers together take %.2f ms.",
             r->layers.milliseconds);
    figure f = bars_figure(&r->layers.bars, "layers", "Time per layer");
    add_figure(p, &f, "The slowest layers, and the time that each takes", explanation);
    if (r->has_filters) {
        f = filters_figure(&r->filters);
        add_figure(
            p, &f, "The filters of the first convolution as colours",
            "The patterns that the first layer responds to, such as edges and colours. If they look like noise, the "
            "layer has learned little yet.");
    } else
        leave_out(p, "filters");
    add_layers(p);
    end_section(p);
}

static void add_foot(page *p)
{
    fprintf(p->file,
            "</main>\n<footer>Made by catdog %s. The folder of this page has each figure as PNG and SVG.</footer>\n"
            "</body>\n</html>\n",
            cnn_version());
}

static void fill(page *p)
{
    add_head(p);
    add_numbers(p);
    add_errors(p);
    add_confidence(p);
    add_predictions(p);
    add_training(p);
    add_data(p);
    add_net(p);
    add_foot(p);
}

int page_write(const report *r, const char *folder, int force)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/index.html", folder);
    page p = { .r = r, .folder = folder, .force = force, .file = open_memstream(&bytes, &size) };
    if (!p.file) {
        output_error("out of memory: the page can't be written");
        return -1;
    }
    fill(&p);
    bool whole = memory_stream_close(p.file, &bytes);
    if (!whole && !p.wrong)
        output_error("out of memory: the page can't be written");
    int wrong = !whole || p.wrong || destination_check_content(path, DESTINATION_PAGE, force);
    if (!wrong && cnn_file_save(path, bytes, size))
        wrong = output_library_error();
    free(bytes);
    return wrong ? -1 : 0;
}
