#include <unistd.h>

#include "core/random.h"
#include "make_images.h"

#include <zlib.h>

/* The status of decoding; the pixels, if any, are dropped. */
static cnn_status try_decoding(const void *data, size_t size, const cnn_image_options *options)
{
    cnn_tensor *pixels;
    cnn_status status = cnn_image_decode(NULL, data, size, "photo.jpg", options, &pixels);
    assert_true(status ? pixels == NULL : pixels != NULL);
    if (status)
        assert_memory_equal("photo.jpg: ", cnn_last_error(), 11);
    cnn_tensor_destroy(pixels);
    return status;
}

/* `spared`: bytes at the end that no pixel needs. */
static void check_truncation(const char *name, size_t spared)
{
    bytes whole = read_fixture(name);
    cnn_image_options lenient;
    cnn_image_options_init(&lenient);
    lenient.allow_truncated = 1;
    for (size_t size = 0; size < whole.size; size++) {
        unsigned char *cut = malloc(size ? size : 1);
        memcpy(cut, whole.data, size);
        cnn_status status = try_decoding(cut, size, NULL);
        if (size + spared < whole.size && status != CNN_ERROR_FORMAT)
            fail_msg("%s: the first %d bytes gave %s", name, (int)size, cnn_status_name(status));
        status = try_decoding(cut, size, &lenient);
        assert_true(status == CNN_OK || status == CNN_ERROR_FORMAT);
        free(cut);
    }
    assert_status(CNN_OK, try_decoding(whole.data, whole.size, NULL));
    free(whole.data);
}

static void an_image_truncated_anywhere_is_refused(void **state)
{
    (void)state;
    check_truncation("baseline_420.jpg", 2); /* the end marker */
    check_truncation("restart.jpg", 2);
    check_truncation("progressive.jpg", 0);
    check_truncation("cmyk.jpg", 2);
    check_truncation("rgb8.png", 12); /* the end chunk */
    check_truncation("rgba8_interlaced.png", 12);
    check_truncation("palette4_alpha.png", 12);
}

/* As a broken card or an interrupted download leaves it: the length is right, and zeros are codes like others. */
static void an_image_that_ends_in_zeros_is_refused(void **state)
{
    (void)state;
    const char *names[] = { "baseline_420.jpg", "baseline_444.jpg", "restart.jpg",
                            "progressive.jpg",  "cmyk.jpg",         "rgb8.png" };
    cnn_image_options lenient;
    cnn_image_options_init(&lenient);
    lenient.allow_truncated = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bytes image = read_fixture(names[i]);
        for (size_t kept = image.size - 16; kept > image.size / 3; kept -= 1 + image.size / 50) {
            memset(image.data + kept, 0, image.size - kept);
            if (try_decoding(image.data, image.size, NULL) != CNN_ERROR_FORMAT)
                fail_msg("%s: zeros from byte %zu of %zu on were read", names[i], kept, image.size);
            cnn_status status = try_decoding(image.data, image.size, &lenient);
            assert_true(status == CNN_OK || status == CNN_ERROR_FORMAT);
        }
        free(image.data);
    }
}

static void a_png_without_its_end_is_read(void **state)
{
    (void)state;
    const char *names[] = { "rgb8", "rgba8_interlaced", "exif_behind" };
    for (int i = 0; i < 3; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.png", names[i]);
        bytes whole = read_fixture(file);
        cnn_tensor *expected = read_pixels(names[i]), *pixels;
        for (size_t missing = 1; missing <= 12; missing++) {
            assert_ok(cnn_image_decode(NULL, whole.data, whole.size - missing, file, NULL, &pixels));
            assert_pixels_near(file, expected, pixels, 0);
            cnn_tensor_destroy(pixels);
        }
        cnn_tensor_destroy(expected);
        free(whole.data);
    }
}

static void a_truncated_image_says_so(void **state)
{
    (void)state;
    const char *names[] = { "baseline_420.jpg", "progressive.jpg", "rgb8.png" };
    for (int i = 0; i < 3; i++) {
        bytes whole = read_fixture(names[i]);
        assert_status(CNN_ERROR_FORMAT, try_decoding(whole.data, whole.size * 9 / 10, NULL));
        assert_string_equal("photo.jpg: is truncated", cnn_last_error());
        free(whole.data);
    }
}

