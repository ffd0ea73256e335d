#include "image/canvas.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "image/average.h"
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

static bool keeps_every_pixel(const cnn_reduction *reduction)
{
    return reduction->block_width == 1 && reduction->block_height == 1;
}

static cnn_status allocate_sums(cnn_canvas *canvas)
{
    if (keeps_every_pixel(&canvas->reduction))
        return CNN_OK;
    canvas->sums = cnn_allocate_zeroed(canvas->context, canvas->reduction.width, 3 * sizeof *canvas->sums);
    canvas->blocks = cnn_allocate_zeroed(canvas->context, cnn_reduced_width(&canvas->reduction), 3);
    return canvas->sums && canvas->blocks ? CNN_OK : CNN_ERROR_OUT_OF_MEMORY;
}

cnn_status cnn_canvas_create(const cnn_image_source *source, const cnn_reduction *reduction, uint32_t orientation,
                             cnn_canvas *canvas)
{
    assert(orientation >= 1 && orientation <= 8);
    *canvas = (cnn_canvas){ .context = source->context, .reduction = *reduction };
    uint32_t width = cnn_reduced_width(reduction), height = cnn_reduced_height(reduction);
    int64_t dims[3] = { height, width, 3 };
    if (cnn_orientation_swaps(orientation)) {
        dims[0] = width;
        dims[1] = height;
    }
    cnn_status status = cnn_tensor_create(source->context, CNN_UINT8, 3, dims, &canvas->pixels);
    if (!status)
        status = allocate_sums(canvas);
    if (status)
        return status;
    uint8_t *data = cnn_tensor_data(canvas->pixels);
    if (source->options.allow_truncated) /* what the file lacks stays so */
        memset(data, GREY, cnn_tensor_bytes(canvas->pixels));
    orient(canvas, data, width, height, orientation);
    return CNN_OK;
}

uint8_t *cnn_canvas_row(const cnn_canvas *canvas, uint32_t y)
{
    const cnn_reduction *kept = &canvas->reduction;
    bool as_it_is = canvas->step_x == 3 && !canvas->sums && !kept->left && !kept->top;
    return as_it_is ? canvas->origin + (ptrdiff_t)y * canvas->step_y : NULL;
}

static void put_pixels(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb, uint32_t count)
{
    uint8_t *row = canvas->origin + (ptrdiff_t)y * canvas->step_y;
    for (uint32_t x = 0; x < count; x++)
        memcpy(row + (ptrdiff_t)x * canvas->step_x, rgb + 3 * (size_t)x, 3);
}

/* `y` and `rgb` begin in the window. */
static void add_to_blocks(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb)
{
    const cnn_reduction *kept = &canvas->reduction;
    uint32_t row = y % kept->block_height;
    cnn_add_row(canvas->sums, rgb, 3 * (size_t)kept->width);
    if (row + 1 < kept->block_height && y + 1 < kept->height)
        return;
    cnn_average_sums(canvas->sums, kept->width, kept->block_width, row + 1, canvas->blocks);
    memset(canvas->sums, 0, 3 * sizeof *canvas->sums * kept->width);
    put_pixels(canvas, y / kept->block_height, canvas->blocks, cnn_reduced_width(kept));
}

void cnn_canvas_put_row(const cnn_canvas *canvas, uint32_t y, const uint8_t *rgb)
{
    const cnn_reduction *kept = &canvas->reduction;
    if (y < kept->top || y - kept->top >= kept->height)
        return;
    rgb += 3 * (size_t)kept->left;
    if (canvas->sums)
        add_to_blocks(canvas, y - kept->top, rgb);
    else
        put_pixels(canvas, y - kept->top, rgb, kept->width);
}

cnn_status cnn_canvas_finish(cnn_canvas *canvas, const cnn_image_source *source, cnn_status status, cnn_tensor **pixels)
{
    cnn_release(source->context, canvas->sums);
    cnn_release(source->context, canvas->blocks);
    if (status == CNN_ERROR_FORMAT && canvas->pixels && source->options.allow_truncated)
        status = CNN_OK; /* cut or damaged: what was decoded stands */
    if (status)
        cnn_tensor_destroy(canvas->pixels);
    else
        *pixels = canvas->pixels;
    return status;
}
