/* A context owns what calls share: worker threads, the allocator, the log callback, and the choice of instruction set.
 *
 * Most programs need none: wherever a function takes a context, NULL stands for a default one, which is made on first
 * use, runs as many threads as the process may use processors, and lives until the process ends.
 *
 * Threads start with the first work for them. The application's signals are blocked there, but for those that a thread
 * causes itself, such as SIGSEGV. After fork the child may use and destroy all that the parent has made; its contexts
 * start threads of their own. Only what another thread was changing at that moment, such as a model in training, is as
 * far as that thread had come. */
#ifndef CNN_CONTEXT_H
#define CNN_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_context cnn_context;

/* How much a message matters. A CNN_LOG_WARNING says that something was left out, or isn't as it was asked for.
 * CNN_LOG_DEBUG tells what the library has chosen, and is only said where the environment variable CNN_LOG is 2.
 * CNN_LOG_INFO is for later versions: take messages of any level. */
typedef enum cnn_log_level {
    CNN_LOG_DEBUG = 0,
    CNN_LOG_INFO = 1,
    CNN_LOG_WARNING = 2,
    CNN_LOG_LEVEL_MAX_ENUM = 0x7fffffff
} cnn_log_level;

/* Receives a message, without a newline; the text is valid during the call. */
typedef void (*cnn_log_callback)(cnn_log_level level, const char *message, void *user);

/* The instruction sets that kernels are compiled for. A processor that lacks the one asked for gets the best it has. */
typedef enum cnn_instruction_set {
    CNN_ISA_BEST = 0,    /* the best that the processor has */
    CNN_ISA_GENERIC = 1, /* plain C */
    CNN_ISA_AVX2 = 2,    /* AVX2 and FMA */
    CNN_ISA_AVX512 = 3,  /* AVX-512 F, BW, DQ, VL */
    CNN_ISA_NEON = 4,
    CNN_ISA_AVX512_BF16 = 5, /* AVX-512 with VNNI and BF16 too */
    CNN_INSTRUCTION_SET_MAX_ENUM = 0x7fffffff
} cnn_instruction_set;

typedef struct cnn_context_options {
    uint32_t struct_size; /* sizeof(cnn_context_options), set by cnn_context_options_init */
    uint32_t threads;     /* that work on one call, the caller among them: at most 256; 0: as many as there are
                           * processors, or as a container's quota of processor time allows */
    cnn_instruction_set instruction_set;

    /* Memory. Both or neither; `allocate` returns memory aligned to 64 bytes or NULL, and must be thread-safe. */
    void *(*allocate)(size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *allocator_user;

    /* Called with messages that are not errors. Must be thread-safe. NULL: they are dropped. */
    cnn_log_callback log;
    void *log_user;

    /* What a model may cost for one image, so that a small file from a stranger can't ask for all of a machine. Models
     * that cost more are CNN_ERROR_LIMIT. */
    uint64_t image_memory_limit;    /* bytes of values that are held at once; training has eight times this; 0: 1 GiB */
    uint64_t image_operation_limit; /* multiply-adds times two, and what pooling adds up or compares; 0: 10^12 */

    /* Bytes that may be allocated through the context at any one time; 0: no limit. What would exceed it fails with
     * CNN_ERROR_OUT_OF_MEMORY. What libjpeg, libpng, jansson, libarchive and protobuf-c take for themselves isn't
     * counted. */
    uint64_t memory_limit;

    /* Width × height of a photograph, where cnn_image_options set no limit of their own; 0: 200 million. Up to 4 bytes
     * for each and 64 MiB are taken to decode it. */
    uint64_t max_pixels;
} cnn_context_options;

/* Fills `options` with the defaults. */
CNN_INLINE void cnn_context_options_init(cnn_context_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Makes a context; `options` may be NULL. The environment variables CNN_THREADS (1 to 256; else it counts as not set),
 * CNN_CPU (generic, avx2, avx512, neon), CNN_IMAGE_MEMORY (in MiB), CNN_IMAGE_OPERATIONS and CNN_MAX_PIXELS stand in
 * for `threads`, `instruction_set` and the limits of those names where these are 0. The caller owns the result and
 * destroys it after everything that was made with it. A context may be used from several threads at once. */
CNN_API cnn_status cnn_context_create(const cnn_context_options *options, cnn_context **context);

/* Ends the context's threads and frees it. NULL is ignored. */
CNN_API void cnn_context_destroy(cnn_context *context);

/* Has the messages of a context (NULL: the default one) go to `log`, which must be thread-safe; NULL drops them. To be
 * called before other threads use the context. */
CNN_API cnn_status cnn_context_set_log(cnn_context *context, cnn_log_callback log, void *user);

/* Ends the long calls that are running with a context (NULL: the default one), from whichever thread they were made:
 * trainings, evaluations, calibrations, quantisations, predictions of many images, and what verifies a dataset. Each
 * returns CNN_ERROR_STOPPED after its current batch; a training keeps what it has learned, as if on_step had stopped
 * it. Calls that begin later aren't affected. May be called from any thread, and from a signal handler. */
CNN_API void cnn_context_cancel(cnn_context *context);

/* The number of threads that work on one call, and the instruction set in use ("generic", "avx2", ...; static text). */
CNN_API uint32_t cnn_context_threads(const cnn_context *context);
CNN_API const char *cnn_context_instruction_set(const cnn_context *context);

#ifdef CNN_EXPERIMENTAL

/* Lets what the calling thread calls from now on work on `threads` threads at most, the thread itself among them; 0: on
 * as many as the context has, as at first. Returns what the limit was, so that it can be set again. Results are the
 * same bits on any number of threads. */
CNN_API uint32_t cnn_limit_threads(uint32_t threads);

#endif

/* Bytes that are allocated through the context now, and the most that were at any one time. */
CNN_API uint64_t cnn_context_memory_in_use(const cnn_context *context);
CNN_API uint64_t cnn_context_memory_peak(const cnn_context *context);

/* Frees text, or bytes, that a function of the library gave to the caller, such as cnn_model_summary or
 * cnn_dataset_read. It is from that function's context, which must still exist. NULL is ignored. Thread-safe. */
CNN_API void cnn_text_free(char *text);
CNN_API void cnn_bytes_free(void *bytes);

CNN_END_DECLS

#endif
