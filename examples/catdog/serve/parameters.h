/* Parameters of a header field, as in `form-data; name=photo; filename="cat.jpg"`. */
#ifndef CATDOG_SERVE_PARAMETERS_H
#define CATDOG_SERVE_PARAMETERS_H

/* Copies a parameter's value, quoted or not, to `found`, which has room for all of `header`. Ignores the case of names.
 * Returns 1, or 0 if there is no such parameter. */
int parameters_find(const char *header, const char *name, char *found);

/* Decodes a value such as UTF-8''caf%C3%A9.jpg (RFC 8187) in place. Returns 0 if it has another form. */
int parameters_decode_extended(char *value);

/* Decodes a browser's quoted value in place: %22 stands for ", %0A and %0D for line ends. */
void parameters_decode_quoted(char *value);

#endif
