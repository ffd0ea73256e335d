#include "image/canvas.h"

#include <string.h>

#include "image/exif.h"

enum { GREY = 128 };

/* Where the stored pixel (0, 0) lands, and where its right and lower neighbours lie from there: EXIF 2.3, tag 274. */
static void orient(cnn_canvas *canvas, uint8_t *data, uint32_t stored_width, uint32_t stored_height,
                   uint32_t orientation)
{
    ptrdiff_t width = cnn_orientation_swaps(orientation) ? stored_height : stored_width;
    ptrdiff_t height = cnn_orientation_swaps(orientation) ? stored_width : stored_height;
    ptrdiff_t pixel = 3, row = 3 * width;
    uint8_t *right = data + (width - 1) * pixel, *bottom = data + (height - 1) * row;
    uint8_t *corner = bottom + (width - 1) * pixel;
    canvas->origin = data;
    canvas->step_x = pixel;
    canvas->step_y = row;
    switch (orientation) {
    case 2: canvas->origin = right, canvas->step_x = -pixel; break;
    case 3: canvas->origin = corner, canvas->step_x = -pixel, canvas->step_y = -row; break;
    case 4: canvas->origin = bottom, canvas->step_y = -row; break;
    case 5: canvas->step_x = row, canvas->step_y = pixel; break;
    case 6: canvas->origin = right, canvas->step_x = row, canvas->step_y = -pixel; break;
    case 7: canvas->origin = corner, canvas->step_x = -row, canvas->step_y = -pixel; break;
    case 8: canvas->origin = bottom, canvas->step_x = -row, canvas->step_y = pixel; break;
    default: break;
    }
}

cnn_status cnn_canvas_create(const cnn_image_source *source, uint32_t width, uint32_t height, uint32_t orientation,
                             cnn_canvas *canvas)
{
    int64_t dims[3] = { height, width, 3 };
    if (cnn_orientation_swaps(orientation)) {
        dims[0] = width;
        dims[1] = height;
    }
    cnn_status status = cnn_tensor_create(source->context, CNN_UINT8, 3, dims, &canvas->pixels);
    if (status)
        return status;
    uint8_t *data = cnn_tensor_data(canvas->pixels);
    if (source->options.allow_truncated) /* what the file lacks stays so */
        memset(data, GREY, cnn_tensor_bytes(canvas->pixels));
    canvas->width = width;
    orient(canvas, data, width, height, orientation);
    return CNN_OK;
}

uint8_t *cnn_canvas_row(const cnn_canvas *canvas, uint32_t y)
{
    return canvas->step_x == 3 ? canvas->origin + (ptrdiff_t)y * canvas->step_y : NULL;
}

void cnn_canvas_put_row(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb)
{
    uint8_t *row = canvas->origin + (ptrdiff_t)y * canvas->step_y;
    for (uint32_t x = 0; x < canvas->width; x++)
        memcpy(row + (ptrdiff_t)x * canvas->step_x, rgb + 3 * (size_t)x, 3);
}

cnn_status cnn_canvas_finish(cnn_canvas *canvas, const cnn_image_source *source, cnn_status status, cnn_tensor **pixels)
{
    if (status == CNN_ERROR_FORMAT && canvas->pixels && source->options.allow_truncated)
        status = CNN_OK; /* cut or damaged: what was decoded stands */
    if (status)
        cnn_tensor_destroy(canvas->pixels);
    else
        *pixels = canvas->pixels;
    return status;
}
