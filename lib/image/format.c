#include "image/format.h"

#include <string.h>
#include <strings.h>

static const cnn_image_decoder *const decoders[] = { &cnn_jpeg_decoder, &cnn_png_decoder };
enum { DECODERS = sizeof decoders / sizeof decoders[0] };

/* Of images that none of these can decode. */
static const char *const foreign_extensions[] = { "gif", "bmp", "tif", "tiff", "webp", "heic", "heif", "avif" };

const cnn_image_decoder *cnn_image_find_decoder(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < DECODERS; i++)
        if (decoders[i]->recognizes(bytes, size))
            return decoders[i];
    return NULL;
}

static bool decodes_extension(const cnn_image_decoder *decoder, const char *extension)
{
    for (size_t i = 0; i < CNN_IMAGE_EXTENSIONS && decoder->extensions[i]; i++)
        if (!strcasecmp(extension, decoder->extensions[i]))
            return true;
    return false;
}

bool cnn_image_has_extension(const char *extension, const cnn_image_decoder **decoder)
{
    const cnn_image_decoder *found = NULL;
    for (size_t i = 0; i < DECODERS && !found; i++)
        found = decodes_extension(decoders[i], extension) ? decoders[i] : NULL;
    bool known = found;
    for (size_t i = 0; i < sizeof foreign_extensions / sizeof foreign_extensions[0]; i++)
        known = known || !strcasecmp(extension, foreign_extensions[i]);
    if (decoder)
        *decoder = found;
    return known;
}

static bool has(const uint8_t *bytes, size_t size, size_t offset, const char *text, size_t length)
{
    return size >= offset + length && !memcmp(bytes + offset, text, length);
}

typedef struct signature {
    uint8_t offset, length;
    const char *bytes;
    const char *name;
} signature;

/* The first that fits counts. */
static const signature signatures[] = {
    { 0, 4, "GIF8", "a GIF image" },       { 8, 4, "WEBP", "a WebP image" },
    { 0, 4, "II*\0", "a TIFF image" },     { 0, 4, "MM\0*", "a TIFF image" },
    { 4, 8, "ftypavif", "an AVIF image" }, { 4, 8, "ftypavis", "an AVIF image" },
    { 4, 7, "ftyphei", "a HEIC image" },   { 4, 7, "ftyphev", "a HEIC image" },
    { 4, 8, "ftypmif1", "a HEIC image" },  { 4, 8, "ftypmsf1", "a HEIC image" },
    { 4, 4, "ftyp", "a video" },           { 0, 2, "\xFF\x0A", "a JPEG XL image" },
    { 4, 4, "JXL ", "a JPEG XL image" },   { 4, 4, "jP  ", "a JPEG 2000 image" },
    { 0, 4, "\0\0\1\0", "an icon" },       { 0, 4, "8BPS", "a Photoshop file" },
    { 0, 5, "%PDF-", "a PDF document" },   { 0, 4, "PK\3\4", "a zip file" },
    { 0, 2, "\x1F\x8B", "a gzip file" },
};

static const uint8_t *skip_space(const uint8_t *bytes, size_t *size)
{
    if (has(bytes, *size, 0, "\xEF\xBB\xBF", 3)) { /* byte order mark */
        bytes += 3;
        *size -= 3;
    }
    while (*size && (*bytes == ' ' || *bytes == '\t' || *bytes == '\r' || *bytes == '\n')) {
        bytes++;
        --*size;
    }
    return bytes;
}

static bool begins_with_letters(const uint8_t *bytes, size_t size, const char *letters)
{
    size_t length = strlen(letters);
    if (size < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i] >= 'A' && bytes[i] <= 'Z' ? (uint8_t)(bytes[i] + 32) : bytes[i];
        if (byte != (uint8_t)letters[i])
            return false;
    }
    return true;
}

static const char *text_name(const uint8_t *bytes, size_t size)
{
    enum { LOOKED_AT = 512 };
    size_t left = size;
    const uint8_t *start = skip_space(bytes, &left);
    if (begins_with_letters(start, left, "<!doctype html") || begins_with_letters(start, left, "<html"))
        return "an HTML page";
    if (begins_with_letters(start, left, "<svg"))
        return "an SVG drawing";
    for (size_t i = 0; i < size && i < LOOKED_AT; i++)
        if ((bytes[i] < 32 && !strchr("\t\r\n\f", bytes[i])) || bytes[i] == 0 || bytes[i] == 127)
            return NULL;
    return "text";
}

static bool only_zeros(const uint8_t *bytes, size_t size)
{
    return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

/* "BM" alone may begin a text: the header's reserved words must be zero too. */
static bool is_bmp(const uint8_t *bytes, size_t size)
{
    return has(bytes, size, 0, "BM", 2) && has(bytes, size, 6, "\0\0\0\0", 4);
}

const char *cnn_image_foreign_name(const uint8_t *bytes, size_t size)
{
    if (!size)
        return NULL;
    if (is_bmp(bytes, size))
        return "a BMP image";
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (has(bytes, size, signatures[i].offset, signatures[i].bytes, signatures[i].length))
            return signatures[i].name;
    return only_zeros(bytes, size) ? "nothing but zero bytes" : text_name(bytes, size);
}
