/* Parameters of a header: what follows the first semicolon in `form-data; name=photo; filename="cat.jpg"`. */
#ifndef CATDOG_SERVE_PARAMETERS_H
#define CATDOG_SERVE_PARAMETERS_H

/* Copies a parameter's value to `found`, which holds as many bytes as `header` with its end. Names are compared
 * whatever their letters' case; values may be quoted or not. Gives 1, or 0 if there is none of that name. */
int parameters_find(const char *header, const char *name, char *found);

/* Decodes a value such as UTF-8''caf%C3%A9.jpg (RFC 8187) where it stands. 0: it isn't written so. */
int parameters_decode_extended(char *value);

/* Decodes, where it stands, a quoted value that a browser wrote: it has %22 for ", and %0A, %0D for line ends. */
void parameters_decode_quoted(char *value);

#endif
