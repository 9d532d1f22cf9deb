#!/usr/bin/env bash
# Makes a package in a build directory and prints its path. A directory that is configured is taken as it is.
#
#     scripts/package.sh [DIRECTORY]            rdbmem_VERSION_ARCHITECTURE.deb, in build-package
#     scripts/package.sh --static [DIRECTORY]   rdbmem-VERSION-MACHINE-static.tar.gz, in build-static: a program that
#                                               needs no library where it runs
set -euo pipefail
source "$(dirname "$0")/common.sh"

usage() {
    die "usage: package.sh [--static] [DIRECTORY]"
}

# make_package DIRECTORY GENERATOR EXTENSION TARGET [cmake option...]
make_package() {
    local dir=$1 generator=$2 extension=$3 target=$4 log
    shift 4
    [[ -f $dir/CMakeCache.txt ]] || configure "$dir" -DCMAKE_BUILD_TYPE=Release "$@"
    build "$dir" rdbmem "$target"
    rm -f "$dir"/*."$extension"
    log=$(cd "$dir" && cpack -G "$generator" 2>&1) || die "cpack failed: $log"
    ls "$dir"/*."$extension"
}

static=
if [[ ${1:-} == --static ]]; then
    static=1
    shift
fi
(($# <= 1)) && [[ ${1:-} != -* ]] || usage
if [[ $static ]]; then
    make_package "${1:-$ROOT/build-static}" TGZ tar.gz pages -DRDBMEM_STATIC=ON
else
    make_package "${1:-$ROOT/build-package}" DEB deb debian
fi
