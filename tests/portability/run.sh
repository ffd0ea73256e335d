#!/bin/sh
# Builds the library and its tests for other processors, C libraries and ways to build, and runs the tests of the suite
# quick: under qemu-user where the processor is another one.
# Usage: sh tests/portability/run.sh [--quick] NAME... | --all | --list | --packages NAME
#   --quick     of a processor, only tests of files and sizes, which depend on the order of bytes and the size of an address
#   --list      prints the names
#   --packages  prints the Debian packages that a name needs beside those of tests/run.sh
# Environment: CNN_PORTABILITY  folder to build in; default: build-tests/portability
#              CNN_DEBIAN       a mirror of Debian, for packages of other processors; default: http://deb.debian.org/debian
# Ends with 77, after a sentence, where a compiler is missing or the mirror can't be reached.
set -eu
cd "$(dirname "$0")/../.."
scripts=$(pwd)/tests/portability
mkdir -p "${CNN_PORTABILITY:=build-tests/portability}"
work=$(cd "$CNN_PORTABILITY" && pwd)
names="s390x i386 armhf aarch64 musl clang lto static no-zip no-onnx no-web no-report bare"

list() {
    cat <<'END'
s390x      big-endian
i386       32 bits, SSE2
armhf      32 bits, Arm
aarch64    64 bits, Arm
musl       musl instead of glibc
clang      clang instead of gcc
lto        link-time optimisation
static     static libraries alone
no-zip     without libarchive
no-onnx    without protobuf-c
no-web     without libmicrohttpd
no-report  without cairo and Pango
bare       without all of these
END
}

triple() {
    case $1 in
    s390x | aarch64) echo "$1-linux-gnu" ;;
    i386) echo i686-linux-gnu ;;
    armhf) echo arm-linux-gnueabihf ;;
    esac
}

packages() {
    case $1 in
    s390x | i386 | armhf | aarch64) echo "gcc-$(triple "$1") qemu-user-static" ;;
    musl) echo "musl-tools cmake" ;;
    esac
}

skip() {
    echo "$*" >&2
    exit 77
}

# What runs a program of another processor, as a list for meson.
emulator() { # NAME SYSROOT
    case $1 in
    i386) # a 64-bit kernel runs it
        if [ "$(uname -m)" = x86_64 ]; then
            echo "'$2/lib/ld-linux.so.2', '--library-path', '$2/lib/i386-linux-gnu:$2/usr/lib/i386-linux-gnu'"
        else
            echo "'qemu-i386-static', '-L', '$2'"
        fi
        ;;
    armhf) echo "'qemu-arm-static', '-L', '$2'" ;;
    *) echo "'qemu-$1-static', '-L', '$2'" ;;
    esac
}

cross_file() { # NAME SYSROOT
    libraries=$2/usr/lib/$(triple "$1")
    family=$1
    endian=little
    case $1 in
    i386) libraries=$2/usr/lib/i386-linux-gnu family=x86 ;;
    armhf) family=arm ;;
    s390x) endian=big ;;
    esac
    ccache=
    ! command -v ccache >/dev/null || ccache="'ccache', "
    cat <<END
[binaries]
c = [$ccache'$(triple "$1")-gcc', '--sysroot=$2']
ar = '$(triple "$1")-gcc-ar'
strip = '$(triple "$1")-strip'
pkg-config = 'pkg-config'
exe_wrapper = [$(emulator "$1" "$2")]
[properties]
needs_exe_wrapper = true
sys_root = '$2'
pkg_config_libdir = '$libraries/pkgconfig:$2/usr/share/pkgconfig'
[built-in options]
c_link_args = ['-Wl,-rpath-link=$libraries']
[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$family'
endian = '$endian'
END
}

musl_file() { # SYSROOT: with no C++, whose library is glibc's; cmocka is a shared library at any rate
    cat <<END
[binaries]
c = ['musl-gcc', '-idirafter', '/usr/include', '-idirafter', '/usr/include/$(uname -m)-linux-gnu']
cpp = 'false'
pkg-config = 'pkg-config'
[properties]
pkg_config_libdir = '$1/lib/pkgconfig'
[built-in options]
c_args = ['-I$1/include']
c_link_args = ['-L$1/lib', '-Wl,-rpath,$1/lib']
END
}

