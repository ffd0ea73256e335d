/* Contexts: what calls share. A context owns worker threads, the allocator and a limit on memory, the callback for
 * messages, and the choice of instruction set.
 *
 * Most programs need none: where a function takes a context, NULL stands for the default context, which is made when it
 * is first needed, has as many threads as the process may use processors, and lives until the process ends. A program
 * that wants something else makes its own:
 *
 *     cnn_status load_on_one_thread(const char *path, cnn_context **context, cnn_classifier **classifier)
 *     {
 *         cnn_context_options options;
 *         cnn_context_options_init(&options);
 *         options.threads = 1;
 *         options.memory_limit = (uint64_t)256 << 20;
 *         cnn_status status = cnn_context_create(&options, context);
 *         return status ? status : cnn_classifier_load(*context, path, classifier);
 *     }
 *
 * What is made with a context belongs to it: destroy the context last.
 *
 * Threads start when there is work for them. The application's signals are blocked on them, except those that a thread
 * causes itself, such as SIGSEGV. After fork() the child may use and destroy everything that the parent has made; its
 * contexts start threads of their own. An object that another thread was changing at that moment, such as a model in
 * training, is in the child as far as that thread had come. */
#ifndef CNN_CONTEXT_H
#define CNN_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_context cnn_context;

/* How much a message matters. Take messages of any level: later versions may have more of them. */
typedef enum cnn_log_level {
    CNN_LOG_DEBUG = 0,   /* what the library has chosen; only where the environment variable CNN_LOG is 2 */
    CNN_LOG_INFO = 1,    /* not used yet */
    CNN_LOG_WARNING = 2, /* something was left out, or isn't as it was asked for */
    CNN_LOG_LEVEL_MAX_ENUM = 0x7fffffff
} cnn_log_level;

/* Receives a message, without a newline. The text is valid during the call. */
typedef void (*cnn_log_callback)(cnn_log_level level, const char *message, void *user);

/* The instruction sets that the numeric code is compiled for. A processor that lacks the one asked for uses the best it
 * has. */
typedef enum cnn_instruction_set {
    CNN_ISA_BEST = 0,        /* the best that the processor has */
    CNN_ISA_GENERIC = 1,     /* plain C */
    CNN_ISA_AVX2 = 2,        /* AVX2 and FMA */
    CNN_ISA_AVX512 = 3,      /* AVX-512 F, BW, DQ, VL */
    CNN_ISA_NEON = 4,        /* 64-bit Arm */
    CNN_ISA_AVX512_BF16 = 5, /* AVX-512 with VNNI and BF16 too */
    CNN_INSTRUCTION_SET_MAX_ENUM = 0x7fffffff
} cnn_instruction_set;

typedef struct cnn_context_options {
    uint32_t struct_size;
    uint32_t threads; /* that work on one call, the caller among them: at most 256; 0: as many as the process may use
                       * processors, or as a container's quota of processor time allows */
    cnn_instruction_set instruction_set;

    /* The allocator: both functions or neither. `allocate` returns memory aligned to 64 bytes, or NULL. Both are called
     * from any thread. */
    void *(*allocate)(size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *allocator_user;

    /* Called with messages that are not errors, from any thread. NULL: they are dropped. Only warnings come, unless
     * the environment variable CNN_LOG is 2 when the context is made: then also what was chosen, at CNN_LOG_DEBUG. */
    cnn_log_callback log;
    void *log_user;

    /* What a model may cost for one image, so that a small file from a stranger can't ask for all of a machine. A model
     * that costs more is refused with CNN_ERROR_LIMIT. */
    uint64_t image_memory_limit;    /* bytes of values that are held at once, eight times this in training; 0: 1 GiB */
    uint64_t image_operation_limit; /* multiply-adds times two, and additions and comparisons of pooling; 0: 10^12 */

    /* Bytes that may be allocated through the context at any one time; 0: no limit. What would exceed it fails with
     * CNN_ERROR_OUT_OF_MEMORY. Memory that libjpeg, libpng, jansson, libarchive and protobuf-c take for themselves
     * isn't counted. */
    uint64_t memory_limit;

    /* Pixels (width × height) that a photograph may have where cnn_image_options sets no limit of its own; 0: 200
     * million. Decoding takes up to 4 bytes a pixel and 64 MiB. */
    uint64_t max_pixels;
} cnn_context_options;

CNN_INLINE void cnn_context_options_init(cnn_context_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Makes a context, which the caller owns. `options` may be NULL. Where an option is 0, an environment variable may
 * stand in for it: CNN_THREADS (1 to 256; anything else counts as not set), CNN_CPU (generic, avx2, avx512,
 * avx512_bf16, neon), CNN_IMAGE_MEMORY (in MiB), CNN_IMAGE_OPERATIONS, CNN_MAX_PIXELS. A context may be used from
 * several threads at once. Errors: CNN_ERROR_ARGUMENT, CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_context_create(const cnn_context_options *options, cnn_context **context);

/* Ends the context's threads and frees it. No call may be using it. NULL is ignored. */
CNN_API void cnn_context_destroy(cnn_context *context);

/* Sends the messages of a context (NULL: the default one) to `log`, which is called from any thread; NULL drops them.
 * Call it before other threads use the context. */
CNN_API cnn_status cnn_context_set_log(cnn_context *context, cnn_log_callback log, void *user);

/* Cancels the long calls that are running with a context (NULL: the default one), whichever threads have made them:
 * training, evaluation, calibration, quantisation, the prediction of many images, cnn_dataset_verify. Each returns
 * CNN_ERROR_STOPPED after the batch that it is at; a training leaves the model as it does when on_step stops it. Calls
 * that begin later aren't affected. May be called from any thread, and from a signal handler. */
CNN_API void cnn_context_cancel(cnn_context *context);

/* Returns the number of threads that work on one call. */
CNN_API uint32_t cnn_context_threads(const cnn_context *context);

/* Returns the name of the instruction set in use: "generic", "avx2", ... The text is static. */
CNN_API const char *cnn_context_instruction_set(const cnn_context *context);

/* Return the bytes that are allocated through the context now, and the most that were at any one time. Thread-safe. */
CNN_API uint64_t cnn_context_memory_in_use(const cnn_context *context);
CNN_API uint64_t cnn_context_memory_peak(const cnn_context *context);

/* Free text, or bytes, that a function of the library gave to the caller, such as cnn_model_summary or
 * cnn_dataset_read. The context that the function worked with must still exist. NULL is ignored. Thread-safe. */
CNN_API void cnn_text_free(char *text);
CNN_API void cnn_bytes_free(void *bytes);

#ifdef CNN_EXPERIMENTAL

/* Limits how many threads the calls of the calling thread use from now on, the thread itself among them; 0: as many as
 * the context has, which is the case at first. Returns the limit before, so that it can be restored. Results are the
 * same bits on any number of threads. */
CNN_API uint32_t cnn_limit_threads(uint32_t threads);

#endif

CNN_END_DECLS

#endif
