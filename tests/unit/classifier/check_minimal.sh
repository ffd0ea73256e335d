#!/bin/sh
# The programs of examples/minimal work: one trains and saves, one predicts, one in C++ does both.
# Usage: check_minimal.sh SAMPLE GRAPH PREDICT [CLASSIFY]
set -eu
sample=$1 graph=$2 predict=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "no image" >"$folder/broken.jpg"
"$graph" "$sample" "$folder/pets.safetensors" >"$folder/training"
grep -q "^epoch 3: loss 0\." "$folder/training"
"$predict" "$folder/pets.safetensors" "$sample/test/cats/cat.10000.jpg" "$folder/broken.jpg" >"$folder/predictions"
grep -Eq "/cat\.10000\.jpg: (cats|dogs) [0-9.]+ %$" "$folder/predictions"
grep -q "/broken\.jpg: .*text" "$folder/predictions"
if "$predict" "$folder/broken.jpg" "$folder/broken.jpg" 2>"$folder/error"; then
    exit 1
fi
grep -q "broken\.jpg: is no safetensors file" "$folder/error"

if [ $# -gt 3 ]; then
    classify=$(realpath "$4")
    (cd "$folder" && "$classify" "$sample" "$sample/test/cats/cat.10000.jpg" >classified)
    grep -q "^epoch 3: loss 0\." "$folder/classified"
    grep -Eq "^(cats|dogs) [0-9.]+ %$" "$folder/classified"
fi
