#!/bin/sh
# Makes the API reference, in which Doxygen finds nothing to warn of, and looks whether the headers' comments are in it.
# Usage: sh tests/docs/reference.sh DOXYGEN DOXYFILE FOLDER
set -eu
"$1" "$2"
grep -q 'Makes an optimizer for one model' "$3/html/optimizer_8h.html"             # before a function
grep -q 'decay is added to the gradient' "$3/html/optimizer_8h.html"               # behind an enum's value
grep -q 'scaled so that the norm of all' "$3/html/structcnn__optimizer__options.html" # behind a struct's field
grep -q 'The simple way' "$3/html/index.html"
