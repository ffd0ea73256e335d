#include "train/plateau.h"

#include <math.h>

void cnn_plateau_init(cnn_plateau *plateau)
{
    *plateau = (cnn_plateau){ .lowest_loss = INFINITY, .rate_factor = 1 };
}

void cnn_plateau_add_epoch(cnn_plateau *plateau, const cnn_schedule *schedule, double validation_loss)
{
    plateau->epochs_since_lowest++;
    plateau->epochs_on_level++;
    if (validation_loss < plateau->lowest_loss) {
        plateau->lowest_loss = validation_loss;
        plateau->epochs_since_lowest = plateau->epochs_on_level = 0;
    }
    if (schedule->kind == CNN_SCHEDULE_PLATEAU && plateau->epochs_on_level >= schedule->patience) {
        plateau->rate_factor *= (double)schedule->gamma;
        plateau->epochs_on_level = 0;
    }
}
