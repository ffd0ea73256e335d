/* PNG, through libpng. Its errors leave by longjmp to the outermost function here; it never prints. */
#include <assert.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "core/memory.h"
#include "image/canvas.h"
#include "image/decoders.h"
#include "image/decoding_budget.h"
#include "image/exif.h"
#include "image/png_chunks.h"

/* Of a chunk that isn't pixels: the palette, EXIF. */
enum { MAX_CHUNK_BYTES = 1 << 20, MAX_CHUNKS_KEPT = 16 };

/* What deflate can make of one byte at the most. */
enum { MOST_INFLATION = 1032 };

/* What may follow the last row in the packed pixels: their checksum, and what careless programs leave there. All that
 * follows would be unpacked only to be dropped. */
enum { MAX_BYTES_BEHIND = 1 << 14 };

enum { GREY = 128, SMALL_PIECE = 64 };

typedef struct reader {
    png_structp png;
    png_infop info;
    const cnn_image_source *source;
    size_t position;
    jmp_buf escape;
    cnn_status status;
    bool opening;        /* reading the chunks before the pixels */
    bool unpacking;      /* the pixels */
    uint64_t rows_left;  /* to be unpacked, those of all passes */
    size_t bytes_behind; /* of the packed pixels, read since the last row */
    bool ending;         /* behind the pixels */
    cnn_canvas canvas;
    uint8_t *rows; /* where rows can't be decoded in place: one, or the whole image if it is interlaced */
    uint32_t width, height;
    size_t stride;  /* of a decoded row */
    bool has_alpha; /* decoded pixels are RGBA, else RGB */
    bool interlaced;
    uint64_t memory; /* of the budget */
} reader;

static void leave(reader *self, cnn_status status)
{
    self->status = status;
    longjmp(self->escape, 1);
}

static void on_error(png_structp png, png_const_charp message)
{
    reader *self = png_get_error_ptr(png);
    if (self->status) /* out of memory: already said */
        longjmp(self->escape, 1);
    leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is a damaged PNG: %s", message));
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void end_early(reader *self)
{
    if (self->ending && cnn_png_has_all_pixels(self->source))
        leave(self, CNN_OK); /* only the end marker is missing, or text before it */
    leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is truncated"));
}

/* libpng makes room for a chunk before it reads it; the length that a chunk has may be more than there is. */
static bool exceeds_file(const reader *self, size_t size)
{
    return (self->opening || self->ending) && size > MAX_CHUNK_BYTES && size > self->source->size;
}

static void *on_allocate(png_structp png, png_alloc_size_t size)
{
    reader *self = png_get_mem_ptr(png);
    if (exceeds_file(self, size))
        end_early(self);
    void *memory = cnn_allocate(self->source->context, size);
    if (!memory)
        self->status = CNN_ERROR_OUT_OF_MEMORY;
    return memory;
}

static void on_release(png_structp png, void *memory)
{
    cnn_release(((reader *)png_get_mem_ptr(png))->source->context, memory);
}

static void check_bytes_behind(reader *self, size_t size)
{
    self->bytes_behind += size;
    if (self->bytes_behind > MAX_BYTES_BEHIND)
        leave(self,
              cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is a damaged PNG: its pixels go on behind the last row"));
}

static void on_read(png_structp png, png_bytep target, size_t size)
{
    reader *self = png_get_io_ptr(png);
    if (self->unpacking && !self->rows_left)
        check_bytes_behind(self, size);
    if (size > self->source->size - self->position)
        end_early(self);
    memcpy(target, self->source->bytes + self->position, size);
    self->position += size;
}

/* Of the chunks that aren't needed only the checksum is read. Text can hold EXIF. */
static void ignore_chunks(png_structp png)
{
    static const char names[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
                                "sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tIME\0";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep)names, sizeof names / 5);
}

static void open_reader(reader *self)
{
    self->png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, self, on_error, on_warning, self, on_allocate, on_release);
    if (self->png)
        self->info = png_create_info_struct(self->png);
    if (!self->info)
        leave(self, self->status ? self->status
                                 : cnn_image_fail(self->source, CNN_ERROR_OUT_OF_MEMORY, "libpng can't be set up"));
    png_set_crc_action(self->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(self->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* our own limit is on their product */
    png_set_chunk_malloc_max(self->png, MAX_CHUNK_BYTES);
    png_set_chunk_cache_max(self->png, MAX_CHUNKS_KEPT);
    ignore_chunks(self->png);
    png_set_read_fn(self->png, self, on_read);
    self->opening = true;
    png_read_info(self->png, self->info);
    self->opening = false;
}

/* From a chunk of its own, which may stand behind the pixels, or from text as ImageMagick writes it. */
static uint32_t read_orientation(const reader *self)
{
    size_t size = 0;
    const uint8_t *exif = cnn_png_find_chunk(self->source, "eXIf", &size);
    if (exif)
        return cnn_exif_orientation(exif, size);
    png_textp texts = NULL;
    int count = png_get_text(self->png, self->info, &texts, NULL);
    for (int i = 0; i < count; i++)
        if (!strcmp(texts[i].key, "Raw profile type exif") || !strcmp(texts[i].key, "Raw profile type APP1"))
            return cnn_exif_text_orientation(texts[i].text);
    return 1;
}

static void check_size(reader *self)
{
    self->width = png_get_image_width(self->png, self->info);
    self->height = png_get_image_height(self->png, self->info);
    cnn_status status = cnn_image_check_size(self->source, self->width, self->height);
    if (status)
        leave(self, status);
    uint64_t bits = (uint64_t)self->width * self->height * png_get_bit_depth(self->png, self->info) *
                    png_get_channels(self->png, self->info);
    if (bits / 8 / MOST_INFLATION > self->source->size && !self->source->options.allow_truncated)
        leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is truncated: %zu bytes can't hold %u×%u pixels",
                                   self->source->size, self->width, self->height));
}

