#!/bin/sh
# Runs the tests of the benchmark's scripts with pytest; skipped (77) where Python has none.
# Usage: CNN_BUILD=FOLDER sh tests/bench/run.sh [ARGUMENT OF PYTEST...]
python=${CNN_TEST_PYTHON:-python3}
"$python" -c 'import pytest' 2>/dev/null || { echo "skipped: $python has no pytest"; exit 77; }
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -p no:cacheprovider "$@"
