#!/bin/sh
# Runs the tests of the benchmark's scripts with pytest; skipped (77) where Python has none.
# Usage: CNN_BUILD=FOLDER sh tests/bench/run.sh [ARGUMENT OF PYTEST...]
. "$(dirname "$0")/../python.sh"
need_modules pytest
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -p no:cacheprovider "$@"
