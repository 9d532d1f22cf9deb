#!/usr/bin/env bash
# Installs what is missing on Debian 12 (and its relatives), as root or by sudo. Says nothing when nothing is missing.
#
#     scripts/setup.sh [build|test]        build: to compile rdbmem; test (default): everything scripts/test.sh uses
set -euo pipefail
source "$(dirname "$0")/common.sh"

build_packages=(build-essential cmake ninja-build pkg-config libjemalloc-dev liblzf-dev libcjson-dev zlib1g-dev
    libisal-dev libzstd-dev liblz4-dev libpcre2-dev libsqlite3-dev)
test_packages=(libgoogle-perftools-dev redis-server valgrind clang clang-tidy clang-format libclang-rt-14-dev xz-utils
    python3 python3-jsonschema)

case ${1:-test} in
build) wanted=("${build_packages[@]}") ;;
test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
*) die "usage: setup.sh [build|test]" ;;
esac

installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root and no sudo; please install: ${missing[*]}"
    fi
}

# A package must not start a server here: the tests start their own. The policy file is what Debian asks for that.
policy=/usr/sbin/policy-rc.d
forbid_services() {
    [[ -e $policy ]] && return
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    trap 'as_root rm -f "$policy"' EXIT
}

command -v dpkg-query >/dev/null || die "no dpkg here; please install the equivalents of: ${wanted[*]}"
missing=()
for package in "${wanted[@]}"; do
    installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
forbid_services
as_root apt-get -qq update >"$log" 2>&1 || echo "setup.sh: apt-get update failed, trying with the lists there are" >&2
if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "apt-get install failed"
fi
rm -f "$log"
# Nor after the next boot, if it came by us.
if [[ " ${missing[*]} " == *" redis-server "* && -d /run/systemd/system ]]; then
    as_root systemctl disable --quiet redis-server || true
fi