static void a_truncated_image_keeps_what_it_has_if_allowed(void **state)
{
    (void)state;
    const char *names[] = { "baseline_444", "rgb8", "rgb8_interlaced" };
    const char *suffixes[] = { "jpg", "png", "png" };
    for (int i = 0; i < 3; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.%s", names[i], suffixes[i]);
        bytes whole = read_fixture(file);
        cnn_image_options lenient;
        cnn_image_options_init(&lenient);
        lenient.allow_truncated = 1;
        cnn_tensor *expected = read_pixels(names[i]), *pixels;
        assert_ok(cnn_image_decode(NULL, whole.data, whole.size * 3 / 4, file, &lenient, &pixels));
        const unsigned char *a = cnn_tensor_const_data(expected), *b = cnn_tensor_const_data(pixels);
        assert_int_equal(cnn_tensor_count(expected), cnn_tensor_count(pixels));
        assert_true(abs(a[0] - b[0]) <= 2 && abs(a[1] - b[1]) <= 2 && abs(a[2] - b[2]) <= 2);
        cnn_tensor_destroy(pixels);
        cnn_tensor_destroy(expected);
        free(whole.data);
    }
}

static void changed_bytes_never_do_harm(void **state)
{
    (void)state;
    const char *names[] = { "baseline_420.jpg",  "progressive.jpg", "restart.jpg",        "ycck.jpg",
                            "orientation_6.jpg", "rgb8.png",        "palette4_alpha.png", "rgba8_interlaced.png" };
    cnn_random random;
    cnn_random_init(&random, 1, CNN_RANDOM_SHUFFLE, 0, 0);
    cnn_image_options lenient;
    cnn_image_options_init(&lenient);
    lenient.max_pixels = 1000000;
    for (int i = 0; i < 8 * 400; i++) {
        bytes whole = read_fixture(names[i % 8]);
        lenient.allow_truncated = i / 8 % 2;
        for (uint32_t changes = 1 + cnn_random_below(&random, 8); changes; changes--)
            whole.data[cnn_random_below(&random, (uint32_t)whole.size)] = (unsigned char)cnn_random_word(&random);
        try_decoding(whole.data, whole.size, &lenient);
        free(whole.data);
    }
}

static void a_wrong_checksum_is_refused(void **state)
{
    (void)state;
    bytes whole = read_fixture("rgb8.png");
    whole.data[whole.size - 12 - 1] ^= 1; /* of the pixels, before the IEND chunk */
    assert_status(CNN_ERROR_FORMAT, try_decoding(whole.data, whole.size, NULL));
    free(whole.data);
}

