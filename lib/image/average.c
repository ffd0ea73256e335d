/* Averages of blocks of pixels: rows are summed first, then columns. */
#include "image/average.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "core/memory.h"

/* sums[x] += row[x], in steps of a fixed size, of which compilers make vectors. */
#define ADD_ROW(sums, row, length)          \
    enum { STEP = 16 };                     \
    size_t x = 0;                           \
    for (; x + STEP <= (length); x += STEP) \
        for (size_t i = 0; i < STEP; i++)   \
            (sums)[x + i] += (row)[x + i];  \
    for (; x < (length); x++)               \
        (sums)[x] += (row)[x];

void cnn_add_row(uint32_t *restrict sums, const uint8_t *restrict row, size_t length)
{
    ADD_ROW(sums, row, length)
}

/* Pixels of blocks `width` columns wide, from sums over `rows` rows. The quotient is taken by way of a reciprocal that
 * is rounded up, which is exact for blocks of less than 4096 pixels; in larger ones a division counts for nothing. */
static void average_columns(const uint32_t *sums, size_t width, size_t rows, size_t blocks, uint8_t *output)
{
    enum { BITS = 32, EXACT = 4096 };
    uint64_t count = width * rows, reciprocal = (((uint64_t)1 << BITS) + count - 1) / count;
    for (size_t block = 0; block < blocks; block++, sums += 3 * width, output += 3)
        for (size_t channel = 0; channel < 3; channel++) {
            uint64_t sum = count / 2;
            for (size_t x = 0; x < width; x++)
                sum += sums[3 * x + channel];
            output[channel] = (uint8_t)(count < EXACT ? (sum * reciprocal) >> BITS : sum / count);
        }
}

void cnn_average_sums(const uint32_t *sums, size_t width, size_t block_width, size_t rows, uint8_t *output)
{
    assert(block_width && rows);
    size_t whole = width / block_width, left = width - whole * block_width;
    average_columns(sums, block_width, rows, whole, output);
    if (left)
        average_columns(sums + 3 * whole * block_width, left, rows, 1, output + 3 * whole);
}

/* The rows of pixels that become one row of averages of blocks. */
typedef struct block_row {
    const uint8_t *bytes;
    size_t rows, width, block_width; /* in pixels */
} block_row;

static void average_block_row(const block_row *from, uint32_t *sums, uint8_t *output)
{
    size_t length = 3 * from->width;
    memset(sums, 0, length * sizeof *sums);
    for (size_t i = 0; i < from->rows; i++)
        cnn_add_row(sums, from->bytes + i * length, length);
    cnn_average_sums(sums, from->width, from->block_width, from->rows, output);
}

#if defined(__x86_64__)
/* Blocks of so few pixels are averaged in 16 bits, a pixel at a time: their reciprocals are exact. */
enum { FEW_PIXELS = 11 };

static void add_row_16(uint16_t *restrict sums, const uint8_t *restrict row, size_t length)
{
    ADD_ROW(sums, row, length)
}

/* A pixel and another value, of the block at `sums`. */
static inline int average_few(const uint16_t *sums, size_t width, __m128i half, __m128i reciprocal)
{
    __m128i sum = half;
    for (size_t x = 0; x < width; x++)
        sum = _mm_add_epi16(sum, _mm_loadl_epi64((const __m128i *)(const void *)(sums + 3 * x)));
    sum = _mm_mulhi_epu16(_mm_add_epi16(sum, sum), reciprocal);
    return _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
}

static inline void average_few_columns(const uint16_t *sums, size_t width, size_t rows, size_t blocks, uint8_t *output)
{
    enum { BITS = 15 }; /* the sixteenth is in the doubled sum, so that the reciprocal of 1 fits */
    size_t count = width * rows;
    if (!count)
        return;
    __m128i half = _mm_set1_epi16((short)(count / 2));
    __m128i reciprocal = _mm_set1_epi16((short)(((1 << BITS) + count - 1) / count));
    for (size_t block = 0; block < blocks; block++, sums += 3 * width, output += 3) {
        int pixel = average_few(sums, width, half, reciprocal);
        memcpy(output, &pixel, block + 1 < blocks ? 4 : 3);
    }
}

/* `sums` has room for one more. */
static void average_row_of_few(const block_row *from, uint16_t *sums, uint8_t *output)
{
    size_t block_width = from->block_width, rows = from->rows, length = 3 * from->width;
    size_t whole = from->width / block_width, left = from->width - whole * block_width;
    memset(sums, 0, (length + 1) * sizeof *sums);
    for (size_t i = 0; i < rows; i++)
        add_row_16(sums, from->bytes + i * length, length);
    if (block_width == 2) /* constants make loops faster */
        average_few_columns(sums, 2, rows, whole, output);
    else if (block_width == 3)
        average_few_columns(sums, 3, rows, whole, output);
    else
        average_few_columns(sums, block_width, rows, whole, output);
    if (left)
        average_few_columns(sums + 3 * whole * block_width, left, rows, 1, output + 3 * whole);
}
#endif

static void average_rows(const cnn_photo *photo, size_t block_width, size_t block_height, uint32_t *sums,
                         const cnn_photo *smaller, uint8_t *output)
{
    size_t width = (size_t)photo->width, height = (size_t)photo->height;
    for (size_t y = 0; y < height; y += block_height, output += 3 * smaller->width) {
        size_t rows = height - y < block_height ? height - y : block_height;
        const block_row from = { photo->bytes + 3 * y * width, rows, width, block_width };
#if defined(__x86_64__)
        if (block_width * block_height <= FEW_PIXELS) {
            average_row_of_few(&from, (uint16_t *)sums, output);
            continue;
        }
#endif
        average_block_row(&from, sums, output);
    }
}

cnn_status cnn_average_blocks(cnn_context *context, const cnn_photo *photo, int64_t block_width, int64_t block_height,
                              cnn_photo *smaller, uint8_t **bytes)
{
    size_t width = (size_t)((photo->width + block_width - 1) / block_width);
    size_t height = (size_t)((photo->height + block_height - 1) / block_height);
    uint32_t *sums = cnn_allocate(context, 3 * sizeof *sums * (size_t)photo->width);
    *bytes = cnn_allocate(context, 3 * width * height);
    if (!sums || !*bytes) {
        cnn_release(context, sums);
        cnn_release(context, *bytes);
        *bytes = NULL;
        return CNN_ERROR_OUT_OF_MEMORY;
    }
    *smaller = (cnn_photo){ .bytes = *bytes, .width = (int64_t)width, .height = (int64_t)height };
    average_rows(photo, (size_t)block_width, (size_t)block_height, sums, smaller, *bytes);
    cnn_release(context, sums);
    return CNN_OK;
}
