#!/bin/sh
# Unpacks what the build needs of another architecture's Debian packages into a folder, for a cross compiler. The system's
# own packages, and its settings for apt, stay as they are.
# Usage: sysroot.sh ARCHITECTURE FOLDER [--quick]
#   ARCHITECTURE  as Debian calls it: s390x, arm64, ...
#   --quick       what the library needs, without what catdog does
set -eu
# shellcheck source=tests/portability/own_apt.sh
. "$(dirname "$0")/own_apt.sh"
architecture=$1
folder=$2
packages="libc6-dev libjpeg62-turbo-dev libpng-dev libjansson-dev libarchive-dev libprotobuf-c-dev libcmocka-dev"
[ "${3:-}" = --quick ] || packages="$packages libmicrohttpd-dev libcairo2-dev libpango1.0-dev"
complete=$folder/complete${3:-}
[ ! -e "$complete" ] && [ ! -e "$folder/complete" ] || exit 0

mkdir -p "$folder/sysroot"
use_own_apt "$folder" deb "APT::Architecture \"$architecture\";" "APT::Architectures { \"$architecture\"; };"
# shellcheck disable=SC2086  # one word a package
apt-get -qq install --download-only --no-install-recommends $packages
for package in "$folder"/apt/archives/*.deb; do
    dpkg-deb -x "$package" "$folder/sysroot"
done
# what is linked by absolute names is meant from the root
find "$folder/sysroot" -type l -lname '/*' | while read -r link; do
    ln -sfn "$folder/sysroot$(readlink "$link")" "$link"
done
rm -r "$folder/apt"
touch "$complete"
