# shellcheck shell=sh
# The Python that runs tests: CNN_TEST_PYTHON, or else python3. Sourced by the run.sh of each folder of Python tests.
python=${CNN_TEST_PYTHON:-python3}
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

need_modules() { # MODULE...: skips the test (exit status 77) if Python lacks one
    for module in "$@"; do
        "$python" -c "import $module" 2>/dev/null && continue
        echo "skipped: $python has no module $module. Run '$python -m pip install -r tests/requirements.txt', or set" \
            "CNN_TEST_PYTHON to a Python that has these packages (CONTRIBUTING.md)"
        exit 77
    done
}
