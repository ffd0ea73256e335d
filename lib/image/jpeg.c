/* JPEG, through libjpeg-turbo. Its errors leave by longjmp to the outermost function here; it never prints. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* needs the other */

#include "core/memory.h"
#include "image/canvas.h"
#include "image/decoders.h"
#include "image/decoding_budget.h"
#include "image/exif.h"

/* Programs write 10 scans for colours, 18 for CMYK. */
enum { ROWS_AT_ONCE = 4, MAX_SCANS = 500, ALWAYS_ALLOWED_SCANS = 20 };

/* Pixels times scans of one progressive image: each scan walks over all of it, even if it holds next to nothing. */
static const uint64_t max_scanned_pixels = (uint64_t)1 << 30;

/* A block of 8×8 pixels takes one bit at the least if Huffman coded. */
enum { MOST_PIXELS_IN_A_BYTE = 8 * 64 };

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    const cnn_image_source *source;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr input;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    cnn_status status;
    bool ended;   /* the file ended before the image did */
    bool started; /* decoding */
    cnn_canvas canvas;
    uint8_t *rows;   /* where rows can't be decoded in place */
    uint64_t memory; /* of the budget */
} reader;

static void leave(reader *self, cnn_status status)
{
    self->status = status;
    longjmp(self->escape, 1);
}

static void fail_truncated(reader *self)
{
    leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is truncated"));
}

static void fail_damaged(reader *self)
{
    char text[JMSG_LENGTH_MAX];
    self->jpeg.err->format_message((j_common_ptr)&self->jpeg, text);
    leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is a damaged JPEG: %s", text));
}

static void on_error(j_common_ptr jpeg)
{
    reader *self = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    switch (jpeg->err->msg_code) {
    case JERR_IMAGE_TOO_BIG:
        leave(self, cnn_image_fail(self->source, CNN_ERROR_LIMIT,
                                   "has a side of more than the %d pixels that a JPEG may have: cut it into parts",
                                   (int)JPEG_MAX_DIMENSION));
        break;
    case JERR_OUT_OF_MEMORY:
        leave(self, cnn_image_fail(self->source, CNN_ERROR_OUT_OF_MEMORY, "there is no memory to decode it"));
        break;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
        jpeg->err->format_message(jpeg, text);
        leave(self,
              cnn_image_fail(self->source, CNN_ERROR_UNSUPPORTED, "is a kind of JPEG that can't be read: %s", text));
        break;
    default: break;
    }
    if (self->ended)
        fail_truncated(self);
    fail_damaged(self);
}

/* Some programs leave a few bytes too many behind a scan. Where many are left, or the end is missing, they were pixels:
 * zeros, as a broken card or download leaves them, decode to grey by far fewer bytes. Before the pixels they are none.
 */
static bool is_padding(const reader *self)
{
    enum { SHARE = 8 };
    return !self->started || (!self->ended && (size_t)self->jpeg.err->msg_parm.i[0] <= self->source->size / SHARE);
}

/* Warnings (level −1) mean lost pixels and are errors here, except those that are common in sound photographs. */
static void on_message(j_common_ptr jpeg, int level)
{
    reader *self = jpeg->client_data;
    if (level >= 0 || self->source->options.allow_truncated)
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL: return;
    case JWRN_EXTRANEOUS_DATA:
        if (is_padding(self))
            return;
        break;
    default: break;
    }
    if (self->ended)
        fail_truncated(self);
    fail_damaged(self);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static uint64_t most_scans(const reader *self)
{
    uint64_t scans = max_scanned_pixels / ((uint64_t)self->jpeg.image_width * self->jpeg.image_height);
    if (scans < ALWAYS_ALLOWED_SCANS)
        return ALWAYS_ALLOWED_SCANS;
    return scans < MAX_SCANS ? scans : MAX_SCANS;
}

static void on_progress(j_common_ptr common)
{
    reader *self = common->client_data;
    uint64_t most = most_scans(self);
    if ((uint64_t)self->jpeg.input_scan_number > most)
        leave(self, cnn_image_fail(self->source, CNN_ERROR_LIMIT,
                                   "has more than %u scans, the limit for %u×%u pixels: save it again with another "
                                   "program",
                                   (unsigned)most, self->jpeg.image_width, self->jpeg.image_height));
}

