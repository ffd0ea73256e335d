#!/bin/sh
# Compares with onnxruntime, by pytest; skipped (77) where Python has none of them.
# Usage: CNN_ONNX_TOOL=PROGRAM sh tests/onnx/run.sh [ARGUMENT OF PYTEST...]
python=${CNN_TEST_PYTHON:-python3}
"$python" -c 'import pytest, numpy, onnx, onnxruntime' 2>/dev/null ||
    { echo "skipped: $python lacks pytest, numpy, onnx or onnxruntime"; exit 77; }
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
[ $# -gt 0 ] || set -- "$(dirname "$0")"
exec "$python" -m pytest -q -p no:cacheprovider "$@"