static void foreign_content_is_named(void **state)
{
    (void)state;
    const struct {
        const char *content;
        size_t size;
        const char *expected;
    } cases[] = {
        { "", 0, "photo.jpg: is empty" },
        { "GIF89a\1\0\1\0", 10, "photo.jpg: is a GIF image, not JPEG or PNG" },
        { "BM\x46\0\0\0\0\0\0\0\x36\0\0\0", 14, "photo.jpg: is a BMP image, not JPEG or PNG" },
        { "RIFF\1\0\0\0WEBPVP8 ", 16, "photo.jpg: is a WebP image, not JPEG or PNG" },
        { "II*\0\1\0\0\0", 8, "photo.jpg: is a TIFF image, not JPEG or PNG" },
        { "MM\0*\0\0\0\1", 8, "photo.jpg: is a TIFF image, not JPEG or PNG" },
        { "\0\0\0\x18"
          "ftypheic\0\0\0\0",
          16, "photo.jpg: is a HEIC image, not JPEG or PNG" },
        { "\0\0\0\x18"
          "ftypavif\0\0\0\0",
          16, "photo.jpg: is an AVIF image, not JPEG or PNG" },
        { "\0\0\0\x18"
          "ftypisom\0\0\0\0",
          16, "photo.jpg: is a video, not JPEG or PNG" },
        { "%PDF-1.7\n", 9, "photo.jpg: is a PDF document, not JPEG or PNG" },
        { "<!DOCTYPE html><html>", 21, "photo.jpg: is an HTML page, not JPEG or PNG" },
        { "\xEF\xBB\xBF \n<HTML>", 11, "photo.jpg: is an HTML page, not JPEG or PNG" },
        { "BMW is no bitmap", 16, "photo.jpg: is text, not JPEG or PNG" },
        { "\0\0\0\0\0\0", 6, "photo.jpg: is nothing but zero bytes, not JPEG or PNG" },
        { "\1\2\3\4\5\6\7", 7, "photo.jpg: is neither JPEG nor PNG" },
        { "G", 1, "photo.jpg: is text, not JPEG or PNG" },
        { "\0", 1, "photo.jpg: is nothing but zero bytes, not JPEG or PNG" },
        { "\xFF\xD8", 2, "photo.jpg: is truncated" },
        { "\x89PNG", 4, "photo.jpg: is truncated" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *exact = malloc(cases[i].size ? cases[i].size : 1);
        memcpy(exact, cases[i].content, cases[i].size);
        assert_status(CNN_ERROR_FORMAT, try_decoding(exact, cases[i].size, NULL));
        assert_string_equal(cases[i].expected, cnn_last_error());
        free(exact);
    }
}

/* libpng would take memory for all that the chunk's length says. */
static void a_chunk_takes_no_more_than_the_file_has(void **state)
{
    (void)state;
    static const char file[] = "\x89PNG\r\n\x1a\n"
                               "\0\0\0\x0dIHDR\0\0\0\x10\0\0\0\x10\x08\2\0\0\0\x90\x91\x68\x36"
                               "\x4e\0\0\x68zTXtRaw profile type exif\0\0";
    cnn_context_options options;
    cnn_context_options_init(&options);
    cnn_context *context;
    cnn_tensor *pixels;
    assert_ok(cnn_context_create(&options, &context));
    assert_status(CNN_ERROR_FORMAT, cnn_image_decode(context, file, sizeof file - 1, NULL, NULL, &pixels));
    assert_non_null(strstr(cnn_last_error(), "is truncated"));
    assert_in_range(cnn_context_memory_peak(context), 0, 1 << 20);
    cnn_context_destroy(context);
}

static size_t find(const bytes *haystack, const char *needle, size_t length)
{
    for (size_t i = 0; i + length <= haystack->size; i++)
        if (!memcmp(haystack->data + i, needle, length))
            return i;
    fail_msg("the fixture lacks a marker");
    return 0;
}

static void check_huge_claim(const bytes *claim)
{
    assert_status(CNN_ERROR_LIMIT, try_decoding(claim->data, claim->size, NULL));
    assert_string_equal("photo.jpg: is 60000×60000 pixels; the limit is 200000000: make it smaller, or raise it by "
                        "cnn_context_options.max_pixels or CNN_MAX_PIXELS",
                        cnn_last_error());
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = UINT32_MAX; /* allowed, yet so few bytes can't be so many pixels */
    assert_status(CNN_ERROR_FORMAT, try_decoding(claim->data, claim->size, &options));
    assert_non_null(strstr(cnn_last_error(), "can't hold 60000×60000 pixels"));
}

static void a_small_file_that_claims_to_be_huge_is_refused(void **state)
{
    (void)state;
    bytes jpeg = read_fixture("baseline_420.jpg");
    memcpy(jpeg.data + find(&jpeg, "\xFF\xC0", 2) + 5, "\xEA\x60\xEA\x60", 4);
    check_huge_claim(&jpeg);
    free(jpeg.data);
    bytes png = read_fixture("rgb8.png");
    memcpy(png.data + 16, "\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0\x0F\xB0\xE2\x15", 17); /* with its checksum */
    check_huge_claim(&png);
    free(png.data);
}

static void limits_on_size_are_kept(void **state)
{
    (void)state;
    bytes jpeg = read_fixture("baseline_420.jpg");
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.max_pixels = 40 * 30;
    assert_status(CNN_OK, try_decoding(jpeg.data, jpeg.size, &options));
    options.max_pixels = 40 * 30 - 1;
    assert_status(CNN_ERROR_LIMIT, try_decoding(jpeg.data, jpeg.size, &options));
    options.max_pixels = 0;
    cnn_context *context;
    cnn_context_options context_options;
    cnn_context_options_init(&context_options);
    context_options.threads = 1;
    context_options.max_pixels = 40 * 30 - 1;
    assert_ok(cnn_context_create(&context_options, &context));
    cnn_tensor *pixels;
    assert_status(CNN_ERROR_LIMIT, cnn_image_decode(context, jpeg.data, jpeg.size, NULL, &options, &pixels));
    options.max_pixels = 40 * 30;
    assert_ok(cnn_image_decode(context, jpeg.data, jpeg.size, NULL, &options, &pixels));
    cnn_tensor_destroy(pixels);
    cnn_context_destroy(context);
    options.max_pixels = 0;
    options.max_file_bytes = jpeg.size;
    assert_status(CNN_OK, try_decoding(jpeg.data, jpeg.size, &options));
    options.max_file_bytes = jpeg.size - 1;
    assert_status(CNN_ERROR_LIMIT, try_decoding(jpeg.data, jpeg.size, &options));
    assert_status(CNN_ERROR_LIMIT, cnn_image_load(NULL, FIXTURES "/baseline_420.jpg", &options, &pixels));
    free(jpeg.data);
}

static void a_jpeg_of_endless_scans_is_refused(void **state)
{
    (void)state;
    enum { REPEATS = 600 };
    bytes jpeg = read_fixture("grey_progressive.jpg");
    size_t first = find(&jpeg, "\xFF\xDA", 2), end = first + 2;
    while (jpeg.data[end] != 0xFF || jpeg.data[end + 1] == 0)
        end++;
    size_t scan = end - first, size = jpeg.size + REPEATS * scan;
    unsigned char *bomb = malloc(size);
    memcpy(bomb, jpeg.data, first);
    for (int i = 0; i < REPEATS; i++)
        memcpy(bomb + first + i * scan, jpeg.data + first, scan);
    memcpy(bomb + first + REPEATS * scan, jpeg.data + first, jpeg.size - first);
    assert_status(CNN_ERROR_LIMIT, try_decoding(bomb, size, NULL));
    assert_string_equal("photo.jpg: has more than 500 scans, the limit for 40×30 pixels: save it again with another "
                        "program",
                        cnn_last_error());
    free(bomb);
    free(jpeg.data);
}

/* Each walks over all pixels, even if it holds next to nothing. */
static void a_large_jpeg_may_have_fewer_scans(void **state)
{
    (void)state;
    enum { SCANS = 21 };
    static const image_kind kind = { "progressive", .png_type = -1, .components = 1, .in_passes = true };
    bytes jpeg = make_image(&kind, 8, 8);
    memcpy(jpeg.data + find(&jpeg, "\xFF\xC2", 2) + 5, "\x1C\xE8\x1C\xE8", 4);
    size_t last = find(&jpeg, "\xFF\xDA", 2);
    for (size_t at = last; at + 2 < jpeg.size; at++)
        if (!memcmp(jpeg.data + at, "\xFF\xDA", 2))
            last = at;
    size_t scan = jpeg.size - 2 - last, size = jpeg.size + SCANS * scan;
    unsigned char *bomb = malloc(size);
    memcpy(bomb, jpeg.data, jpeg.size - 2);
    for (int i = 0; i < SCANS; i++)
        memcpy(bomb + jpeg.size - 2 + (size_t)i * scan, jpeg.data + last, scan);
    memcpy(bomb + size - 2, "\xFF\xD9", 2);
    cnn_image_options options;
    cnn_image_options_init(&options);
    options.min_width = options.min_height = 100;
    options.allow_truncated = 1; /* the scans claim more than they hold */
    assert_status(CNN_ERROR_LIMIT, try_decoding(bomb, size, &options));
    assert_non_null(strstr(cnn_last_error(), "has more than 20 scans, the limit for 7400×7400 pixels"));
    free(bomb);
    free(jpeg.data);
}

static void append_chunk(bytes *file, const char *type, const unsigned char *content, size_t size)
{
    unsigned char *chunk = file->data + file->size;
    png_save_uint_32(chunk, (png_uint_32)size);
    memcpy(chunk + 4, type, 4);
    if (size)
        memcpy(chunk + 8, content, size);
    png_save_uint_32(chunk + 8 + size, (png_uint_32)crc32(0, chunk + 4, (uInt)size + 4));
    file->size += size + 12;
}

/* A PNG of any kind whose packed pixels go on behind the last row, by `extra` bytes as they are unpacked. */
static bytes make_png_that_goes_on(int kind, bool interlaced, uint32_t width, uint32_t height, size_t extra)
{
    static const struct {
        unsigned char type, depth, channels;
    } kinds[] = { { 2, 8, 3 }, { 3, 1, 1 }, { 6, 16, 4 }, { 0, 4, 1 } };
    unsigned char type = kinds[kind].type, depth = kinds[kind].depth;
    size_t row = 1 + ((size_t)width * kinds[kind].channels * depth + 7) / 8, rows = 0;
    if (!interlaced)
        rows = height * row;
    for (int pass = 0; interlaced && pass < 7; pass++)
        if (PNG_PASS_COLS(width, pass))
            rows += PNG_PASS_ROWS(height, pass) *
                    (1 + ((size_t)PNG_PASS_COLS(width, pass) * kinds[kind].channels * depth + 7) / 8);
    uLong room = compressBound(rows + extra);
    unsigned char *zeros = calloc(rows + extra, 1);
    bytes file = { .data = malloc(room + 128) };
    unsigned char *packed = malloc(room);
    assert_int_equal(Z_OK, compress2(packed, &room, zeros, rows + extra, 1));
    const unsigned char header[13] = {
        0, 0, 0, (unsigned char)width, 0, 0, 0, (unsigned char)height, depth, type, 0, 0, interlaced
    };
    memcpy(file.data, "\x89PNG\r\n\x1A\n", 8);
    file.size = 8;
    append_chunk(&file, "IHDR", header, sizeof header);
    if (type == PNG_COLOR_TYPE_PALETTE)
        append_chunk(&file, "PLTE", (const unsigned char *)"\1\2\3\4\5\6", 6);
    append_chunk(&file, "IDAT", packed, room);
    append_chunk(&file, "IEND", NULL, 0);
    free(zeros);
    free(packed);
    return file;
}

static void a_png_whose_pixels_go_on_behind_the_last_row_is_refused(void **state)
{
    (void)state;
    enum { MUCH = 8 << 20 };
    for (int kind = 0; kind < 4; kind++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            bytes bomb = make_png_that_goes_on(kind, interlaced, 10, 9, MUCH);
            assert_status(CNN_ERROR_FORMAT, try_decoding(bomb.data, bomb.size, NULL));
            assert_string_equal("photo.jpg: is a damaged PNG: its pixels go on behind the last row", cnn_last_error());
            free(bomb.data);
        }
}

/* Some programs leave bytes there; and of no size is more read than belongs to it. */
static void a_png_of_any_size_may_have_a_few_bytes_behind_its_rows(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * 2 * 9 * 9; i++) {
        uint32_t width = 1 + (uint32_t)i / 8 % 9, height = 1 + (uint32_t)i / 72;
        bytes file = make_png_that_goes_on(i % 4, i / 4 % 2, width, height, i % 3 ? 1000 : 0);
        if (try_decoding(file.data, file.size, NULL))
            fail_msg("kind %d, interlaced %d, %u×%u: %s", i % 4, i / 4 % 2, width, height, cnn_last_error());
        free(file.data);
    }
}

