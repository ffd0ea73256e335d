#!/bin/sh
# Fuzzes every target with libFuzzer under the address and undefined behaviour sanitizers, beginning with the corpus in
# the repository; needs clang. Inputs that fail are kept, named, and told; the exit status is 1 then.
# Usage: sh tests/fuzz/run.sh [--minutes N] [--target NAME] [--build FOLDER]
#   --minutes N      for all targets together, on all processors (1)
#   --target NAME    this one alone: image, zip, onnx, ...
#   --build FOLDER   where to build and to keep what is found (build-fuzz)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build="build-fuzz"
minutes=1
only=
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || { echo "run.sh: $1 has no value" >&2; exit 2; }
    case $1 in
    --minutes) minutes=$2 ;;
    --target) only=$2 ;;
    --build) build=$2 ;;
    *) echo "run.sh: there is no option $1" >&2; exit 2 ;;
    esac
    shift 2
done
mkdir -p "$build"
if [ ! -f "$build/build.ninja" ]; then
    CC=${CC:-clang} CXX=${CXX:-clang++} meson setup "$build" "$here/../.." -Dfuzzers=true -Dbuildtype=debugoptimized \
        -Db_ndebug=false -Ddefault_library=static -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fsanitize=fuzzer-no-link >"$build/setup.log" 2>&1 || { cat "$build/setup.log"; exit 1; }
fi
targets=$(cd "$here/corpus" && echo *)
[ -z "$only" ] || targets=$only
names=
for target in $targets; do
    names="$names tests/fuzz/fuzz_$target"
done
# shellcheck disable=SC2086  # one word a target
ninja -C "$build" $names >"$build/build.log" 2>&1 || { grep -E 'error|FAILED' "$build/build.log"; exit 1; }

# shellcheck disable=SC2086
count=$(echo $targets | wc -w)
seconds=$(awk -v minutes="$minutes" -v count="$count" -v processors="$(nproc)" \
    'BEGIN { s = int(minutes * 60 * processors / count); print s < 1 ? 1 : s }')
printf 'seconds for each of %s targets: %s; seed %s\n' "$count" "$seconds" "${CNN_FUZZ_SEED:=$(date +%s)}"
mkdir -p "$build/found"

fuzz() { # TARGET
    mkdir -p "$build/corpus/$1"
    dictionary=$here/dictionaries/$1.dict
    status=0
    "$build/tests/fuzz/fuzz_$1" "$build/corpus/$1" "$here/corpus/$1" -max_total_time="$seconds" -seed="$CNN_FUZZ_SEED" \
        -rss_limit_mb=1024 -timeout=10 -max_len=65536 -print_final_stats=1 -artifact_prefix="$build/found/$1-" \
        ${dictionary:+-dict="$dictionary"} >"$build/found/$1.log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/found/$1.log" | tail -n 1)
    if [ $status -eq 0 ]; then
        echo "$1: $runs runs, nothing found"
    else
        echo "$1: ${runs:-0} runs, FAILED, status $status: $(grep -m 1 -E 'ERROR|runtime error|fuzz target:' "$build/found/$1.log")"
        grep -E 'Test unit written to' "$build/found/$1.log" || true
        echo "$1" >>"$build/found/failed"
    fi
}

rm -f "$build/found/failed" "$build/found/"*.log
running=0
for target in $targets; do
    fuzz "$target" &
    running=$((running + 1))
    if [ $running -eq "$(nproc)" ]; then
        wait
        running=0
    fi
done
wait
awk '/^stat::number_of_executed_units/ { sum += $2 } END { printf "%.0f runs in all\n", sum }' "$build/found/"*.log
[ ! -f "$build/found/failed" ]
