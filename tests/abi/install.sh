#!/bin/sh
# Installs the library into a scratch folder, then compiles, links and runs programs against it as its users would:
# with pkg-config alone, in C and C++, shared and static. Also holds the stripped library to its size.
# Usage: sh tests/abi/install.sh BUILD_FOLDER
set -eu
build=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

meson install -C "$build" --destdir "$scratch" --no-rebuild >/dev/null
package=$(find "$scratch" -name cnn.pc)
library_folder=$(dirname "$(dirname "$package")")
export PKG_CONFIG_PATH="${package%/*}"
export PKG_CONFIG_SYSROOT_DIR="$scratch"
export LD_LIBRARY_PATH="$library_folder"

cat >"$scratch/program.c" <<'C'
#include <cnn/cnn.h>
#include <stdio.h>
int main(void)
{
    cnn_graph *graph;
    cnn_model *model;
    if (cnn_graph_create_net(NULL, "two_conv", NULL, &graph) || cnn_model_create(NULL, graph, 1, &model))
        return fprintf(stderr, "%s\n", cnn_last_error()), 1;
    printf("libcnn %s, %d parameter arrays\n", cnn_version(), (int)cnn_model_parameter_count(model));
    cnn_model_destroy(model);
    cnn_graph_destroy(graph);
    return 0;
}
C
cp "$scratch/program.c" "$scratch/program.cpp"

# shellcheck disable=SC2046  # pkg-config prints words
cc -Wall -Wextra -Werror "$scratch/program.c" -o "$scratch/shared" $(pkg-config --cflags --libs cnn)
"$scratch/shared"
# shellcheck disable=SC2046
c++ -Wall -Wextra -Werror "$scratch/program.cpp" -o "$scratch/shared_cpp" $(pkg-config --cflags --libs cnn)
"$scratch/shared_cpp"
printf '#include <cnn/cnn.hpp>\nint main() { return cnn_graph_node_count(cnn::graph("two_conv")) < 5; }\n' >"$scratch/wrapper.cpp"
# shellcheck disable=SC2046
c++ -std=c++17 -Wall -Wextra -Werror "$scratch/wrapper.cpp" -o "$scratch/wrapper" $(pkg-config --cflags --libs cnn)
"$scratch/wrapper"
# only libcnn itself is static: what it needs is named by its pkg-config file, and shared
# shellcheck disable=SC2046
cc "$scratch/program.c" -o "$scratch/static" $(pkg-config --cflags cnn) "$library_folder/libcnn.a" \
    $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs $(pkg-config --print-requires-private cnn | sed 's/ .*//')) -lm -pthread
LD_LIBRARY_PATH='' "$scratch/static"

real=$(readlink -f "$library_folder/libcnn.so")
soname=$(objdump -p "$real" | sed -n 's/ *SONAME *//p')
[ "$soname" = libcnn.so.1 ] || { echo "the soname is $soname, not libcnn.so.1"; exit 1; }
strip -o "$scratch/stripped" "$real"
bytes=$(stat -c %s "$scratch/stripped")
echo "libcnn.so, stripped: $bytes bytes"
[ "$bytes" -le 1900000 ] || { echo "libcnn.so is larger than 1.9 MB"; exit 1; }

version=$(sed -n "s/.*version: '\([0-9.]*\)'.*/\1/p" "$source/meson.build" | head -n 1)
[ "$(pkg-config --modversion cnn)" = "$version" ]
"$scratch/shared" | grep -q "libcnn $version,"
