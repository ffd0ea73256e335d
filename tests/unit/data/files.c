#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "files.h"

#include <ftw.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"

static char room[256];

int make_room(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(room, sizeof room, "%s/cnn-data-XXXXXX", base ? base : "/tmp");
    return mkdtemp(room) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

int remove_room(void **state)
{
    (void)state;
    /* musl enters no folder that is nested deeper than the files that may be open */
    return nftw(room, remove_one, 100, FTW_DEPTH | FTW_PHYS);
}

const char *in_room(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s%s%s", room, *name ? "/" : "", name);
    return path;
}

const char *fixture(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", CNN_FIXTURES, name);
    return path;
}

static void make_folders(const char *path)
{
    char part[512];
    for (const char *slash = strchr(path + strlen(room) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0777);
    }
}

void write_file(const char *name, const void *bytes, size_t size)
{
    const char *path = in_room(name);
    make_folders(path);
    remove(path); /* truncating a file waits for the disk on some systems */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(size, fwrite(bytes, 1, size, file));
    assert_int_equal(0, fclose(file));
}

void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

void write_folder(const char *name)
{
    const char *path = in_room(name);
    make_folders(path);
    assert_int_equal(0, mkdir(path, 0777));
}

void write_png(const char *name, int width, int height, uint8_t red, uint8_t green)
{
    const char *path = in_room(name);
    make_folders(path);
    uint8_t *pixels = malloc((size_t)width * (size_t)height * 3);
    assert_non_null(pixels);
    for (int i = 0; i < width * height; i++) {
        pixels[i * 3] = red;
        pixels[i * 3 + 1] = green;
        pixels[i * 3 + 2] = 99;
    }
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)width,
                        .height = (png_uint_32)height,
                        .format = PNG_FORMAT_RGB };
    assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
    free(pixels);
}

void *read_fixture(const char *name, size_t *size)
{
    FILE *file = fopen(fixture(name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(*size, fread(bytes, 1, *size, file));
    fclose(file);
    return bytes;
}

void copy_fixture(const char *name, const char *fixture_name)
{
    size_t size;
    void *bytes = read_fixture(fixture_name, &size);
    write_file(name, bytes, size);
    free(bytes);
}

void write_names(const char *const *names)
{
    for (; *names; names++)
        write_text(*names, *names);
}

static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static void put(FILE *file, uint32_t value, int bytes)
{
    for (; bytes; bytes--, value >>= 8)
        fputc((int)(value & 0xFF), file);
}

/* The fields that both headers of an entry have, in their order. */
static void put_common(FILE *file, const zip_entry *entry, size_t extra_size)
{
    put(file, 20, 2);
    put(file, entry->flags, 2);
    put(file, entry->method, 2);
    put(file, 0, 4);
    put(file, entry->crc ? entry->crc : crc_of(entry->bytes, entry->size), 4);
    put(file, entry->claimed_packed_size ? entry->claimed_packed_size : (uint32_t)entry->size, 4);
    put(file, entry->claimed_size ? entry->claimed_size : (uint32_t)entry->size, 4);
    put(file, (uint32_t)strlen(entry->name), 2);
    put(file, (uint32_t)extra_size, 2);
}

static void put_directory_header(FILE *file, const zip_entry *entry, uint32_t offset)
{
    put(file, 0x02014B50, 4);
    put(file, 0x0300 | 20, 2);
    put_common(file, entry, entry->extra_size);
    put(file, 0, 2); /* comment */
    put(file, 0, 4); /* disk, internal attributes */
    put(file, (entry->unix_mode ? entry->unix_mode : 0100644) << 16, 4);
    put(file, entry->claimed_offset ? entry->claimed_offset : offset, 4);
    fputs(entry->name, file);
    if (entry->extra_size)
        fwrite(entry->extra, 1, entry->extra_size, file);
}

void write_zip(const char *name, const zip_entry *entries, size_t count)
{
    const char *path = in_room(name);
    make_folders(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint32_t *offsets = calloc(count + 1, sizeof *offsets);
    assert_non_null(offsets);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = (uint32_t)ftell(file);
        put(file, 0x04034B50, 4);
        put_common(file, &entries[i], 0);
        fputs(entries[i].name, file);
        if (entries[i].size)
            fwrite(entries[i].bytes, 1, entries[i].size, file);
    }
    uint32_t directory = (uint32_t)ftell(file);
    for (size_t i = 0; i < count; i++)
        put_directory_header(file, &entries[i], offsets[i]);
    uint32_t end = (uint32_t)ftell(file);
    put(file, 0x06054B50, 4);
    put(file, 0, 4);
    put(file, (uint32_t)count, 2);
    put(file, (uint32_t)count, 2);
    put(file, end - directory, 4);
    put(file, directory, 4);
    put(file, 0, 2);
    free(offsets);
    assert_int_equal(0, fclose(file));
}

void write_zip_of_names(const char *name, const char *const *names)
{
    zip_entry entries[64] = { { 0 } };
    size_t count = 0;
    for (; names[count]; count++) {
        assert_true(count < 64);
        bool folder = names[count][strlen(names[count]) - 1] == '/';
        entries[count] = (zip_entry){ .name = names[count],
                                      .bytes = names[count],
                                      .size = folder ? 0 : strlen(names[count]),
                                      .unix_mode = folder ? 040755 : 0 };
    }
    write_zip(name, entries, count);
}
