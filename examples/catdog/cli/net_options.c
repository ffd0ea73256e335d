#include "cli/net_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/spelling.h"

enum { MOST_JSON_BYTES = 16 << 20, MOST_NETS = 32 };

const char *const *net_names(void)
{
    static const char *names[MOST_NETS + 1];
    for (uint32_t i = 0; i < MOST_NETS && cnn_net_name(i); i++)
        names[i] = cnn_net_name(i);
    return names;
}

static const char *net_list(void)
{
    static char text[512];
    text[0] = '\0';
    for (const char *const *name = net_names(); *name; name++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s, ", *name);
    snprintf(text + strlen(text), sizeof text - strlen(text), "or a JSON file of your own");
    return text;
}

const char *net_help(void)
{
    static char text[560];
    snprintf(text, sizeof text, "network: %s", net_list());
    return text;
}

int net_is_file(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".json"));
}

/* Whether a net by name is the same without --batch-norm: it has batch normalisation anyway. */
static int has_batch_norm(const char *name)
{
    cnn_net_options options;
    char *texts[2] = { 0 };
    for (int with = 0; with < 2; with++) {
        cnn_graph *graph;
        cnn_net_options_init(&options);
        options.batch_norm = (uint32_t)with;
        if (cnn_graph_create_net(NULL, name, &options, &graph))
            continue;
        cnn_graph_to_json(graph, &texts[with]);
        cnn_graph_destroy(graph);
    }
    int same = texts[0] && texts[1] && !strcmp(texts[0], texts[1]);
    cnn_text_free(texts[0]);
    cnn_text_free(texts[1]);
    return same;
}

int net_check(const catdog_command *command, const net_arguments *net)
{
    if (!net->name)
        return EXIT_DONE;
    if (net_is_file(net->name)) {
        if (net->size || net->batch_norm || net->dropout >= 0 || net->width > 0)
            return arguments_wrong(command,
                                   "%s: --size, --width, --batch-norm and --dropout are for the nets of --net by name; "
                                   "change '%s' itself",
                                   command->name, net->name);
        return EXIT_DONE;
    }
    for (const char *const *name = net_names(); *name; name++)
        if (!strcmp(*name, net->name))
            return arguments_refuse_unused(
                command, (const unused_option[]){ { "batch-norm", net->batch_norm && has_batch_norm(net->name),
                                                    "with this net, which has batch normalisation anyway" },
                                                  { 0 } });
    const char *nearest = spelling_nearest(net->name, net_names());
    return arguments_wrong(command, "%s: --net takes %s, not '%s'%s%s%s", command->name, net_list(), net->name,
                           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* The whole of a file, at most MOST_JSON_BYTES; NULL with a sentence printed. */
static char *read_text(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST_JSON_BYTES + 1) : NULL;
    if (!text) {
        output_error("the net '%s' can't be read: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    errno = 0;
    *size = fread(text, 1, MOST_JSON_BYTES + 1, file);
    int failed = ferror(file);
    if (failed || *size > MOST_JSON_BYTES) {
        output_error("the net '%s' can't be read: %s", path, failed ? strerror(errno) : "it is larger than 16 MiB");
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

cnn_status net_create_graph(cnn_context *context, const net_arguments *net, cnn_graph **graph)
{
    cnn_status status;
    if (net_is_file(net->name)) {
        size_t size;
        char *text = read_text(net->name, &size);
        if (!text)
            return CNN_ERROR_IO;
        status = cnn_graph_from_json(context, text, size, graph);
        free(text);
        if (status)
            output_error("the net '%s' can't be used: %s", net->name, cnn_last_error());
        return status;
    }
    cnn_net_options options;
    cnn_net_options_init(&options);
    options.size = (uint32_t)net->size;
    options.batch_norm = (uint32_t)net->batch_norm;
    if (net->outputs)
        options.outputs = net->outputs;
    if (net->width > 0)
        options.width = (float)net->width;
    if (net->dropout >= 0)
        options.dropout = (float)net->dropout;
    status = cnn_graph_create_net(context, net->name, &options, graph);
    if (status == CNN_ERROR_SHAPE && net->size)
        output_error("--size %llu doesn't suit %s: %s", (unsigned long long)net->size, net->name, cnn_last_error());
    else if (status)
        output_library_error();
    return status;
}