/* Wrong colours are worse than none: only the end may be missing. */
static void a_damaged_head_is_refused_even_if_truncation_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *chunk;
    } cases[] = { { "palette4_alpha.png", "IHDR" },
                  { "palette4_alpha.png", "PLTE" },
                  { "palette4_alpha.png", "tRNS" } };
    cnn_image_options lenient;
    cnn_image_options_init(&lenient);
    lenient.allow_truncated = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes whole = read_fixture(cases[i].name);
        size_t at = find(&whole, cases[i].chunk, 4), length = whole.data[at - 1];
        whole.data[at + 4 + length] ^= 1; /* of the checksum */
        cnn_image_info info = { .struct_size = sizeof info };
        assert_status(CNN_ERROR_FORMAT, try_decoding(whole.data, whole.size, &lenient));
        assert_status(CNN_ERROR_FORMAT, cnn_image_probe(whole.data, whole.size, NULL, &info));
        free(whole.data);
    }
}

static void nothing_is_ever_printed(void **state)
{
    (void)state;
    FILE *seen = tmpfile();
    assert_non_null(seen);
    fflush(stderr);
    int kept = dup(2);
    dup2(fileno(seen), 2);
    const char *names[] = { "baseline_420.jpg", "stray_bytes.jpg", "profile.png", "rgb8.png" };
    for (int i = 0; i < 4; i++) {
        bytes whole = read_fixture(names[i]);
        try_decoding(whole.data, whole.size, NULL);
        for (size_t at = 0; at < whole.size; at += 7) {
            whole.data[at] ^= 0x55;
            try_decoding(whole.data, whole.size, NULL);
            whole.data[at] ^= 0x55;
        }
        free(whole.data);
    }
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    assert_int_equal(0, fseek(seen, 0, SEEK_END));
    assert_int_equal(0, ftell(seen));
    fclose(seen);
}

