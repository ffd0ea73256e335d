#include "kinds.h"

#include <cnn/cnn.h>

int32_t kinds_of_optimizer(void)
{
    int32_t count = 0;
    while (cnn_optimizer_kind_name((cnn_optimizer_kind)count))
        count++;
    return count;
}

int32_t kinds_of_schedule(void)
{
    int32_t count = 0;
    while (cnn_schedule_kind_name((cnn_schedule_kind)count))
        count++;
    return count;
}
