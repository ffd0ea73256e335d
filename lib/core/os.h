/* The operating system. All system calls of the library are made in os.c, but for threads and locks (thread.c) and
 * forks (fork.c): another system needs these three written anew, and nothing else.
 *
 * A descriptor is a small whole number, -1 where there is none. What fails leaves its reason in errno. A call that a
 * signal interrupts is made again. Paths are bytes, with / between their parts. */
#ifndef CNN_CORE_OS_H
#define CNN_CORE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CNN_PATH_MAX = 4096 }; /* bytes of a path that can be opened, with the zero at its end */

typedef enum cnn_file_kind {
    CNN_FILE_UNKNOWN, /* nobody has said */
    CNN_FILE_REGULAR,
    CNN_FILE_FOLDER,
    CNN_FILE_LINK,
    CNN_FILE_PIPE,
    CNN_FILE_CHARACTERS, /* a terminal, /dev/null */
    CNN_FILE_SOCKET,
    CNN_FILE_DISK,
} cnn_file_kind;

typedef struct cnn_file_info {
    cnn_file_kind kind;
    uint64_t size;
    uint64_t device, number; /* both together: which file it is */
    uint32_t mode, owner, group;
} cnn_file_info;

/* --- reading --- */

/* Opens a file to read from; fork and exec don't pass it on, and a named pipe doesn't hang. */
int cnn_os_open(const char *path);

/* True also if a signal came: the file is closed then. */
bool cnn_os_close(int descriptor);

/* What is at a path, at the end of links; or the link itself; or behind a descriptor. */
bool cnn_os_stat(const char *path, cnn_file_info *info);
bool cnn_os_lstat(const char *path, cnn_file_info *info);
bool cnn_os_fstat(int descriptor, cnn_file_info *info);
bool cnn_os_exists(const char *path);

/* Reads up to `size` bytes from where the descriptor stands: as many as there are. */
bool cnn_os_read(int descriptor, void *to, size_t size, size_t *done);

/* Reads all of `size` bytes from `offset` on. Where the file ends before, it fails with errno 0. */
bool cnn_os_read_at(int descriptor, void *to, size_t size, uint64_t offset);

/* The path without links and without "..". */
bool cnn_os_real_path(const char *path, char resolved[CNN_PATH_MAX]);

/* Where a link leads, as it is written in it. */
bool cnn_os_read_link(const char *path, char target[CNN_PATH_MAX]);

/* The names in a folder, one after the other; NULL at the end with errno 0, or after a failure. `kind` is that of the
 * thing itself, CNN_FILE_UNKNOWN where the file system doesn't say. A name is valid until the next. */
typedef struct cnn_folder cnn_folder;
cnn_folder *cnn_os_open_folder(const char *path);
const char *cnn_os_next_name(cnn_folder *folder, cnn_file_kind *kind);
void cnn_os_close_folder(cnn_folder *folder);

/* --- writing --- */

typedef struct cnn_chunk {
    const void *data;
    size_t size;
} cnn_chunk;

/* Opens what takes bytes as they come; or makes a second descriptor of one. */
int cnn_os_open_stream(const char *path);
int cnn_os_duplicate(int descriptor);

/* Makes a file that nobody had before, and opens it to write to; or one in a folder that has no name, and is gone with
 * the process if it gets none. Not every file system has the latter. */
int cnn_os_create(const char *path, uint32_t mode);
int cnn_os_create_unnamed(const char *folder, uint32_t mode);
bool cnn_os_give_name(int descriptor, const char *path);

/* Writes all chunks. A pipe whose reader has gone is an error like others, and so is a file beyond the limit on its
 * size: no signal ends the process. */
bool cnn_os_write(int descriptor, const cnn_chunk *chunks, size_t count);

/* Lets those read an open file who could read the one that `info` is of, and nobody else. */
bool cnn_os_copy_access(int descriptor, const cnn_file_info *info);

/* To the disk. Of a folder: what its names are; one that may not be read, or that can't be synced, does without. */
bool cnn_os_sync(int descriptor);
bool cnn_os_sync_folder(const char *folder);

bool cnn_os_may_write(const char *path);
bool cnn_os_rename(const char *from, const char *to); /* in the place of what is at `to` */
void cnn_os_remove(const char *path);

/* --- the rest --- */

double cnn_os_seconds(void);      /* since some moment in the past; never goes back */
uint64_t cnn_os_random(void);     /* for names that nobody guesses; never for results */
uint32_t cnn_os_processors(void); /* that this process may run on */

/* Loads a shared library by its name, for as long as the process runs; NULL if that fails. A function of it: its
 * address goes to the pointer `function` of `size` bytes. What went wrong, once, in words. */
void *cnn_os_load_library(const char *name);
bool cnn_os_find_function(void *library, const char *name, void *function, size_t size);
const char *cnn_os_library_error(void);

/* What the processor can, as bits that the processor's architecture defines for this system (AT_HWCAP, AT_HWCAP2). */
void cnn_os_processor_features(unsigned long features[2]);

/* Memory at a multiple of `alignment`, in large pages from their size on; given back with free. */
void *cnn_os_allocate(size_t alignment, size_t size);

#endif
