#!/bin/sh
# Compiles the kernels and their check for AArch64, and runs the check under qemu-user as processors that have more and
# fewer of NEON's tiers. Skips (77) where there is no cross compiler; without qemu-user it compiles only.
# Usage: check_aarch64.sh SOURCE_ROOT FAMILY {set NAME FLAG... SOURCE...}...   FAMILY: int8, ..., or all
# Debian's packages: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
set -eu
root=$1
family=${2#all}
shift 2
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}
command -v "${compiler%% *}" >/dev/null || exit 77
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compile() { # NAME SOURCE FLAG...: adds a line to the list of what is to be compiled
    name=$1
    source=$2
    shift 2
    echo "$* -c $source -o $scratch/$name.$(basename "$source" .c).o" >>"$scratch/list"
}

# The sets: what the build of lib/kernels would compile for this architecture.
while [ $# -gt 0 ]; do
    set=$2
    flags=
    shift 2
    while [ $# -gt 0 ] && [ "$1" != set ]; do
        case $1 in
        -*) flags="$flags $1" ;;
        *) compile "$set" "$1" "$flags" "-DCNN_ISA=$set" ;;
        esac
        shift
    done
done
for source in "$root"/lib/core/*.c "$root"/lib/simd/*.c "$root"/lib/kernels/*.c "$root"/lib/kernels/*/*.c \
    "$root"/tests/kernels/*.c "$root"/tests/kernels/*/*.c "$root"/examples/catdog/bench/peak_flops.c; do
    case $source in
    *_ukernel.c) ;;
    *) compile common "$source" ;;
    esac
done

# shellcheck disable=SC2086  # the compiler may be two words, with ccache
xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 $compiler -std=c11 -O2 -Wall -Wextra -Wno-missing-field-initializers -Werror \
    -ffp-contract=off -fno-math-errno -D_POSIX_C_SOURCE=200809L -DCNN_EXPERIMENTAL -I"$root/include" -I"$root/lib" \
    -I"$root/examples/catdog" -I"$root/tests/kernels" <"$scratch/list"
$compiler -static -pthread "$scratch"/*.o -lm -o "$scratch/check_kernels"

emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
[ -n "$emulator" ] || exit 0
for processor in cortex-a53 neoverse-n1 max; do # NEON alone; with dot products; with all that qemu knows
    echo "$processor:"
    "$emulator" -cpu "$processor" "$scratch/check_kernels" --best ${family:+"$family"}
done
