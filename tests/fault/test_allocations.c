/* Each allocation from the caller's allocator fails once, in all that the library does with photographs and models:
 * that is an error, nothing is leaked, and nothing goes to another allocator. What is written then is the old or the
 * new.
 *
 *     test_allocations [whole | SEED]     every position, or some, which depend on the seed
 */
#include "../unit/classifier/photographs.h"
#include "../unit/memory_file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Memory begins behind a header, so that free() of it, or a release of what isn't from here, ends the test. */
enum { HEADER = 64, MARK = 0x0c0ffee0 };

static atomic_long taken, held, wrong_releases;
static long failing; /* which of those taken fails; 0: none */
static unsigned step = 1, offset;
static void *written; /* the folder of all files */

static void *take(size_t size, void *user)
{
    if (atomic_fetch_add(&taken, 1) + 1 == failing)
        return NULL;
    char *block = aligned_alloc(HEADER, (size + 2 * HEADER - 1) / HEADER * HEADER);
    if (!block)
        return NULL;
    *(int *)block = MARK;
    atomic_fetch_add(&held, 1);
    (void)user;
    return block + HEADER;
}

static void give(void *memory, void *user)
{
    char *block = (char *)memory - HEADER;
    if (*(int *)block != MARK)
        atomic_fetch_add(&wrong_releases, 1);
    *(int *)block = 0;
    atomic_fetch_sub(&held, 1);
    free(block);
    (void)user;
}

/* Static, as a failing assertion leaps over what is on the stack. */
static char data_path[256], test_path[256], model_path[256], made_path[256], state_path[256], curve_path[256],
    photo_path[256];

static cnn_status create_classifier(cnn_context *context, cnn_classifier **classifier)
{
    cnn_graph *g;
    cnn_status status = cnn_graph_create(context, &g);
    if (status)
        return status;
    cnn_conv2d_options window = { .struct_size = sizeof window };
    cnn_node x = cnn_input(g, INPUT, INPUT, 3);
    x = cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, 4, &window), NULL));
    x = cnn_dense(g, cnn_global_avg_pool(g, cnn_max_pool2d(g, x, NULL)), 1, NULL);
    status = cnn_graph_status(g);
    if (!status)
        status = cnn_classifier_create_from_graph(context, g, NULL, classifier);
    cnn_graph_destroy(g);
    return status;
}

static cnn_status open_verified(cnn_context *context, cnn_dataset **dataset)
{
    cnn_verify_options options;
    cnn_verify_options_init(&options);
    options.find_duplicates = 1;
    cnn_status status = cnn_dataset_open(context, data_path, NULL, dataset);
    return status ? status : cnn_dataset_verify(*dataset, &options, NULL);
}

static void set_options(cnn_train_options *options, uint32_t resume)
{
    cnn_train_options_init(options);
    options->epochs = 2;
    options->batch_size = 8;
    options->checkpoint = state_path;
    options->history = curve_path;
    options->resume = resume;
}

static cnn_status fit_resumed(cnn_context *context, uint32_t resume)
{
    cnn_dataset *data = NULL;
    cnn_classifier *classifier = NULL;
    cnn_train_options options;
    set_options(&options, resume);
    cnn_status status = open_verified(context, &data);
    if (!status)
        status = create_classifier(context, &classifier);
    if (!status)
        status = cnn_classifier_fit(classifier, data, NULL, &options);
    if (!status)
        status = cnn_classifier_save(classifier, made_path);
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(data);
    return status;
}

static cnn_status fit(cnn_context *context)
{
    return fit_resumed(context, 0);
}

static cnn_status resume(cnn_context *context)
{
    return fit_resumed(context, 1);
}

static cnn_status fit_head(cnn_context *context)
{
    cnn_dataset *data = NULL;
    cnn_classifier *classifier = NULL;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 1;
    cnn_status status = cnn_classifier_load(context, model_path, &classifier);
    if (!status)
        status = cnn_dataset_open(context, data_path, NULL, &data);
    if (!status)
        status = cnn_classifier_fit_head(classifier, NULL, data, NULL, &options, NULL);
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(data);
    return status;
}

static cnn_status predict_some(cnn_context *context)
{
    cnn_classifier *classifier = NULL;
    cnn_tensor *map = NULL;
    cnn_prediction predictions[3] = { { .struct_size = sizeof *predictions } };
    const char *const paths[] = { photo_path, photo_path, photo_path };
    cnn_status status = cnn_classifier_load(context, model_path, &classifier);
    if (!status)
        status = cnn_classifier_predict_files(classifier, paths, 3, predictions);
    for (int i = 0; i < 3 && !status; i++)
        status = predictions[i].status;
    if (!status)
        status = cnn_classifier_explain_file(classifier, photo_path, -1, predictions, &map);
    cnn_tensor_destroy(map);
    cnn_classifier_destroy(classifier);
    return status;
}

static cnn_status calibrate(cnn_context *context)
{
    cnn_classifier *classifier = NULL;
    cnn_dataset *data = NULL;
    cnn_status status = cnn_classifier_load(context, model_path, &classifier);
    if (!status)
        status = cnn_dataset_open(context, data_path, NULL, &data);
    if (!status)
        status = cnn_classifier_calibrate(classifier, data);
    if (!status)
        status = cnn_classifier_save(classifier, made_path);
    cnn_dataset_destroy(data);
    cnn_classifier_destroy(classifier);
    return status;
}

