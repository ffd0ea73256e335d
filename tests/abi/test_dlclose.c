/* A program that loads the library while it runs, uses its threads, and closes it. Usage: test_dlclose LIBRARY */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cnn/cnn.h>

enum { ROUNDS = 3, SIZE = 32, BATCH = 16 };

/* What is wrong, NULL if nothing. */
static const char *predict_and_leave_threads(void *library)
{
#define FUNCTION(name) __typeof__(&name) name##_ = (__typeof__(&name))dlsym(library, #name)
    FUNCTION(cnn_context_create);
    FUNCTION(cnn_graph_create);
    FUNCTION(cnn_input);
    FUNCTION(cnn_conv2d);
    FUNCTION(cnn_global_avg_pool);
    FUNCTION(cnn_model_create);
    FUNCTION(cnn_tensor_create);
    FUNCTION(cnn_model_predict);
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 4;
    cnn_context *context;
    cnn_graph *graph;
    cnn_model *model;
    cnn_tensor *input, *output;
    if (cnn_context_create_(&options, &context) || cnn_graph_create_(context, &graph))
        return "a context and a graph can't be made";
    cnn_global_avg_pool_(graph, cnn_conv2d_(graph, cnn_input_(graph, SIZE, SIZE, 3), 8, NULL));
    if (cnn_model_create_(context, graph, 1, &model) ||
        cnn_tensor_create_(context, CNN_FLOAT32, 4, (int64_t[]){ BATCH, SIZE, SIZE, 3 }, &input) ||
        cnn_tensor_create_(context, CNN_FLOAT32, 2, (int64_t[]){ BATCH, 8 }, &output))
        return "a model can't be made";
    return cnn_model_predict_(model, input, output) ? "it doesn't predict" : NULL;
}

int main(int argc, char **argv)
{
    for (int i = 0; argc == 2 && i < ROUNDS; i++) {
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            fprintf(stderr, "%s\n", dlerror());
            return EXIT_FAILURE;
        }
        const char *wrong = predict_and_leave_threads(library);
        if (wrong) {
            fprintf(stderr, "%s\n", wrong);
            return EXIT_FAILURE;
        }
        dlclose(library);
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL); /* the threads go on */
    }
    return argc == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
