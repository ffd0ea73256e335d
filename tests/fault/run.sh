#!/bin/sh
# Runs run.py with a Python that has Pillow; skipped (77) where there is none.
exec "${CNN_TEST_PYTHON:-python3}" "$(dirname "$0")/run.py" "$@"
