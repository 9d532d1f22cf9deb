#!/usr/bin/env bash
# Installs what is missing on Debian 12 (and its relatives), as root or by sudo. Says nothing when nothing is missing.
#
#     scripts/setup.sh [build|test]        build: to compile rdbmem; test (default): everything scripts/test.sh uses
set -euo pipefail
source "$(dirname "$0")/common.sh"

build_packages=(build-essential cmake ninja-build pkg-config libjemalloc-dev liblzf-dev libcjson-dev zlib1g-dev
    libisal-dev libzstd-dev liblz4-dev libpcre2-dev libsqlite3-dev file
    node-d3-axis node-d3-hierarchy node-d3-scale node-d3-selection node-d3-shape)
test_packages=(libgoogle-perftools-dev redis-server valgrind clang clang-tidy clang-format libclang-rt-14-dev xz-utils
    python3 python3-jsonschema prometheus prometheus-node-exporter lintian jq man-db groff mandoc bash-completion zsh fish
    chromium fonts-dejavu-core)

# Without these a test is skipped: old, large, or not everywhere.
optional_packages=(clickhouse-server clickhouse-client)
npm_packages=(@duckdb/node-api@1.5.6-r.1 dockerfilelint@1.8.0 dockerfile-utils@0.16.3)

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

# apt_install PACKAGE...: the log is shown when it fails.
apt_install() {
    local log status=0
    log=$(mktemp)
    forbid_services
    as_root apt-get -qq update >"$log" 2>&1 || echo "setup.sh: apt-get update failed, trying with the lists there are" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >"$log" 2>&1 || status=$?
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# no_service PACKAGE...: nor after the next boot, if it came by us.
no_service() {
    local service
    for service in redis-server prometheus prometheus-node-exporter clickhouse-server; do
        if [[ " $* " == *" $service "* && -d /run/systemd/system ]]; then
            as_root systemctl disable --quiet "$service" || true
        fi
    done
}

# missing_of PACKAGE...: fills the list.
missing_of() {
    local package
    missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
}

# install_npm PACKAGE@VERSION: for the tests only, into the checkout.
install_npm() {
    [[ -d $ROOT/build-npm/node_modules/${1%@*} ]] && return
    echo "installing: $1"
    timeout 300 npm install --silent --no-audit --no-fund --prefix "$ROOT/build-npm" "$1" >/dev/null 2>&1 ||
        echo "setup.sh: no $1: a test will be skipped" >&2
}

install_optional() {
    local package
    missing_of "${optional_packages[@]}"
    if ((${#missing[@]})); then
        echo "installing: ${missing[*]}"
        apt_install "${missing[@]}" || echo "setup.sh: no ${missing[*]}: a test will be skipped" >&2
        no_service "${missing[@]}"
    fi
    if command -v npm >/dev/null; then
        for package in "${npm_packages[@]}"; do
            install_npm "$package"
        done
    fi
}

command -v dpkg-query >/dev/null || die "no dpkg here; please install the equivalents of: ${wanted[*]}"
missing_of "${wanted[@]}"
if ((${#missing[@]})); then
    echo "installing: ${missing[*]}"
    apt_install "${missing[@]}" || die "apt-get install failed"
    no_service "${missing[@]}"
fi
[[ ${1:-test} == build ]] || install_optional
