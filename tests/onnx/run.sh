#!/bin/sh
# Compares with onnxruntime, by pytest; skipped (77) where Python has none of them.
# Usage: CNN_ONNX_TOOL=PROGRAM sh tests/onnx/run.sh [ARGUMENT OF PYTEST...]
. "$(dirname "$0")/../python.sh"
need_modules pytest numpy onnx onnxruntime
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -p no:cacheprovider "$@"
