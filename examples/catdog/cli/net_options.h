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

/* The names of the library's nets, ending in NULL; and the help of --net, which lists them. */
const char *const *net_names(void);
const char *net_help(void);

/* clang-format off */
/* Entries of a command's table of options, for `net`, a net_arguments; `chosen`: the default net, NULL if there is none. */
#define NET_OPTIONS(net, chosen) \
    { "net", "NAME|FILE.json", net_help(), OPTION_TEXT, &(net).name, .choices = net_names(), .initial = chosen }, \
    { "size", "N", "height and width of the net's input in pixels", \
      OPTION_WHOLE, &(net).size, 8, 4096, .initial = "the net's own" }, \
    { "width", "X", "factor for the number of filters and units of each layer", \
      OPTION_NUMBER, &(net).width, 0.05, 16, .initial = "1" }, \
    { "batch-norm", NULL, "add batch normalisation after each convolution", OPTION_FLAG, &(net).batch_norm }, \
    { "dropout", "X", "dropout rate before the last layer", \
      OPTION_NUMBER, &(net).dropout, 0, 0.99, .initial = "the net's own" }
/* clang-format on */

/* Whether that is the name of a file, not of a net. */
int net_is_file(const char *name);

/* Whether the arguments make sense together: EXIT_DONE, or EXIT_USAGE with a sentence printed. Reads no file. */
int net_check(const catdog_command *command, const net_arguments *net);

/* Makes the graph. CNN_OK, or an error whose sentence is printed. The caller owns the graph. */
cnn_status net_create_graph(cnn_context *context, const net_arguments *net, cnn_graph **graph);

#endif
