#include "report/heat.h"

#include <math.h>

/* From cold to hot: steps of the palette "inferno", by Smith and van der Walt. */
static const unsigned char palette[][3] = {
    { 40, 11, 84 },   { 101, 21, 110 }, { 159, 42, 99 },   { 212, 72, 66 },
    { 245, 125, 21 }, { 250, 193, 39 }, { 252, 255, 164 },
};
enum { STEPS = sizeof palette / sizeof *palette - 1 };

static float lerp(float a, float b, float share)
{
    return a + (b - a) * share;
}

/* The map's value at a place of the image, which it covers from edge to edge. */
static float sample(cnn_tensor *map, float y, float x)
{
    int height = (int)cnn_tensor_dim(map, 0), width = (int)cnn_tensor_dim(map, 1);
    const float *values = cnn_tensor_data(map);
    y = fminf(fmaxf(y * (float)height - 0.5f, 0), (float)(height - 1));
    x = fminf(fmaxf(x * (float)width - 0.5f, 0), (float)(width - 1));
    int top = (int)y, left = (int)x, bottom = top + (top + 1 < height), right = left + (left + 1 < width);
    float upper = lerp(values[top * width + left], values[top * width + right], x - (float)left);
    float lower = lerp(values[bottom * width + left], values[bottom * width + right], x - (float)left);
    return lerp(upper, lower, y - (float)top);
}

static void paint(unsigned char *pixel, float heat)
{
    float grey = 0.299f * (float)pixel[0] + 0.587f * (float)pixel[1] + 0.114f * (float)pixel[2];
    float place = heat * STEPS;
    int step = place < STEPS ? (int)place : STEPS - 1;
    for (int channel = 0; channel < 3; channel++) {
        float colour = lerp(palette[step][channel], palette[step + 1][channel], place - (float)step);
        float cold = lerp(grey, (float)pixel[channel], 0.35f) * 0.8f;
        pixel[channel] = (unsigned char)lrintf(lerp(cold, colour, 0.15f + 0.5f * heat));
    }
}

void heat_paint(cnn_tensor *map, unsigned char *pixels, int width, int height)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            paint(pixels + 3 * (y * width + x),
                  sample(map, ((float)y + 0.5f) / (float)height, ((float)x + 0.5f) / (float)width));
}
