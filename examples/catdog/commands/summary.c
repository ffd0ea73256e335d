#include <stdio.h>

#include <cnn/cnn.h>

#include "cli/context.h"
#include "cli/net_options.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "commands/commands.h"

typedef struct summary {
    const char *model_path;
    context_options resources;
    net_arguments net;
    int dot, time;
    cnn_context *context;
    cnn_classifier *classifier;
    cnn_graph *graph;
    cnn_model *model;
} summary;

/* What a prediction runs, as a drawing or a list; each operation with its time if that is wanted, for one image. */
static int print_program(const summary *s)
{
    int64_t dims[CNN_MAX_RANK] = { 1 };
    int32_t rank = 1 + cnn_model_input_dims(s->model, dims + 1, CNN_MAX_RANK - 1);
    cnn_tensor *image = NULL;
    char *text = NULL;
    cnn_status status = s->time ? cnn_tensor_create(s->context, CNN_FLOAT32, rank, dims, &image) : CNN_OK;
    if (!status)
        status = (s->dot ? cnn_model_program_dot : cnn_model_program_text)(s->model, image, &text);
    if (!status)
        printf("%s%s", s->dot ? "" : "\nOperations of a prediction:\n", text);
    cnn_text_free(text);
    cnn_tensor_destroy(image);
    return status ? output_library_error() : EXIT_DONE;
}

static int print_model(const cnn_model *model)
{
    char *text;
    if (cnn_model_summary(model, &text))
        return output_library_error();
    fputs(text, stdout);
    cnn_text_free(text);
    printf("Operations per image: %.3f billion\n", 1e-9 * (double)cnn_model_flops(model));
    return EXIT_DONE;
}

static int print_net(summary *s)
{
    if (net_create_graph(s->context, &s->net, &s->graph))
        return EXIT_FAILED;
    if (cnn_model_create(s->context, s->graph, 0, &s->model))
        return output_library_error();
    return s->dot ? EXIT_DONE : print_model(s->model);
}

static int print_trained(summary *s)
{
    cnn_status status = cnn_model_load(s->context, s->model_path, &s->model);
    if (status) {
        paths_model_error(s->model_path, status);
        return EXIT_FAILED;
    }
    if (s->dot)
        return EXIT_DONE;
    if (print_model(s->model))
        return EXIT_FAILED;
    if (!cnn_model_metadata(s->model, "cnn.classes"))
        return EXIT_DONE; /* a model that another program has trained */
    if (cnn_classifier_load(s->context, s->model_path, &s->classifier))
        return output_library_error();
    const cnn_preprocess *input = cnn_classifier_preprocess(s->classifier);
    printf("Input: photographs of any size, scaled to %u x %u pixels\nClasses:", input->width, input->height);
    for (uint32_t i = 0; cnn_classifier_class_name(s->classifier, i); i++) {
        fputs(i ? ", " : " ", stdout);
        output_text(stdout, cnn_classifier_class_name(s->classifier, i));
    }
    printf("\nConfidence: temperature %.3f%s\n", cnn_classifier_temperature(s->classifier),
           cnn_classifier_flip(s->classifier) ? "; averaged with the prediction for the mirror image" : "");
    return EXIT_DONE;
}

/* Options that change a net by name. */
static int refuse_net_options(const catdog_command *command, const summary *s)
{
    static const char why[] = "with --model: its net is as it was trained";
    const int shows_model = s->model_path != NULL;
    return arguments_refuse_unused(command, (const unused_option[]){ { "size", shows_model, why },
                                                                     { "width", shows_model, why },
                                                                     { "batch-norm", shows_model, why },
                                                                     { "dropout", shows_model, why },
                                                                     { 0 } });
}

static int run(const catdog_command *command, int argc, char **argv)
{
    summary s = { .net = { .dropout = -1 }, .resources = { .threads = 1 } };
    const option options[] = {
        { "model", "FILE", "trained model", OPTION_TEXT, &s.model_path },
        { "dot", NULL, "print a drawing of the operations of a prediction, for Graphviz", OPTION_FLAG, &s.dot },
        { "time", NULL, "also list the operations of a prediction, with the time of each", OPTION_FLAG, &s.time },
        NET_OPTIONS(s.net, NULL),
        MEMORY_OPTION(s.resources),
        { 0 },
    };
    int parsed = arguments_parse(command, options, argc, argv, NULL);
    if (parsed != PARSED)
        return parsed;
    if (!s.model_path == !s.net.name)
        return arguments_wrong(command, "summary: either --model or --net is needed%s",
                               s.model_path ? ", not both" : "");
    if (refuse_net_options(command, &s) || net_check(command, &s.net))
        return EXIT_USAGE;
    if (s.time)
        s.resources.threads = 0; /* all processors, as for predictions */
    int result = context_create(&s.resources, &s.context) ? EXIT_FAILED
                 : s.model_path                           ? print_trained(&s)
                                                          : print_net(&s);
    if (!result && (s.dot || s.time))
        result = print_program(&s);
    if (!result)
        result = output_finish();
    cnn_model_destroy(s.model);
    cnn_graph_destroy(s.graph);
    cnn_classifier_destroy(s.classifier);
    cnn_context_destroy(s.context);
    return result;
}

const catdog_command summary_command = {
    "summary",
    "show a network's layers",
    "--model FILE | --net NAME|FILE.json [OPTION]...",
    "Shows the layers of a network, the shapes of their outputs, and their numbers of weights.\n\n"
    "  catdog summary --model pets.safetensors\n"
    "  catdog summary --net four_conv\n"
    "  catdog summary --net three_conv --size 96 --batch-norm\n"
    "  catdog summary --net resnet18 --time\n"
    "  catdog summary --net resnet18 --dot | dot -Tsvg > resnet18.svg\n",
    run,
};