configure() { # NAME [OPTION of meson setup...]
    folder=$work/$1/build$quick
    shift
    [ -f "$folder/build.ninja" ] ||
        meson setup "$folder" -Dwerror=true -Db_ndebug=false -Ddocs=disabled "$@" >"$folder.log" 2>&1 ||
        { cat "$folder.log"; return 1; }
}

build() { # NAME
    ninja -C "$work/$1/build$quick" >"$work/$1/build.log" 2>&1 || { grep -vE '^\[[0-9]+/' "$work/$1/build.log"; return 1; }
}

# The names of the tests in C. Scripts start what they have compiled, or load the library into this machine's Python.
tests_in_c() { # FOLDER
    meson test -C "$1" --list --suite quick --no-suite cli --no-suite python --no-suite docs --no-suite house \
        --no-suite web --no-suite kernels | sed -n 's/.* - libcnn://p' |
        grep -vxE 'minimal_programs|struct_layouts|header_examples|exported_symbols|hardening|model_file_in_python|null_in_every_function'
}
of_files="tensor graph_json safetensors file_callbacks onnx_file image_decode image_damage csv flat_names struct_sizes"

run_foreign() { # NAME
    command -v "$(triple "$1")-gcc" >/dev/null || skip "$1: needs the packages $(packages "$1")"
    debian=$1
    [ "$1" != aarch64 ] || debian=arm64
    sh "$scripts/sysroot.sh" "$debian" "$work/$1" $quick || skip "$1: its packages can't be had from ${CNN_DEBIAN:-deb.debian.org}"
    cross_file "$1" "$work/$1/sysroot" >"$work/$1/cross.txt"
    # shellcheck disable=SC2086  # one word a test or an option
    configure "$1" --cross-file "$work/$1/cross.txt" ${quick:+-Doptimization=1 -Dexamples=disabled} &&
        if [ -n "$quick" ]; then tests=$of_files; else build "$1" && tests=$(tests_in_c "$work/$1/build$quick"); fi &&
        CNN_TEST_EMULATED=1 meson test -C "$work/$1/build$quick" --timeout-multiplier 60 --print-errorlogs $tests
}

run_musl() {
    command -v musl-gcc >/dev/null || skip "musl: needs the packages $(packages musl)"
    sh "$scripts/musl.sh" "$work/musl" || skip "musl: its dependencies can't be built from Debian's sources"
    musl_file "$work/musl/sysroot" >"$work/musl/native.txt"
    # shellcheck disable=SC2046  # one word a test
    configure musl --native-file "$work/musl/native.txt" -Dprefer_static=true -Dweb=disabled -Dreport=disabled &&
        build musl && meson test -C "$work/musl/build$quick" --timeout-multiplier 4 --print-errorlogs $(tests_in_c "$work/musl/build$quick")
}

run_native() { # NAME [OPTION of meson setup...]
    mkdir -p "$work/$1"
    configure "$@" && build "$1" &&
        meson test -C "$work/$1/build$quick" --timeout-multiplier 4 --print-errorlogs --suite quick
}

run() { # NAME
    case $1 in
    s390x | i386 | armhf | aarch64) run_foreign "$1" ;;
    musl) run_musl ;;
    clang) CC=clang CXX=clang++ run_native clang ;;
    lto) run_native lto -Db_lto=true ;;
    static) run_native static -Ddefault_library=static ;;
    no-zip) run_native no-zip -Dzip=disabled ;;
    no-onnx) run_native no-onnx -Donnx=disabled ;;
    no-web) run_native no-web -Dweb=disabled ;;
    no-report) run_native no-report -Dreport=disabled ;;
    bare) run_native bare -Dzip=disabled -Donnx=disabled -Dweb=disabled -Dreport=disabled ;;
    *) echo "there is no $1; --list prints the names" >&2; return 2 ;;
    esac
}

quick=
[ "${1:-}" != --quick ] || { quick=--quick && shift; }
# shellcheck disable=SC2086  # one word a name
case ${1:-} in
--list) list && exit ;;
--packages) packages "$2" && exit ;;
--all) set -- $names ;;
"") sed -n '4,12s/^# //p' "$0" && exit 2 ;;
esac
result=0
for name in "$@"; do
    echo "== $name"
    status=0
    (run "$name") || status=$?
    case $status in
    0) ;;
    77) [ $result -ne 0 ] || result=77 ;;
    *) result=1 && echo "FAILED: $name" ;;
    esac
done
exit $result