static void begin_input(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/* All the bytes were there from the start: what follows them is an end marker of our own. */
static boolean fill_input(j_decompress_ptr jpeg)
{
    static const JOCTET end[] = { 0xFF, JPEG_EOI };
    ((reader *)jpeg->client_data)->ended = true;
    jpeg->src->next_input_byte = end;
    jpeg->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip_input(j_decompress_ptr jpeg, long count)
{
    if (count <= 0)
        return;
    if ((unsigned long)count > jpeg->src->bytes_in_buffer) {
        fill_input(jpeg);
        return;
    }
    jpeg->src->next_input_byte += count;
    jpeg->src->bytes_in_buffer -= (size_t)count;
}

static void end_input(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static void open_reader(reader *self)
{
    self->jpeg.err = jpeg_std_error(&self->errors);
    self->errors.error_exit = on_error;
    self->errors.emit_message = on_message;
    self->errors.output_message = on_output;
    self->jpeg.client_data = self;
    jpeg_create_decompress(&self->jpeg);
    self->input = (struct jpeg_source_mgr){ .next_input_byte = self->source->bytes,
                                            .bytes_in_buffer = self->source->size,
                                            .init_source = begin_input,
                                            .fill_input_buffer = fill_input,
                                            .skip_input_data = skip_input,
                                            .resync_to_restart = jpeg_resync_to_restart,
                                            .term_source = end_input };
    self->jpeg.src = &self->input;
    self->progress.progress_monitor = on_progress;
    self->jpeg.progress = &self->progress;
    jpeg_save_markers(&self->jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&self->jpeg, TRUE);
}

static uint32_t read_orientation(const reader *self)
{
    static const char exif[] = { 'E', 'x', 'i', 'f', 0, 0 };
    for (const struct jpeg_marker_struct *marker = self->jpeg.marker_list; marker; marker = marker->next)
        if (marker->marker == JPEG_APP0 + 1 && marker->data_length > sizeof exif &&
            !memcmp(marker->data, exif, sizeof exif))
            return cnn_exif_orientation(marker->data + sizeof exif, marker->data_length - sizeof exif);
    return 1;
}

static void check_size(reader *self)
{
    const struct jpeg_decompress_struct *jpeg = &self->jpeg;
    cnn_status status = cnn_image_check_size(self->source, jpeg->image_width, jpeg->image_height);
    if (status)
        leave(self, status);
    uint64_t pixels = (uint64_t)jpeg->image_width * jpeg->image_height;
    if (!jpeg->arith_code && !self->source->options.allow_truncated &&
        pixels / MOST_PIXELS_IN_A_BYTE > self->source->size)
        leave(self, cnn_image_fail(self->source, CNN_ERROR_FORMAT, "is truncated: %zu bytes can't hold %u×%u pixels",
                                   self->source->size, jpeg->image_width, jpeg->image_height));
}

/* Decodes at a half, quarter or eighth where that leaves enough pixels. Returns the reduction of what is decoded. */
static cnn_reduction choose_scale(reader *self, uint32_t orientation)
{
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    cnn_reduction_aim aim = cnn_image_aim(self->source, orientation);
    uint32_t even = cnn_even_reduction(&aim, jpeg->image_width, jpeg->image_height);
    uint32_t denominator = even < DCTSIZE ? even : DCTSIZE;
    jpeg->scale_num = 1;
    jpeg->scale_denom = denominator;
    if (aim.width && aim.height)
        /* colours are stored at half the resolution; smoothing them is lost where less than that is asked for */
        jpeg->do_fancy_upsampling = jpeg->image_width * 2 < 3 * (uint64_t)aim.width * denominator ||
                                    jpeg->image_height * 2 < 3 * (uint64_t)aim.height * denominator;
    jpeg_calc_output_dimensions(jpeg);
    return cnn_choose_reduction(&aim, jpeg->output_width, jpeg->output_height, even / denominator);
}

static void choose_colours(reader *self)
{
    switch (self->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_RGB:
    case JCS_YCbCr: self->jpeg.out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: self->jpeg.out_color_space = JCS_CMYK; break;
    default:
        leave(self, cnn_image_fail(self->source, CNN_ERROR_UNSUPPORTED, "is a JPEG of %d channels of unknown colours",
                                   self->jpeg.num_components));
    }
}

/* Rows of CMYK to rows of RGB in place. Adobe's programs, the only ones that write it, store 255 for no ink; other
 * decoders assume so too, whether or not Adobe's marker is there. */
static void convert_cmyk(uint8_t *row, uint32_t width)
{
    for (size_t x = 0; x < width; x++) {
        unsigned black = row[4 * x + 3];
        for (size_t channel = 0; channel < 3; channel++)
            row[3 * x + channel] = (uint8_t)((row[4 * x + channel] * black + 127) / 255);
    }
}

static void put_rows(const reader *self, uint32_t first, uint32_t count)
{
    size_t stride = (size_t)self->jpeg.output_width * (size_t)self->jpeg.output_components;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *row = self->rows + i * stride;
        if (self->jpeg.out_color_space == JCS_CMYK)
            convert_cmyk(row, self->jpeg.output_width);
        cnn_canvas_put_row(&self->canvas, first + i, row);
    }
}

static void read_rows(reader *self)
{
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    size_t stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    bool in_place = jpeg->out_color_space == JCS_RGB && cnn_canvas_row(&self->canvas, 0);
    if (!in_place && !(self->rows = cnn_allocate(self->source->context, stride * ROWS_AT_ONCE)))
        leave(self, CNN_ERROR_OUT_OF_MEMORY);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[ROWS_AT_ONCE];
        uint32_t first = jpeg->output_scanline, count = jpeg->output_height - first;
        if (count > ROWS_AT_ONCE)
            count = ROWS_AT_ONCE;
        for (uint32_t i = 0; i < count; i++)
            rows[i] = in_place ? cnn_canvas_row(&self->canvas, first + i) : self->rows + i * stride;
        count = jpeg_read_scanlines(jpeg, rows, count);
        if (!in_place)
            put_rows(self, first, count);
    }
}

/* Up to the end's marker: what lies before it may say that pixels are missing. */
static void read_end(reader *self)
{
    while (!jpeg_input_complete(&self->jpeg))
        jpeg_consume_input(&self->jpeg);
}

/* What an image in several scans needs until it is whole: two bytes for each coefficient. */
static uint64_t coefficient_bytes(struct jpeg_decompress_struct *jpeg)
{
    uint64_t blocks = 0;
    if (jpeg_has_multiple_scans(jpeg))
        for (int i = 0; i < jpeg->num_components; i++)
            blocks += (uint64_t)jpeg->comp_info[i].width_in_blocks * jpeg->comp_info[i].height_in_blocks;
    return blocks * DCTSIZE2 * sizeof(JCOEF);
}

static void claim_memory(reader *self, const cnn_reduction *reduction)
{
    uint64_t coefficients = coefficient_bytes(&self->jpeg);
    uint64_t bytes = coefficients + (uint64_t)cnn_reduced_width(reduction) * cnn_reduced_height(reduction) * 3;
    cnn_status status = cnn_image_check_memory(self->source, bytes, coefficients ? ", as it is progressive" : "");
    if (status)
        leave(self, status);
    self->memory = cnn_decoding_begin(bytes);
}

static void decode(reader *self)
{
    if (setjmp(self->escape))
        return;
    open_reader(self);
    check_size(self);
    uint32_t orientation = read_orientation(self);
    choose_colours(self);
    cnn_reduction reduction = choose_scale(self, orientation);
    claim_memory(self, &reduction);
    cnn_status status = cnn_canvas_create(self->source, &reduction, orientation, &self->canvas);
    if (status)
        leave(self, status);
    self->started = true;
    jpeg_start_decompress(&self->jpeg);
    /* of an image in several scans the last ones can be missing without any one being cut */
    if (self->ended && jpeg_has_multiple_scans(&self->jpeg) && !self->source->options.allow_truncated)
        fail_truncated(self);
    read_rows(self);
    if (!self->source->options.allow_truncated)
        read_end(self);
}

/* Before the rows of an image in several scans come, all of it has been decoded once. */
static uint64_t count_decoded(reader *self)
{
    const struct jpeg_decompress_struct *jpeg = &self->jpeg;
    if (!self->started || !jpeg->output_height)
        return 0;
    bool all = jpeg_has_multiple_scans(&self->jpeg);
    return (uint64_t)jpeg->image_width * jpeg->image_height * (all ? jpeg->output_height : jpeg->output_scanline) /
           jpeg->output_height;
}

static cnn_status decode_jpeg(const cnn_image_source *source, cnn_tensor **pixels)
{
    reader self = { .source = source };
    decode(&self);
    if (source->decoded)
        *source->decoded = count_decoded(&self);
    jpeg_destroy_decompress(&self.jpeg);
    cnn_release(source->context, self.rows);
    cnn_decoding_end(self.memory);
    return cnn_canvas_finish(&self.canvas, source, self.status, pixels);
}

static void probe(reader *self, cnn_image_info *info)
{
    if (setjmp(self->escape))
        return;
    open_reader(self);
    info->orientation = read_orientation(self);
    bool swaps = cnn_orientation_swaps(info->orientation);
    info->width = swaps ? self->jpeg.image_height : self->jpeg.image_width;
    info->height = swaps ? self->jpeg.image_width : self->jpeg.image_height;
    info->channels = (uint32_t)self->jpeg.num_components;
}

static cnn_status probe_jpeg(const cnn_image_source *source, cnn_image_info *info)
{
    reader self = { .source = source };
    probe(&self, info);
    jpeg_destroy_decompress(&self.jpeg);
    return self.status;
}

/* Two bytes alone are a JPEG that was cut off. */
static bool recognizes(const uint8_t *bytes, size_t size)
{
    return size >= 3 ? !memcmp(bytes, "\xFF\xD8\xFF", 3) : size == 2 && !memcmp(bytes, "\xFF\xD8", 2);
}

const cnn_image_decoder cnn_jpeg_decoder = {
    .format = CNN_IMAGE_JPEG,
    .name = "JPEG",
    .extensions = { "jpg", "jpeg", "jpe", "jfif" },
    .recognizes = recognizes,
    .probe = probe_jpeg,
    .decode = decode_jpeg,
};
