#!/bin/sh
# From a fresh clone to a trained classifier: builds libcnn and catdog, trains a pretrained net on the sample photographs,
# measures it on other photographs, and classifies some.
# Usage: sh examples/quickstart.sh [FOLDER]   FOLDER: where to build; build-quickstart unless given
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-quickstart}
sample=examples/catdog/sample

say() { printf '\n== %s\n' "$*"; }

say "Installing what the build needs"
sh examples/install-packages.sh gcc libc6-dev meson ninja-build pkg-config libjpeg62-turbo-dev libpng-dev \
    libjansson-dev libarchive-dev libprotobuf-c-dev protobuf-c-compiler libcairo2-dev libpango1.0-dev libmicrohttpd-dev

say "Building"
[ -f "$build/build.ninja" ] || meson setup "$build" -Dtests=disabled >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
rm -f "$build.log"
ninja -C "$build" >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
catdog=$build/examples/catdog/catdog

say "Training the net that comes with catdog on 300 photographs"
"$catdog" train --data $sample --from shipped --head linear --model "$build/pets.safetensors"

say "Measuring it on 100 others"
"$catdog" eval --model "$build/pets.safetensors" --data $sample

say "Classifying six of them"
"$catdog" predict --model "$build/pets.safetensors" $sample/test/cats/cat.1000[012].jpg $sample/test/dogs/dog.1000[012].jpg

say "Done. To train on your own photographs, in a folder for each class:  $catdog train --data FOLDER --from shipped --model my.safetensors"
