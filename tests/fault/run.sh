#!/bin/sh
# Runs run.py with a Python that has Pillow; skipped (77) where there is none.
. "$(dirname "$0")/../python.sh"
need_modules PIL
exec "$python" "$(dirname "$0")/run.py" "$@"
