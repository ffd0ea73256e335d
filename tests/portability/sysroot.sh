#!/bin/sh
# Unpacks what the build needs of another architecture's Debian packages into a folder, for a cross compiler. The system's
# own packages, and its settings for apt, stay as they are.
# Usage: sysroot.sh ARCHITECTURE FOLDER [--quick]
#   ARCHITECTURE  as Debian calls it: s390x, arm64, ...
#   --quick       what the library needs, without what catdog does
set -eu
architecture=$1
folder=$2
packages="libc6-dev libjpeg62-turbo-dev libpng-dev libjansson-dev libarchive-dev libprotobuf-c-dev libcmocka-dev"
[ "${3:-}" = --quick ] || packages="$packages libmicrohttpd-dev libcairo2-dev libpango1.0-dev"
complete=$folder/complete${3:-}
[ ! -e "$complete" ] && [ ! -e "$folder/complete" ] || exit 0

mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial" "$folder/root"
echo "deb ${CNN_DEBIAN:-http://deb.debian.org/debian} bookworm main" >"$folder/apt/sources.list"
: >"$folder/apt/status"
cat >"$folder/apt/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Dir::State "$folder/apt";
Dir::State::status "$folder/apt/status";
Dir::Cache "$folder/apt";
Dir::Etc::sourcelist "$folder/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
END
export APT_CONFIG="$folder/apt/apt.conf"
apt-get -qq update
# shellcheck disable=SC2086  # one word a package
apt-get -qq install --download-only --no-install-recommends $packages
for package in "$folder"/apt/archives/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
# what is linked by absolute names is meant from the root
find "$folder/root" -type l -lname '/*' | while read -r link; do
    ln -sfn "$folder/root$(readlink "$link")" "$link"
done
rm -r "$folder/apt"
touch "$complete"
