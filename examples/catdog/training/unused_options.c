#include "training/unused_options.h"

#include <stdio.h>
#include <string.h>

/* Why only the last layer is trained; NULL: other layers are, too. */
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

static int refuse_with_from(const catdog_command *command, const train_arguments *a)
{
    static const char net[] = "with --from: the net is that of the model";
    static const char no_from[] = "without --from FILE";
    const int from = a->transfer.from != NULL;
    return arguments_refuse_unused(command,
                                   (const unused_option[]){
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

/* The last layer alone is trained on features that are computed once, from photographs that aren't augmented. */
static int refuse_with_frozen(const catdog_command *command, const train_arguments *a)
{
    const char *frozen = find_frozen(a);
    char why[200], photographs[200];
    if (!frozen)
        return EXIT_DONE;
    const int always = strncmp(frozen, "with --epochs", strlen("with --epochs")) != 0;
    const int changes = a->augment && *a->augment && strcmp(a->augment, "none") != 0;
    snprintf(why, sizeof why, "%s: only the last layer is trained", frozen);
    snprintf(photographs, sizeof photographs, "%s: the last layer is trained on features that are computed once",
             frozen);
    return arguments_refuse_unused(command, (const unused_option[]){
                                                { "freeze", strcmp(frozen, "with --freeze all") != 0, why },
                                                { "unfreeze-at", always, why },
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

/* A size to grow from; one to grow to, such as that of 96:128, is used in the only epoch. */
static int refuse_with_one_epoch(const catdog_command *command, const train_arguments *a)
{
    static const char why[] = "with --epochs 1: images grow from epoch to epoch";
    const int grows_only = a->progressive && !strchr(a->progressive, ':');
    return arguments_refuse_unused(
        command, (const unused_option[]){ { "progressive", a->epochs == 1 && grows_only, why }, { 0 } });
}

int unused_options_check(const catdog_command *command, const train_arguments *a)
{
    int wrong = refuse_with_from(command, a);
    if (!wrong)
        wrong = refuse_with_frozen(command, a);
    return wrong ? wrong : refuse_with_one_epoch(command, a);
}
