#!/bin/sh
# Runs the tests of the Python binding with pytest; skipped (77) where Python has no pytest or NumPy.
# Usage: CNN_LIBRARY=LIBCNN.SO sh tests/python/run.sh [ARGUMENT OF PYTEST...]
python=${CNN_TEST_PYTHON:-python3}
"$python" -c 'import pytest, numpy' 2>/dev/null || { echo "skipped: $python has no pytest or no NumPy"; exit 77; }
if grep -q -e __asan_init -e __tsan_init "$CNN_LIBRARY" 2>/dev/null; then
    echo "skipped: Python can't load a library with sanitizers"
    exit 77
fi
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -rs -p no:cacheprovider "$@"