static cnn_status quantize(cnn_context *context)
{
    cnn_classifier *classifier = NULL, *quantized = NULL, *loaded = NULL;
    cnn_dataset *data = NULL;
    cnn_prediction prediction = { .struct_size = sizeof prediction };
    cnn_status status = cnn_classifier_load(context, model_path, &classifier);
    if (!status)
        status = cnn_dataset_open(context, data_path, NULL, &data);
    if (!status)
        status = cnn_classifier_quantize(classifier, data, NULL, &quantized);
    if (!status)
        status = cnn_classifier_save(quantized, made_path);
    if (!status)
        status = cnn_classifier_load(context, made_path, &loaded);
    if (!status)
        status = cnn_classifier_predict_file(loaded, photo_path, &prediction);
    cnn_classifier_destroy(loaded);
    cnn_classifier_destroy(quantized);
    cnn_dataset_destroy(data);
    cnn_classifier_destroy(classifier);
    return status;
}

static cnn_status exchange(cnn_context *context)
{
    cnn_model *model = NULL, *back = NULL;
    cnn_status status = cnn_model_load(context, model_path, &model);
    if (!status)
        status = cnn_model_save_onnx(model, made_path);
    if (!status)
        status = cnn_model_load(context, made_path, &back);
    cnn_model_destroy(back);
    cnn_model_destroy(model);
    return status == CNN_ERROR_UNSUPPORTED ? CNN_OK : status; /* built without it */
}

static cnn_status keep_itself(cnn_context *context)
{
    cnn_classifier *classifier = NULL, *back = NULL;
    memory_file file = { .most = 4096 };
    cnn_file_callbacks callbacks = memory_file_callbacks(&file);
    cnn_status status = cnn_classifier_load(context, model_path, &classifier);
    if (!status)
        status = cnn_classifier_save_to_callbacks(classifier, &callbacks);
    callbacks.size = file.size;
    if (!status)
        status = cnn_classifier_load_from_callbacks(context, &callbacks, &back);
    free(file.bytes);
    cnn_classifier_destroy(back);
    cnn_classifier_destroy(classifier);
    return status;
}

/* The values of layers of a model. */
static cnn_status predict_layers(cnn_context *context)
{
    static const char *const layers[] = { "conv2d_1", "input_1", "dense_1" };
    cnn_model *model = NULL;
    cnn_tensor *input = NULL, *values[3] = { NULL };
    cnn_status status = cnn_model_load(context, model_path, &model);
    if (!status)
        status = cnn_tensor_create(context, CNN_FLOAT32, 4, (int64_t[]){ 2, INPUT, INPUT, 3 }, &input);
    if (!status)
        status = cnn_model_predict_layers(model, input, layers, 3, values);
    for (int i = 0; i < 3; i++)
        cnn_tensor_destroy(values[i]);
    cnn_tensor_destroy(input);
    cnn_model_destroy(model);
    return status;
}

typedef struct scenario {
    cnn_status (*run)(cnn_context *context);
} scenario;

static long run_once(const scenario *s, long position)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 2;
    options.allocate = take;
    options.release = give;
    cnn_context *context;
    failing = 0;
    assert_ok(cnn_context_create(&options, &context));
    long before = held;
    taken = 0;
    failing = position;
    cnn_status status = s->run(context);
    failing = 0;
    if (position && taken >= position)
        assert_status(CNN_ERROR_OUT_OF_MEMORY, status);
    else
        assert_ok(status);
    if (held != before)
        fail_msg("allocation %ld fails: %ld are not released", position, held - before);
    assert_int_equal(0, wrong_releases);
    long count = taken;
    cnn_context_destroy(context);
    assert_int_equal(0, held);
    return count;
}

static void each_allocation_may_fail(void **state)
{
    long all = run_once(*state, 0), tried = 0;
    for (long position = 1 + offset % step; position <= all; position += step, tried++)
        run_once(*state, position);
    print_message("%ld of %ld allocations\n", tried, all);
}

static int tear_down(void **state)
{
    (void)state;
    return scratch_teardown(&written);
}

static int set_up(void **state)
{
    (void)state; /* each test has its own */
    if (write_data(&written))
        return -1;
    const char *folder = written;
    snprintf(data_path, sizeof data_path, "%s/data", folder);
    snprintf(test_path, sizeof test_path, "%s/test", folder);
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    snprintf(made_path, sizeof made_path, "%s/made", folder);
    snprintf(state_path, sizeof state_path, "%s/state", folder);
    snprintf(curve_path, sizeof curve_path, "%s/curve.csv", folder);
    snprintf(photo_path, sizeof photo_path, "%s/data/red/00.png", folder);
    cnn_classifier *classifier;
    cnn_dataset *data;
    cnn_train_options options;
    set_options(&options, 0);
    if (open_verified(NULL, &data) || create_classifier(NULL, &classifier) ||
        cnn_classifier_fit(classifier, data, NULL, &options) || cnn_classifier_save(classifier, model_path))
        return -1;
    cnn_classifier_destroy(classifier);
    cnn_dataset_destroy(data);
    return 0;
}

#define SCENARIO(name)                                           \
    {                                                            \
#name, each_allocation_may_fail, NULL, NULL, &(scenario) \
        {                                                        \
            name                                                 \
        }                                                        \
    }

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(fit),      SCENARIO(resume),   SCENARIO(fit_head),    SCENARIO(predict_some),   SCENARIO(calibrate),
        SCENARIO(quantize), SCENARIO(exchange), SCENARIO(keep_itself), SCENARIO(predict_layers),
    };
    offset = argc > 1 ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
    step = argc > 1 && !strcmp(argv[1], "whole") ? 1 : 20;
    print_message("seed %u\n", offset);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