/* The head is sound. Of the pixels that can be had all are wanted. */
static void allow_truncation(reader *self)
{
    png_set_crc_action(self->png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_compression_buffer_size(self->png, SMALL_PIECE); /* a piece that is cut is lost as a whole */
}

/* Called when a row has been unpacked, before libpng goes on to what is behind it. */
static void on_row(png_structp png, png_row_infop info, png_bytep row)
{
    (void)info;
    (void)row;
    reader *self = png_get_user_transform_ptr(png);
    assert(self->rows_left);
    self->rows_left--;
}

static uint64_t count_packed_rows(const reader *self)
{
    if (!self->interlaced)
        return self->height;
    uint64_t rows = 0;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        if (PNG_PASS_COLS(self->width, pass))
            rows += PNG_PASS_ROWS(self->height, pass);
    return rows;
}

/* Whatever is stored becomes 8-bit RGB, or RGBA if pixels can be transparent. */
static void choose_transformations(reader *self)
{
    png_structp png = self->png;
    int type = png_get_color_type(png, self->info);
    bool keyed = png_get_valid(png, self->info, PNG_INFO_tRNS) != 0;
    png_set_expand(png);
    png_set_scale_16(png);
    if (!(type & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(png);
    self->has_alpha = (type & PNG_COLOR_MASK_ALPHA) || keyed;
    self->interlaced = png_set_interlace_handling(png) > 1;
    png_set_read_user_transform_fn(png, on_row);
    png_set_user_transform_info(png, self, 0, 0);
    png_read_update_info(png, self->info);
    self->stride = png_get_rowbytes(png, self->info);
}

static void blend_over_white(uint8_t *row, uint32_t width)
{
    for (size_t x = 0; x < width; x++) {
        unsigned alpha = row[4 * x + 3];
        for (size_t channel = 0; channel < 3; channel++)
            row[3 * x + channel] = (uint8_t)((row[4 * x + channel] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

static void put_row(const reader *self, uint32_t y, uint8_t *row)
{
    if (self->has_alpha)
        blend_over_white(row, self->width);
    cnn_canvas_put_row(&self->canvas, y, row);
}

static bool is_decoded_in_place(const reader *self)
{
    return !self->has_alpha && cnn_canvas_row(&self->canvas, 0);
}

/* What is held beside the canvas. */
static size_t count_rows(const reader *self)
{
    return is_decoded_in_place(self) ? 0 : self->interlaced ? self->height : 1;
}

static void claim_memory(reader *self, const cnn_reduction *reduction)
{
    uint64_t whole = self->interlaced ? (uint64_t)self->stride * self->height : 0;
    uint64_t kept = (uint64_t)cnn_reduced_width(reduction) * cnn_reduced_height(reduction) * 3;
    cnn_status status = cnn_image_check_memory(self->source, whole + kept, whole ? ", as it is interlaced" : "");
    if (status)
        leave(self, status);
    self->memory = cnn_decoding_begin(whole + kept);
}

static void allocate_rows(reader *self)
{
    size_t size;
    if (!cnn_multiply(self->stride, count_rows(self), &size))
        leave(self, cnn_image_fail(self->source, CNN_ERROR_LIMIT, "is too large for memory"));
    if (!size)
        return;
    self->rows = cnn_allocate(self->source->context, size);
    if (!self->rows)
        leave(self, CNN_ERROR_OUT_OF_MEMORY);
    if (self->source->options.allow_truncated) /* what the file lacks stays so */
        memset(self->rows, GREY, size);
}

static uint8_t *row_at(const reader *self, uint32_t y)
{
    assert(y < self->height && (self->rows || is_decoded_in_place(self)));
    if (!self->rows)
        return cnn_canvas_row(&self->canvas, y);
    return self->interlaced ? self->rows + y * self->stride : self->rows;
}

static void read_interlaced(reader *self)
{
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        for (uint32_t y = 0; y < self->height; y++)
            png_read_row(self->png, row_at(self, y), NULL);
}

static void put_interlaced(const reader *self)
{
    for (uint32_t y = 0; y < self->height; y++)
        put_row(self, y, row_at(self, y));
}

static void read_rows(reader *self)
{
    for (uint32_t y = 0; y < self->height; y++) {
        png_read_row(self->png, row_at(self, y), NULL);
        if (self->rows)
            put_row(self, y, self->rows);
    }
}

static void decode(reader *self)
{
    if (setjmp(self->escape))
        return;
    open_reader(self);
    check_size(self);
    uint32_t orientation = read_orientation(self);
    if (self->source->options.allow_truncated)
        allow_truncation(self);
    choose_transformations(self);
    cnn_reduction_aim aim = cnn_image_aim(self->source, orientation);
    cnn_reduction reduction =
        cnn_choose_reduction(&aim, self->width, self->height, cnn_even_reduction(&aim, self->width, self->height));
    claim_memory(self, &reduction);
    cnn_status status = cnn_canvas_create(self->source, &reduction, orientation, &self->canvas);
    if (status)
        leave(self, status);
    allocate_rows(self);
    self->rows_left = count_packed_rows(self);
    self->unpacking = true;
    if (self->interlaced)
        read_interlaced(self);
    else
        read_rows(self);
    self->unpacking = false;
    self->ending = true;
    png_read_end(self->png, NULL); /* the checksum of the last pixels */
}

static uint64_t count_decoded(const reader *self)
{
    if (self->ending || (self->unpacking && self->interlaced))
        return (uint64_t)self->width * self->height;
    return self->unpacking ? (uint64_t)self->width * png_get_current_row_number(self->png) : 0;
}

static void close_reader(reader *self)
{
    png_destroy_read_struct(&self->png, &self->info, NULL);
    cnn_release(self->source->context, self->rows);
}

static cnn_status decode_png(const cnn_image_source *source, cnn_tensor **pixels)
{
    reader self = { .source = source };
    decode(&self);
    if (source->decoded)
        *source->decoded = count_decoded(&self);
    if (self.interlaced && self.rows)
        put_interlaced(&self);
    close_reader(&self);
    cnn_decoding_end(self.memory);
    return cnn_canvas_finish(&self.canvas, source, self.status, pixels);
}

static void probe(reader *self, cnn_image_info *info)
{
    if (setjmp(self->escape))
        return;
    open_reader(self);
    uint32_t width = png_get_image_width(self->png, self->info);
    uint32_t height = png_get_image_height(self->png, self->info);
    bool palette = png_get_color_type(self->png, self->info) == PNG_COLOR_TYPE_PALETTE;
    info->orientation = read_orientation(self);
    info->width = cnn_orientation_swaps(info->orientation) ? height : width;
    info->height = cnn_orientation_swaps(info->orientation) ? width : height;
    info->channels = palette ? 3 : png_get_channels(self->png, self->info);
}

static cnn_status probe_png(const cnn_image_source *source, cnn_image_info *info)
{
    reader self = { .source = source };
    probe(&self, info);
    close_reader(&self);
    return self.status;
}

static bool recognizes(const uint8_t *bytes, size_t size)
{
    return size >= 4 && !memcmp(bytes, "\x89PNG", 4);
}

const cnn_image_decoder cnn_png_decoder = {
    .format = CNN_IMAGE_PNG,
    .name = "PNG",
    .extensions = { "png" },
    .recognizes = recognizes,
    .probe = probe_png,
    .decode = decode_png,
};
