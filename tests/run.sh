#!/bin/sh
# All tests, from a fresh clone on a fresh Debian 12, as root or with sudo.
# Usage: sh tests/run.sh [STAGE...]   stages: format release clang sanitize threads fuzz tidy install quickstart
#   portability; default: all but the last
#
# With CNN_TEST_DATA set to a folder of photographs as docs/results.md describes it, tests on real photographs run too;
# with CNN_TEST_WEIGHTS set to a folder that holds efficientnet-lite0.onnx, tests on real weights.
set -eu
cd "$(dirname "$0")/.."
stages=${*:-format release clang sanitize threads fuzz tidy install quickstart}
build=${CNN_TEST_BUILD:-build-tests}
mkdir -p "$build"
passed=0
failed=0
skipped=0
failures=

say() { printf '\n== %s\n' "$*"; }

count() { # adds the totals of a meson test log
    value() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$2" | tail -n 1; }
    ok=$(value Ok "$1")
    bad=$(value Fail "$1")
    late=$(value Timeout "$1")
    skip=$(value Skipped "$1")
    passed=$((passed + ${ok:-0}))
    failed=$((failed + ${bad:-0} + ${late:-0}))
    skipped=$((skipped + ${skip:-0}))
}

verdict() { # STATUS NAME
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        failures="$failures $2"
        echo "FAILED: $2"
    fi
}

configure() { # FOLDER [OPTION...]
    folder=$build/$1
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        meson setup "$folder" -Dwerror=true -Db_ndebug=false "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; return 1; }
    fi
}

compile() { # FOLDER [OPTION...]
    configure "$@" || return 1
    folder=$build/$1
    ninja -C "$folder" >"$folder.log" 2>&1 || { grep -vE '^\[[0-9]+/' "$folder.log"; return 1; }
}

run_tests() { # NAME FOLDER [OPTION OF meson test...]
    name=$1
    folder=$build/$2
    shift 2
    status=0
    meson test -C "$folder" --print-errorlogs "$@" >"$folder.tests" 2>&1 || status=$?
    cat "$folder.tests"
    count "$folder.tests"
    [ $status -eq 0 ] || failures="$failures $name"
}

stage_format() {
    files=$(git ls-files '*.c' '*.h' '*.cpp' '*.hpp')
    status=0
    # shellcheck disable=SC2086  # one word a file
    clang-format --dry-run -Werror $files >"$build/format.log" 2>&1 || { status=1; head -n 40 "$build/format.log"; }
    shellcheck tests/*.sh tests/docs/*.sh tests/fuzz/*.sh tests/kernels/*.sh tests/portability/*.sh examples/*.sh packaging/*.sh || status=1
    verdict $status format
}

stage_release() {
    if CC=gcc compile release; then run_tests release release --no-suite subset; else verdict 1 "release build"; fi
}

stage_clang() {
    if CC=clang CXX=clang++ compile clang; then
        run_tests clang clang --no-suite cli --no-suite python --no-suite long # which run with gcc's library, twice
    else
        verdict 1 "clang build"
    fi
}

stage_sanitize() {
    if CC=gcc compile sanitize -Db_sanitize=address,undefined -Doptimization=1 -Ddebug=true -Ddefault_library=static \
        -Db_lundef=false; then
        ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$(pwd)/tests/leaks.supp:print_suppressions=0 \
            UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
            run_tests sanitize sanitize --no-suite subset --timeout-multiplier 4
    else
        verdict 1 "sanitizer build"
    fi
}

stage_threads() { # which builds what its tests need, as others have compiled the rest
    if CC=gcc configure threads -Db_sanitize=thread -Doptimization=1 -Ddebug=true -Ddefault_library=static -Db_lundef=false; then
        TSAN_OPTIONS=halt_on_error=1:suppressions=$(pwd)/tests/threads.supp \
            run_tests threads threads --suite threads --timeout-multiplier 8
    else
        verdict 1 "thread sanitizer build"
    fi
}

stage_fuzz() { # a minute; sh tests/fuzz/run.sh --minutes N fuzzes for longer
    status=0
    sh tests/fuzz/run.sh --minutes 1 --build "$build/fuzz" || status=1
    verdict $status fuzz
}

stage_tidy() {
    CC=clang compile clang || { verdict 1 "clang build"; return; }
    status=0
    # the analyser follows a third of the usual number of paths, where a function has so many: it takes all the time
    git ls-files 'lib/*.c' 'examples/*.c' | xargs -P "$(nproc)" -n 1 clang-tidy -quiet -p "$build/clang" \
        --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=75000 \
        >"$build/tidy.log" 2>"$build/tidy.errors" || status=1
    [ $status -eq 0 ] || grep -E 'warning:|error:' "$build/tidy.log" | sort -u | head -n 40
    verdict $status tidy
}

stage_install() {
    CC=gcc compile release || { verdict 1 "release build"; return; }
    status=0
    sh tests/abi/install.sh "$build/release" || status=1
    verdict $status install
}

stage_quickstart() {
    status=0
    sh examples/quickstart.sh "$build/quickstart" || status=1
    verdict $status quickstart
}

stage_portability() { # another processor in turn; sh tests/portability/run.sh --all builds for all of them
    set -- s390x i386 armhf aarch64
    shift $(($(git rev-list --count HEAD) % 4))
    # shellcheck disable=SC2046  # one word a package
    sh examples/install-packages.sh $(sh tests/portability/run.sh --packages "$1")
    status=0
    CNN_PORTABILITY=$build/portability sh tests/portability/run.sh --quick "$1" || status=$?
    if [ $status -eq 77 ]; then skipped=$((skipped + 1)); else verdict $status "portability: $1"; fi
}

say "Installing what the tests need"
sh examples/install-packages.sh gcc g++ libc6-dev meson ninja-build pkg-config libjpeg62-turbo-dev libpng-dev \
    libjansson-dev libarchive-dev libprotobuf-c-dev protobuf-c-compiler libmicrohttpd-dev libcairo2-dev libpango1.0-dev libcmocka-dev clang clang-format \
    chromium chromium-driver curl nginx-light \
    clang-tidy libclang-rt-14-dev shellcheck doxygen mandoc git zip gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static python3 python3-venv binutils
if [ -z "${CNN_TEST_PYTHON:-}" ]; then
    python=$build/python
    # installs nothing where all is there, and then needs no network
    [ -x "$python/bin/python" ] || python3 -m venv "$python"
    "$python/bin/pip" install -q -r tests/requirements.txt
    CNN_TEST_PYTHON=$(pwd)/$python/bin/python
    export CNN_TEST_PYTHON
fi

for stage in $stages; do
    say "$stage"
    "stage_$stage"
done

say "Result"
[ -z "$failures" ] || echo "failed:$failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ -z "$failures" ]
