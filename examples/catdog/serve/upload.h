/* Turns a request's body into photographs: a form with files (multipart/form-data), or the bytes of one image. */
#ifndef CATDOG_SERVE_UPLOAD_H
#define CATDOG_SERVE_UPLOAD_H

#include <microhttpd.h>

#include "serve/limits.h"
#include "serve/multipart.h"
#include "serve/photographs.h"

/* Why a request is refused; code 0: it is not. */
typedef struct refusal {
    unsigned code;
    char sentence[200];
} refusal;

void refuse(refusal *why, unsigned code, const char *format, ...) __attribute__((format(printf, 3, 4)));

typedef struct upload {
    const serve_limits *limits;
    const cnn_preprocess *input; /* the net's input */
    photographs *photographs;
    refusal *refusal;
    multipart *form;     /* NULL: the body is one image */
    photograph *current; /* file of the form; NULL: a field that is none */
    int may_be_nothing;  /* a file without a name, which counts if it has content */
    int received;        /* anything */
} upload;

/* Reads a request's header. A refusal, now or later, is stored in `*why`; the rest of the body is then dropped. */
void upload_begin(upload *u, struct MHD_Connection *connection, const serve_limits *limits, const cnn_preprocess *input,
                  photographs *all, refusal *why);
/* Not to be called after a refusal. */
void upload_receive(upload *u, const char *data, size_t size);

/* To be called after the whole body. Refuses photographs whose headers show that they can't be classified, each with
 * its reason. Returns the number of the others. */
size_t upload_end(upload *u);

void upload_release(upload *u);

#endif
