/* Contexts. A context owns what calls share: worker threads, the allocator and a limit on memory, the callback for
 * messages, and the choice of instruction set.
 *
 * Most programs don't make one. Where a function takes a context, NULL stands for the default context. The library
 * makes it when it is first needed, with a thread for each processor that the process may use, and keeps it until the
 * process ends. A program makes a context of its own to set other options:
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
 * Destroy a context after everything that was made with it. A context may be used from several threads at once.
 *
 * A context's threads start when there is work for them, and end after five seconds without work, so that they don't
 * keep a process alive whose own threads have all ended. (A cnn_loader's threads end when it is destroyed.) The threads
 * block all signals, except those that a thread causes itself, such as SIGSEGV. After fork() the child may use and
 * destroy everything that the parent has made; its contexts start threads of their own. An object that another thread
 * was changing at the time of the fork, such as a model in training, stays in the child as it was at that moment. */
#ifndef CNN_CONTEXT_H
#define CNN_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/export.h>
#include <cnn/options.h>
#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct cnn_context cnn_context;

/* How important a message is. Later versions may have more levels. */
typedef enum cnn_log_level {
    CNN_LOG_DEBUG = 0,   /* what the library has chosen; only if the environment variable CNN_LOG is 2 */
    CNN_LOG_INFO = 1,    /* not used yet */
    CNN_LOG_WARNING = 2, /* something was left out, or differs from what was asked for */
    CNN_LOG_LEVEL_MAX_ENUM = 0x7fffffff
} cnn_log_level;

/* Receives a message, without a newline. The text is valid during the call. The callback is called from any thread, and
 * from several at once. */
typedef void (*cnn_log_callback)(cnn_log_level level, const char *message, void *user);

/* Families of instruction sets that the numeric code is compiled for. The library uses all that the processor has of
 * the family that is asked for, such as AVX-512 with VNNI and BF16; if the processor lacks the family, the best that it
 * has. Later versions may have more families. */
typedef enum cnn_instruction_set {
    CNN_ISA_BEST = 0,    /* the best that the processor has */
    CNN_ISA_GENERIC = 1, /* plain C */
    CNN_ISA_AVX2 = 2,    /* AVX2 and FMA, and AVX-VNNI */
    CNN_ISA_AVX512 = 3,  /* AVX-512 F, BW, DQ, VL, and VNNI, BF16 */
    CNN_ISA_NEON = 4,    /* 64-bit Arm */
    CNN_INSTRUCTION_SET_MAX_ENUM = 0x7fffffff
} cnn_instruction_set;

