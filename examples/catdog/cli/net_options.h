/* The options that choose a network: shared by the commands that make one. */
#ifndef CATDOG_CLI_NET_OPTIONS_H
#define CATDOG_CLI_NET_OPTIONS_H

#include <stdint.h>

#include <cnn/cnn.h>

#include "cli/arguments.h"

typedef struct net_arguments {
    const char *name; /* a net's name, or a JSON file; NULL: not given */
    uint64_t size;    /* 0: the net's own */
    int batch_norm;
    double dropout;   /* negative: the net's own */
    double width;     /* 0: the net's own */
    uint32_t outputs; /* not an option: how many logits; 0: one */
} net_arguments;

/* The names of the library's nets, ending in NULL; the same in a sentence. */
const char *const *net_names(void);
const char *net_help(void);

/* Entries of a command's table of options, for `net`, a net_arguments. */
#define NET_OPTIONS(net)                                                                                      \
    { "net", "NAME|FILE.json", net_help(), OPTION_TEXT, &(net).name, .choices = net_names() },                \
        { "size", "N", "height and width of the network's input", OPTION_WHOLE, &(net).size, 8, 4096 },       \
        { "width", "X", "filters and units times this (1)", OPTION_NUMBER, &(net).width, 0.05, 16 },          \
        { "batch-norm", NULL, "batch normalisation after each convolution", OPTION_FLAG, &(net).batch_norm }, \
    {                                                                                                         \
        "dropout", "X", "dropout before the last layer; 0: none", OPTION_NUMBER, &(net).dropout, 0, 0.99      \
    }

/* Whether that is the name of a file, not of a net. */
int net_is_file(const char *name);

/* Whether the arguments make sense together: EXIT_DONE, or EXIT_USAGE with a sentence printed. Reads no file. */
int net_check(const catdog_command *command, const net_arguments *net);

/* Makes the graph. CNN_OK, or an error whose sentence is printed. The caller owns the graph. */
cnn_status net_create_graph(cnn_context *context, const net_arguments *net, cnn_graph **graph);

#endif
