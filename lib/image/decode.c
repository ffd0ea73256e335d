#include "image/decode.h"

#include "core/context_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/options.h"
#include "image/canvas.h"
#include "image/format.h"
#include "image/warp.h"

enum { DEFAULT_MAX_FILE_BYTES = 64 << 20 };

static cnn_status read_options(cnn_context *context, cnn_image_options *options, const cnn_image_options *given)
{
    cnn_image_options_init(options);
    cnn_status status = cnn_options_read(options, sizeof *options, given, "cnn_image_options");
    if (status)
        return status;
    context = cnn_context_or_default(context);
    if (!context)
        return CNN_ERROR_OUT_OF_MEMORY;
    if (!options->max_pixels)
        options->max_pixels = context->max_pixels;
    if (!options->max_file_bytes)
        options->max_file_bytes = DEFAULT_MAX_FILE_BYTES;
    return CNN_OK;
}

static cnn_status fail_foreign(const cnn_image_source *source)
{
    if (!source->size)
        return cnn_image_fail(source, CNN_ERROR_FORMAT, "is empty");
    const char *foreign = cnn_image_foreign_name(source->bytes, source->size);
    if (foreign)
        return cnn_image_fail(source, CNN_ERROR_FORMAT, "is %s, not JPEG or PNG", foreign);
    return cnn_image_fail(source, CNN_ERROR_FORMAT, "is neither JPEG nor PNG");
}

static cnn_status decode_source(const cnn_image_source *source, cnn_tensor **pixels)
{
    if (source->size > source->options.max_file_bytes)
        return cnn_image_fail(source, CNN_ERROR_LIMIT, "is %zu bytes; the limit is %llu: make it smaller", source->size,
                              (unsigned long long)source->options.max_file_bytes);
    const cnn_image_decoder *decoder = cnn_image_find_decoder(source->bytes, source->size);
    return decoder ? decoder->decode(source, pixels) : fail_foreign(source);
}

static const char *name_or_default(const char *name)
{
    return name ? name : "the image";
}

cnn_status cnn_image_probe(const void *bytes, size_t size, const char *name, cnn_image_info *info)
{
    if ((!bytes && size) || !info)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: bytes and info must not be NULL", name_or_default(name));
    cnn_image_source source = { .bytes = bytes, .size = size, .name = name_or_default(name) };
    const cnn_image_decoder *decoder = cnn_image_find_decoder(bytes, size);
    if (!decoder)
        return fail_foreign(&source);
    cnn_image_info result = { .struct_size = sizeof result, .format = decoder->format };
    cnn_status status = decoder->probe(&source, &result);
    return status ? status : cnn_options_write(info, &result, sizeof result, "cnn_image_info");
}

cnn_status cnn_image_decode_to_fit(cnn_context *context, const cnn_image_file *file, const cnn_image_options *options,
                                   int fit, cnn_tensor **pixels)
{
    if (pixels)
        *pixels = NULL;
    const char *name = name_or_default(file->name);
    if ((!file->bytes && file->size) || !pixels)
        return cnn_fail(CNN_ERROR_ARGUMENT, "%s: bytes and pixels must not be NULL", name);
    cnn_image_source source = {
        .context = context, .bytes = file->bytes, .size = file->size, .name = name, .fit = fit
    };
    cnn_status status = read_options(context, &source.options, options);
    return status ? status : decode_source(&source, pixels);
}

cnn_status cnn_image_decode_counted(cnn_context *context, const cnn_image_file *file, const cnn_image_options *options,
                                    uint64_t *decoded, cnn_tensor **pixels)
{
    *pixels = NULL;
    *decoded = 0;
    cnn_image_source source = { .context = context,
                                .bytes = file->bytes,
                                .size = file->size,
                                .name = name_or_default(file->name),
                                .fit = CNN_FIT_UNKNOWN,
                                .decoded = decoded };
    cnn_status status = read_options(context, &source.options, options);
    return status ? status : decode_source(&source, pixels);
}

cnn_status cnn_image_decode(cnn_context *context, const void *bytes, size_t size, const char *name,
                            const cnn_image_options *options, cnn_tensor **pixels)
{
    return cnn_image_decode_to_fit(context, &(cnn_image_file){ bytes, size, name }, options, CNN_FIT_UNKNOWN, pixels);
}

cnn_status cnn_image_load_to_fit(cnn_context *context, const char *path, const cnn_image_options *options, int fit,
                                 cnn_tensor **pixels)
{
    if (pixels)
        *pixels = NULL;
    if (!path || !pixels)
        return cnn_fail(CNN_ERROR_ARGUMENT, "cnn_image_load: path and pixels must not be NULL");
    cnn_image_source source = { .context = context, .name = path, .fit = fit };
    cnn_status status = read_options(context, &source.options, options);
    if (status)
        return status;
    void *bytes;
    status = cnn_file_read(context, path, source.options.max_file_bytes, &bytes, &source.size);
    if (status)
        return status;
    source.bytes = bytes;
    status = decode_source(&source, pixels);
    cnn_release(context, bytes);
    return status;
}

cnn_status cnn_image_load(cnn_context *context, const char *path, const cnn_image_options *options, cnn_tensor **pixels)
{
    return cnn_image_load_to_fit(context, path, options, CNN_FIT_UNKNOWN, pixels);
}

cnn_status cnn_image_reduce(cnn_context *context, const cnn_tensor *pixels, const cnn_image_options *options, int fit,
                            cnn_tensor **reduced)
{
    cnn_photo photo;
    *reduced = NULL;
    cnn_image_source source = { .context = context, .name = "the image", .fit = fit };
    cnn_status status = cnn_photo_open(pixels, source.name, &photo);
    if (!status)
        status = read_options(context, &source.options, options);
    if (status || photo.width > UINT32_MAX || photo.height > UINT32_MAX)
        return status;
    uint32_t width = (uint32_t)photo.width, height = (uint32_t)photo.height;
    cnn_reduction_aim aim = cnn_image_aim(&source, 1);
    cnn_reduction reduction = cnn_choose_reduction(&aim, width, height, cnn_even_reduction(&aim, width, height));
    if (cnn_reduced_width(&reduction) == width && cnn_reduced_height(&reduction) == height)
        return CNN_OK;
    cnn_canvas canvas;
    status = cnn_canvas_create(&source, &reduction, 1, &canvas);
    for (uint32_t y = 0; y < height && !status; y++)
        cnn_canvas_put_row(&canvas, y, photo.bytes + 3 * (size_t)y * width);
    return cnn_canvas_finish(&canvas, &source, status, reduced);
}
