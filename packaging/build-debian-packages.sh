#!/bin/sh
# Builds Debian packages (libcnn1, libcnn-dev, catdog) of this source tree; nothing is left in it.
# Needs dpkg-dev and debhelper, and what packaging/debian/control lists; the tests run unless DEB_BUILD_OPTIONS=nocheck.
# Usage: sh packaging/build-debian-packages.sh [FOLDER]   FOLDER: where the packages go; . unless given
set -eu
mkdir -p "${1:-.}"
result=$(cd "${1:-.}" && pwd)
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/libcnn"
git ls-files -z | tar -c --null -T - | tar -x -C "$scratch/libcnn"
cp -R packaging/debian "$scratch/libcnn/debian"
(cd "$scratch/libcnn" && dpkg-buildpackage -us -uc -b)
cp "$scratch"/*.deb "$scratch"/*.changes "$scratch"/*.buildinfo "$result"
