#!/bin/sh
# Runs the tests of the Python binding with pytest; skipped (77) where Python has no pytest or NumPy.
# Usage: CNN_LIBRARY=LIBCNN.SO sh tests/python/run.sh [ARGUMENT OF PYTEST...]
. "$(dirname "$0")/../python.sh"
need_modules pytest numpy
if grep -q -e __asan_init -e __tsan_init "$CNN_LIBRARY" 2>/dev/null; then
    echo "skipped: Python can't load a library with sanitizers"
    exit 77
fi
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -rs -p no:cacheprovider "$@"
