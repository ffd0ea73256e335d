#!/bin/sh
# Runs the tests of the command line with pytest; skipped (77) where Python has no pytest or Pillow.
# Usage: CNN_CATDOG=PROGRAM sh tests/cli/run.sh [ARGUMENT OF PYTEST...]
. "$(dirname "$0")/../python.sh"
need_modules pytest PIL
[ $# -gt 0 ] || set -- "$(dirname "$0")"
# pytest-xdist, where it is there, runs files side by side
! "$python" -c 'import xdist' 2>/dev/null || set -- -n 2 --dist loadfile "$@"
exec "$python" -m pytest -q -p no:cacheprovider "$@"
