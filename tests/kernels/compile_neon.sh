#!/bin/sh
# Compiles the kernels for AArch64, whose NEON variant machines with other processors never build.
# Usage: compile_neon.sh SOURCE_ROOT. Skips (77) where there is no cross compiler.
set -eu
cd "$1"
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}
command -v "$compiler" >/dev/null || exit 77
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for source in lib/kernels/*.c lib/kernels/*/*.c; do
    "$compiler" -std=c11 -O1 -Wall -Wextra -Werror -ffp-contract=off -D_POSIX_C_SOURCE=200809L \
        -DCNN_ISA=neon -DCNN_VECTOR_NEON -Iinclude -Ilib -c "$source" -o "$objects/$(basename "$source").o"
done
