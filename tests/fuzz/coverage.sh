#!/bin/sh
# Prints how many lines of the readers of strangers' files the fuzz targets reach: replaying the corpus in the repository
# as the tests do; with what fuzzing has found beside it; and with the tests that make allocations fail. Needs clang and
# llvm.
# Usage: sh tests/fuzz/coverage.sh [--corpus FOLDER] [--build FOLDER] [--missed]
#   --corpus FOLDER  inputs by target that run.sh has found (build-fuzz/corpus, if it is there)
#   --build FOLDER   where to build (build-coverage)
#   --missed         list the lines that none of it reaches, too
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build="build-coverage"
grown=
[ ! -d build-fuzz/corpus ] || grown="build-fuzz/corpus"
missed=
while [ $# -gt 0 ]; do
    case $1 in
    --missed) missed=1; shift; continue ;;
    esac
    [ $# -gt 1 ] || { echo "coverage.sh: $1 has no value" >&2; exit 2; }
    case $1 in
    --corpus) grown=$2 ;;
    --build) build=$2 ;;
    *) echo "coverage.sh: there is no option $1" >&2; exit 2 ;;
    esac
    shift 2
done
[ -z "$grown" ] || grown=$(cd "$grown" && pwd)
version=$(${CC:-clang} -dumpversion | cut -d. -f1)
tool() { # NAME: of clang's version, if there is one
    if command -v "$1-$version" >/dev/null; then echo "$1-$version"; else echo "$1"; fi
}
cov=$(tool llvm-cov)
profdata=$(tool llvm-profdata)

export LLVM_PROFILE_FILE=/dev/null
if [ ! -f "$build/build.ninja" ]; then
    mkdir -p "$build"
    flags='-fprofile-instr-generate -fcoverage-mapping'
    CC=${CC:-clang} CXX=${CXX:-clang++} meson setup "$build" "$root" -Dfuzzers=true -Dbuildtype=debugoptimized \
        -Db_ndebug=true -Ddefault_library=static -Db_lundef=false -Dc_args="$flags" -Dc_link_args="$flags" \
        -Dcpp_link_args="$flags" >"$build/setup.log" 2>&1 || { cat "$build/setup.log"; exit 1; }
fi
build=$(cd "$build" && pwd)
targets=$(cd "$here/corpus" && echo *)
objects=
for target in $targets; do
    objects="$objects tests/fuzz/fuzz_$target tests/fuzz/fuzz_${target}_replay"
done
faults=tests/fault/test_allocations
# shellcheck disable=SC2086  # one word an object
ninja -C "$build" $objects $faults >"$build/build.log" 2>&1 ||
    { grep -E 'error|FAILED' "$build/build.log"; exit 1; }

rm -rf "$build/profiles"
mkdir -p "$build/profiles/corpus" "$build/profiles/fuzzing" "$build/profiles/faults"

profiled() { # KIND NAME COMMAND...: its output, where it fails
    profile=$build/profiles/$1/$2.profraw
    log=$build/profiles/$1/$2.log
    shift 2
    LLVM_PROFILE_FILE=$profile "$@" >"$log" 2>&1 || { tail -n 5 "$log" >&2; echo "coverage.sh: $* has failed" >&2; exit 1; }
}

for target in $targets; do
    profiled corpus "$target" "$build/tests/fuzz/fuzz_${target}_replay" "$here/corpus/$target"
    [ -z "$grown" ] || [ ! -d "$grown/$target" ] ||
        profiled fuzzing "$target" "$build/tests/fuzz/fuzz_$target" -runs=0 -timeout=60 -rss_limit_mb=2048 "$grown/$target"
done
profiled faults library "$build/$faults"

merge() { # NAME KIND...
    name=$1
    shift
    # shellcheck disable=SC2046  # one word a file
    "$profdata" merge -sparse -o "$build/profiles/$name.profdata" $(for kind; do find "$build/profiles/$kind" -name "*.profraw"; done)
}

export_lines() { # NAME: how often each line was run, as lcov has it
    set -- "$1" "$build/$faults"
    for target in $targets; do
        set -- "$@" -object "$build/tests/fuzz/fuzz_$target"
    done
    name=$1
    shift
    "$cov" export "$@" -instr-profile="$build/profiles/$name.profdata" -format=lcov -ignore-filename-regex='pb-c' \
        >"$build/profiles/$name.lcov" 2>"$build/profiles/$name.log" || { cat "$build/profiles/$name.log"; exit 1; }
}

merge replayed corpus
merge fuzzed corpus fuzzing
merge faulted corpus fuzzing faults
for name in replayed fuzzed faulted; do
    export_lines $name
done

awk -v missed="$missed" '
    BEGIN { title = "%-14s %8s %10s %12s %14s\n"; printf title, "", "lines", "corpus", "and fuzzing", "and no memory" }
    FNR == 1 { column++ }
    /^SF:/ {
        path = substr($0, 4)
        sub(/.*\/lib\//, "lib/", path)
        folder = ""
        if (path ~ /^lib\/(io|formats|image)\//) { folder = path; sub(/^lib\//, "", folder); sub(/\/.*/, "", folder); folder = "lib/" folder }
        else if (path ~ /^lib\/data\/[^\/]*zip/) folder = "lib/data/*zip*"
        else if (path ~ /^lib\/data\/[^\/]*csv/) folder = "lib/data/*csv*"
    }
    /^DA:/ && folder != "" {
        split(substr($0, 4), line, ",")
        lines[folder, column]++
        reached[folder, column] += line[2] > 0
        if (missed && column == 3 && line[2] == 0) unreached[++count] = path ":" line[1]
        seen[folder] = 1
    }
    function share(folder, column) { return sprintf("%.1f %%", 100 * reached[folder, column] / lines[folder, column]) }
    END {
        for (folder in seen) printf title, folder, lines[folder, 1], share(folder, 1), share(folder, 2), share(folder, 3)
        for (i = 1; i <= count; i++) print unreached[i]
    }' "$build/profiles/replayed.lcov" "$build/profiles/fuzzed.lcov" "$build/profiles/faulted.lcov"
