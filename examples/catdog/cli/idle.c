#include "cli/idle.h"

#include <stdio.h>
#include <string.h>

/* Why the last layer alone is trained; NULL: more is. */
static const char *find_frozen(const train_arguments *a)
{
    const transfer_arguments *t = &a->transfer;
    static char text[100];
    if (!t->from)
        return NULL;
    if (t->head == TRANSFER_LINEAR)
        return "with --head linear";
    if (t->freeze && !strcmp(t->freeze, "all"))
        return "with --freeze all";
    if (t->unfreeze_at <= a->epochs)
        return NULL;
    snprintf(text, sizeof text, "with --epochs %llu, which end before --unfreeze-at %llu",
             (unsigned long long)a->epochs, (unsigned long long)t->unfreeze_at);
    return text;
}

static int refuse_beside_from(const catdog_command *command, const train_arguments *a)
{
    static const char net[] = "with --from: the net is that of the model it names";
    static const char no_from[] = "without --from FILE";
    const int from = a->transfer.from != NULL;
    return arguments_refuse_idle(command, (const idle_option[]){
                                              { "net", from, net },
                                              { "width", from, net },
                                              { "batch-norm", from, net },
                                              { "dropout", from, net },
                                              { "recipe", from, "with --from: recipes are for training from scratch" },
                                              { "head", !from, no_from },
                                              { "freeze", !from, no_from },
                                              { "unfreeze-at", !from, no_from },
                                              { "body-rate", !from, no_from },
                                              { 0 },
                                          });
}

/* The last layer learns from values that are computed once, of photographs as they are, in moments. */
static int refuse_beside_frozen(const catdog_command *command, const train_arguments *a)
{
    const char *frozen = find_frozen(a);
    char why[200], photographs[200];
    if (!frozen)
        return EXIT_DONE;
    const int for_ever = strncmp(frozen, "with --epochs", strlen("with --epochs")) != 0;
    const int changes = a->augment && *a->augment && strcmp(a->augment, "none") != 0;
    snprintf(why, sizeof why, "%s: no other layer learns", frozen);
    snprintf(photographs, sizeof photographs, "%s: the last layer learns alone, from values computed once", frozen);
    return arguments_refuse_idle(command, (const idle_option[]){
                                              { "freeze", strcmp(frozen, "with --freeze all") != 0, why },
                                              { "unfreeze-at", for_ever, why },
                                              { "body-rate", 1, why },
                                              { "progressive", 1, photographs },
                                              { "augment", changes, photographs },
                                              { "mixup", a->mixup > 0, photographs },
                                              { "cutmix", a->cutmix > 0, photographs },
                                              { "cache", a->cache > 0, photographs },
                                              { "checkpoint", 1, photographs },
                                              { "resume", 1, photographs },
                                              { 0 },
                                          });
}

int idle_check_train(const catdog_command *command, const train_arguments *a)
{
    int wrong = refuse_beside_from(command, a);
    return wrong ? wrong : refuse_beside_frozen(command, a);
}

int idle_check_summary(const catdog_command *command, int shows_model)
{
    static const char why[] = "with --model: its net is as it was trained";
    return arguments_refuse_idle(command, (const idle_option[]){
                                              { "size", shows_model, why },
                                              { "width", shows_model, why },
                                              { "batch-norm", shows_model, why },
                                              { "dropout", shows_model, why },
                                              { 0 },
                                          });
}

int idle_check_check(const catdog_command *command, int has_model)
{
    static const char why[] = "without --model FILE";
    return arguments_refuse_idle(command, (const idle_option[]){
                                              { "flip", !has_model, why },
                                              { "size", !has_model, why },
                                              { 0 },
                                          });
}

int idle_check_bench(const catdog_command *command, int measures_net, int measures_loader)
{
    static const char no_net[] = "with a --part that is no net", no_loader[] = "with a --part that is not the loader";
    return arguments_refuse_idle(command, (const idle_option[]){
                                              { "net", !measures_net && !measures_loader, no_net },
                                              { "size", !measures_net && !measures_loader, no_net },
                                              { "width", !measures_net, no_net },
                                              { "batch-norm", !measures_net, no_net },
                                              { "dropout", !measures_net, no_net },
                                              { "batch", !measures_net, no_net },
                                              { "precision", !measures_net, no_net },
                                              { "data", !measures_loader, no_loader },
                                              { 0 },
                                          });
}

int idle_check_threshold(const catdog_command *command, const cnn_classifier *classifier)
{
    const int many = cnn_classifier_class_name(classifier, 2) != NULL;
    return arguments_refuse_idle(
        command, (const idle_option[]){
                     { "threshold", many, "with a model of more than two classes: the likeliest is chosen" },
                     { 0 },
                 });
}