typedef struct failing_memory {
    int64_t left; /* allocations until one fails */
    int64_t live;
} failing_memory;

static void *allocate_unless_it_is_time(size_t size, void *user)
{
    failing_memory *memory = user;
    if (memory->left-- == 0)
        return NULL;
    memory->live++;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release_counted(void *memory, void *user)
{
    ((failing_memory *)user)->live--;
    free(memory);
}

static void a_lack_of_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    failing_memory memory = { .left = -1 };
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 1;
    options.allocate = allocate_unless_it_is_time;
    options.release = release_counted;
    options.allocator_user = &memory;
    cnn_context *context;
    assert_ok(cnn_context_create(&options, &context));
    int64_t before = memory.live;
    const char *names[] = { "cmyk.jpg", "orientation_6.jpg", "rgba8_interlaced.png", "palette4_alpha.png", "exif.png" };
    for (int i = 0; i < 5; i++) {
        bytes whole = read_fixture(names[i]);
        cnn_status status = CNN_ERROR_OUT_OF_MEMORY;
        for (int64_t allowed = 0; status; allowed++) {
            memory.left = allowed;
            cnn_tensor *pixels;
            status = cnn_image_decode(context, whole.data, whole.size, names[i], NULL, &pixels);
            memory.left = -1;
            cnn_tensor_destroy(pixels);
            if (status && status != CNN_ERROR_OUT_OF_MEMORY)
                fail_msg("%s: %s after %d allocations", names[i], cnn_last_error(), (int)allowed);
            assert_int_equal(before, memory.live);
        }
        free(whole.data);
    }
    cnn_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_truncated_anywhere_is_refused),
        cmocka_unit_test(an_image_that_ends_in_zeros_is_refused),
        cmocka_unit_test(a_chunk_takes_no_more_than_the_file_has),
        cmocka_unit_test(a_png_without_its_end_is_read),
        cmocka_unit_test(a_truncated_image_says_so),
        cmocka_unit_test(a_truncated_image_keeps_what_it_has_if_allowed),
        cmocka_unit_test(changed_bytes_never_do_harm),
        cmocka_unit_test(a_wrong_checksum_is_refused),
        cmocka_unit_test(foreign_content_is_named),
        cmocka_unit_test(a_small_file_that_claims_to_be_huge_is_refused),
        cmocka_unit_test(limits_on_size_are_kept),
        cmocka_unit_test(a_jpeg_of_endless_scans_is_refused),
        cmocka_unit_test(a_large_jpeg_may_have_fewer_scans),
        cmocka_unit_test(a_png_whose_pixels_go_on_behind_the_last_row_is_refused),
        cmocka_unit_test(a_png_of_any_size_may_have_a_few_bytes_behind_its_rows),
        cmocka_unit_test(a_damaged_head_is_refused_even_if_truncation_is_allowed),
        cmocka_unit_test(nothing_is_ever_printed),
        cmocka_unit_test(a_lack_of_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
