#!/bin/sh
# To be read by scripts: an apt whose lists, packages and settings lie in a folder; the system's stay as they are.

use_own_apt() { # FOLDER KIND [SETTING...]   KIND: deb or deb-src
    apt=$1/apt
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    echo "$2 ${CNN_DEBIAN:-http://deb.debian.org/debian} bookworm main" >"$apt/sources.list"
    : >"$apt/status"
    shift 2
    printf '%s\n' "$@" >"$apt/apt.conf"
    cat >>"$apt/apt.conf" <<END
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
END
    export APT_CONFIG="$apt/apt.conf"
    apt-get -qq update
}
