/* Setting the class of an image. */
#include "data/layout_internal.h"
#include "data/utf8.h"

const char *cnn_layout_make_label(cnn_source *source, const char *name, size_t length)
{
    size_t room = 2 * length + 1;
    char *label = cnn_source_text(source, room);
    if (label)
        cnn_to_utf8(name, length, label);
    return label;
}

void cnn_layout_set_label(cnn_layout_finder *f, size_t image, const char *label, cnn_role role)
{
    f->layout->labels[image] = label;
    f->layout->roles[image] = (unsigned char)role;
    f->layout->labelled[role]++;
}
