#!/bin/sh
# Builds what the library needs with musl, from Debian's sources, as static libraries in a folder.
# Usage: musl.sh FOLDER    needs musl-gcc and cmake
set -eu
# shellcheck source=tests/portability/own_apt.sh
. "$(dirname "$0")/own_apt.sh"
folder=$1
[ ! -e "$folder/complete" ] || exit 0

mkdir -p "$folder/source" "$folder/sysroot/include" "$folder/sysroot/lib/pkgconfig"
use_own_apt "$folder" deb-src
cd "$folder/source"
apt-get -qq source --download-only zlib libpng1.6 libjpeg-turbo jansson cmocka libarchive protobuf-c
for archive in *.orig.tar.gz *.orig.tar.bz2 *.orig.tar.xz; do
    mkdir -p "${archive%%_*}"
    tar -xf "$archive" -C "${archive%%_*}" --strip-components=1
done

cmake_install() { # NAME [OPTION...]
    name=$1
    shift
    cmake -S "$name" -B "$name/out" -G Ninja -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_INSTALL_PREFIX="$folder/sysroot" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_FIND_ROOT_PATH="$folder/sysroot" \
        -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF "$@" >"$name.log" 2>&1
    ninja -C "$name/out" install >>"$name.log" 2>&1
}

(cd zlib && { CC=musl-gcc CFLAGS="-O2 -fPIC" ./configure --static --prefix="$folder/sysroot" && make install; } >../zlib.log 2>&1)
cmake_install libpng1.6 -DPNG_SHARED=OFF -DPNG_TESTS=OFF -DPNG_EXECUTABLES=OFF
# which takes a relative folder for one of the current folder
cmake_install libjpeg-turbo -DCMAKE_INSTALL_LIBDIR="$folder/sysroot/lib" -DENABLE_SHARED=OFF -DWITH_SIMD=OFF \
    -DWITH_TURBOJPEG=OFF
cmake_install jansson -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
cmake_install cmocka -DWITH_EXAMPLES=OFF
cmake_install libarchive -DENABLE_TEST=OFF -DENABLE_TAR=OFF -DENABLE_CPIO=OFF -DENABLE_CAT=OFF -DENABLE_OPENSSL=OFF \
    -DENABLE_LIBB2=OFF -DENABLE_LZ4=OFF -DENABLE_LZMA=OFF -DENABLE_ZSTD=OFF -DENABLE_BZip2=OFF -DENABLE_LIBXML2=OFF \
    -DENABLE_EXPAT=OFF -DENABLE_ICONV=OFF -DENABLE_ACL=OFF -DENABLE_XATTR=OFF

# of protobuf-c the one file that runs with a program; its compiler is the system's
musl-gcc -O2 -fPIC -Iprotobuf-c -c protobuf-c/protobuf-c/protobuf-c.c -o protobuf-c.o
ar rc "$folder/sysroot/lib/libprotobuf-c.a" protobuf-c.o
mkdir -p "$folder/sysroot/include/protobuf-c"
cp protobuf-c/protobuf-c/protobuf-c.h "$folder/sysroot/include/protobuf-c/"
cat >"$folder/sysroot/lib/pkgconfig/libprotobuf-c.pc" <<END
Name: libprotobuf-c
Description: Protocol Buffers in C
Version: 1.4.1
Cflags: -I$folder/sysroot/include
Libs: -L$folder/sysroot/lib -lprotobuf-c
END
cd "$folder"
rm -r source apt
touch complete
