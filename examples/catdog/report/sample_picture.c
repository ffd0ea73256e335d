#include "report/sample_picture.h"

#include "cli/destination.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "report/drawing_crash.h"
#include "report/figure.h"

int sample_picture_write(const catdog_command *command, const sample_picture *p)
{
    const destination files[] = {
        { "--data", p->data.path, DESTINATION_INPUT },
        { "--out", p->out, DESTINATION_PICTURE },
        { 0 },
    };
    int refused = destinations_check(command, files, p->force);
    if (refused)
        return refused;
    progress_line progress;
    cnn_context *context = NULL;
    cnn_dataset *dataset = NULL;
    grid g = { 0 };
    progress_init(&progress);
    int wrong = context_create(&p->resources, &context) || data_open(context, &p->data, CNN_PART_AUTO, &dataset) ||
                data_leave_out_bad(dataset, "checking", &progress, NULL) ||
                p->fill(&(photo_source){ context, dataset }, p->user, &g);
    if (!wrong) {
        figure f = grid_figure(&g, "samples", p->title);
        drawing_crash_catch();
        wrong = figure_save(&f, p->out, p->force);
    }
    grid_release(&g);
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(context);
    return wrong ? EXIT_FAILED : output_finish();
}