typedef struct cnn_context_options {
    uint32_t struct_size;
    uint32_t threads; /* that work on one call, the calling thread included; at most 256; 0: as many as the process may
                       * use processors, or as the container's quota of processor time allows */
    cnn_instruction_set instruction_set;

    /* The allocator: set both functions or neither. `allocate` returns memory aligned to 64 bytes, or NULL if there is
     * none. Both are called from any thread, and from several at once. */
    void *(*allocate)(size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *allocator_user;

    /* Receives warnings; errors go to cnn_last_error(). If the environment variable CNN_LOG is 2 when the context is
     * made, it receives messages of level CNN_LOG_DEBUG, too. NULL: messages are dropped. */
    cnn_log_callback log;
    void *log_user;

    /* What a model may cost for one image. A model that costs more is refused with CNN_ERROR_LIMIT, so that a small
     * file from a stranger can't occupy the whole machine. */
    uint64_t image_memory_limit;    /* bytes for the values of its layers, eight times as much in training; 0: 1 GiB */
    uint64_t image_operation_limit; /* operations, of which a multiply-add counts as two; 0: 10^12 */

    /* The most bytes that may be allocated through the context at one time; 0: no limit. A call that needs more fails
     * with CNN_ERROR_OUT_OF_MEMORY. The memory of libjpeg, libpng, jansson and libarchive isn't counted. */
    uint64_t memory_limit;

    /* The most pixels (width × height) that a photograph may have, unless cnn_image_options.max_pixels is set; 0: 200
     * million. Decoding takes up to 64 MiB and 4 bytes for each pixel. */
    uint64_t max_pixels;
} cnn_context_options;

CNN_INLINE void cnn_context_options_init(cnn_context_options *options)
{
    cnn_options_clear(options, sizeof *options);
}

/* Makes a context, which the caller owns. `options` may be NULL. Environment variables set options that are 0, and
 * those of the default context: CNN_THREADS (1 to 256), CNN_CPU (generic; avx2, avx2_vnni, avx512,
 * avx512_vnni, avx512_bf16; neon, neon_dot, neon_i8mm, neon_bf16), CNN_IMAGE_MEMORY (in MiB), CNN_IMAGE_OPERATIONS,
 * CNN_MAX_PIXELS. One with another value is ignored. Errors: CNN_ERROR_ARGUMENT; CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_context_create(const cnn_context_options *options, cnn_context **context);

/* Ends the context's threads and frees it. No call may be using it, and nothing that was made with it may be left. NULL
 * is ignored. */
CNN_API void cnn_context_destroy(cnn_context *context);

/* Sends the messages of a context (NULL: the default one) to `log`; if that is NULL, they are dropped. Call it before
 * other threads use the context. Errors: CNN_ERROR_OUT_OF_MEMORY. */
CNN_API cnn_status cnn_context_set_log(cnn_context *context, cnn_log_callback log, void *user);

/* Stops the long calls that are running with a context (NULL: the default one) on any thread. Each returns
 * CNN_ERROR_STOPPED once it is done with its current batch. These calls can be stopped: training, evaluation and
 * calibration; cnn_classifier_quantize; cnn_classifier_predict_files and _memories; cnn_dataset_verify and
 * cnn_dataset_find_duplicates. A training leaves the model as if on_step had stopped it. Calls that begin later aren't
 * affected. Thread-safe, and may be called from a signal handler:
 *
 *     #include <signal.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     static void cancel(int signal)
 *     {
 *         (void)signal;
 *         cnn_context_cancel(NULL);
 *     }
 *
 *     cnn_status train_until_interrupted(cnn_classifier *classifier, const cnn_dataset *photos)
 *     {
 *         signal(SIGINT, cancel);
 *         cnn_status status = cnn_classifier_fit(classifier, photos, NULL, NULL);
 *         signal(SIGINT, SIG_DFL);
 *         return status == CNN_ERROR_STOPPED ? CNN_OK : status; // what was learned so far is kept
 *     }
 */
CNN_API void cnn_context_cancel(cnn_context *context);

/* Returns the number of threads that work on one call, the calling thread included. Thread-safe. */
CNN_API uint32_t cnn_context_threads(const cnn_context *context);

/* Returns the name of the instruction set in use, as CNN_CPU takes it: "generic", "avx2", "avx512_vnni", ... It says
 * more than the family that cnn_context_options chose. The text is static. Thread-safe. */
CNN_API const char *cnn_context_instruction_set(const cnn_context *context);

/* Return how many bytes are allocated through the context now, and the largest such number until now. Thread-safe. */
CNN_API uint64_t cnn_context_memory_in_use(const cnn_context *context);
CNN_API uint64_t cnn_context_memory_peak(const cnn_context *context);

/* Free text or bytes that the caller got from a function such as cnn_model_summary or cnn_dataset_read. The context
 * that the function worked with must still exist. NULL is ignored. Thread-safe. */
CNN_API void cnn_text_free(char *text);
CNN_API void cnn_bytes_free(void *bytes);

#ifdef CNN_EXPERIMENTAL

/* Limits the number of threads that work on the calling thread's calls, the thread itself included; 0, as at first: no
 * limit but the context's. A loader that is created under the limit, as trainings and evaluations do for their images,
 * has at most as many threads besides, unless its `workers` are given. Returns the limit until now, so that the caller
 * can restore it. The number of threads changes no bit of a result. */
CNN_API uint32_t cnn_limit_threads(uint32_t threads);

#endif

CNN_END_DECLS

#endif
