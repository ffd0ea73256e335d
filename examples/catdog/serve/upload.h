/* From the body of a request to its photographs: a form with files (multipart/form-data), or the bytes of one image. */
#ifndef CATDOG_SERVE_UPLOAD_H
#define CATDOG_SERVE_UPLOAD_H

#include <microhttpd.h>

#include "serve/limits.h"
#include "serve/multipart.h"
#include "serve/photographs.h"

/* Why a request isn't served; code 0: it is. */
typedef struct refusal {
    unsigned code;
    char sentence[200];
} refusal;

void refuse(refusal *why, unsigned code, const char *format, ...) __attribute__((format(printf, 3, 4)));

typedef struct upload {
    const serve_limits *limits;
    const cnn_preprocess *input; /* what the photographs are for */
    photographs *photographs;
    refusal *refusal;
    multipart *form;     /* NULL: the body is one image */
    photograph *current; /* file of the form; NULL: a field that is none */
    int may_be_nothing;  /* a file without a name: it counts if there is something in it */
    int received;        /* anything */
} upload;

/* Looks at the head of a request. What is refused, here or later, is in `*why`; the rest of the body is dropped. */
void upload_begin(upload *u, struct MHD_Connection *connection, const serve_limits *limits, const cnn_preprocess *input,
                  photographs *all, refusal *why);
/* To be called until something is refused. */
void upload_receive(upload *u, const char *data, size_t size);

/* The whole body is there. Photographs whose head shows that they can't be classified are refused, each with its
 * reason. Gives the number of the others. */
size_t upload_end(upload *u);

void upload_release(upload *u);

#endif
