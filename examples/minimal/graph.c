/* Builds a network of its own, with a shortcut around a convolution; shows it, trains it, and saves it.
 *
 *     cc graph.c -o graph $(pkg-config --cflags --libs cnn)
 *     ./graph PetImages pets.safetensors */
#include <stdio.h>

#include <cnn/cnn.h>

/* 3×3 convolution, batch normalisation, ReLU */
static cnn_node block(cnn_graph *g, cnn_node x, int64_t filters)
{
    cnn_conv2d_options options = { .struct_size = sizeof options, .padding = CNN_PADDING_SAME, .no_bias = 1 };
    return cnn_relu(g, cnn_batch_norm(g, cnn_conv2d(g, x, filters, &options), NULL));
}

static void build(cnn_graph *g)
{
    cnn_node x = cnn_input(g, 48, 48, 3);
    x = cnn_max_pool2d(g, block(g, x, 16), NULL);
    x = cnn_max_pool2d(g, cnn_add(g, block(g, x, 16), x), NULL);
    x = cnn_global_avg_pool(g, block(g, x, 32));
    cnn_dense(g, x, 1, NULL); /* one logit tells two classes apart */
}

static int show(const cnn_model *model)
{
    char *summary;
    if (cnn_model_summary(model, &summary))
        return 1;
    fputs(summary, stdout);
    cnn_text_free(summary);
    return 0;
}

static int print_epoch(const cnn_epoch *epoch, void *user)
{
    (void)user;
    printf("epoch %u: loss %.3f, validation accuracy %.1f %%\n", epoch->epoch, epoch->loss,
           100 * epoch->validation_accuracy);
    return 0; /* anything else stops the training */
}

int main(int argc, char **argv)
{
    cnn_graph *g = NULL;
    cnn_classifier *pets = NULL;
    cnn_dataset *photos = NULL;
    cnn_train_options options;
    cnn_train_options_init(&options);
    options.epochs = 3;
    options.on_epoch = print_epoch;
    if (argc != 3)
        return fprintf(stderr, "usage: %s DATA MODEL\n", argv[0]), 2;
    int failed = cnn_graph_create(NULL, &g);
    if (!failed)
        build(g); /* an error sticks to the graph, and the next line reports it */
    failed = failed || cnn_classifier_create_from_graph(NULL, g, NULL, &pets) || show(cnn_classifier_model(pets)) ||
             cnn_dataset_open(NULL, argv[1], NULL, &photos) || cnn_classifier_fit(pets, photos, NULL, &options) ||
             cnn_classifier_save(pets, argv[2]);
    if (failed)
        fprintf(stderr, "%s\n", cnn_last_error());
    cnn_dataset_destroy(photos);
    cnn_classifier_destroy(pets);
    cnn_graph_destroy(g);
    return failed;
}
