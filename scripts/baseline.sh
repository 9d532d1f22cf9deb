#!/usr/bin/env bash
# Counts anew what tests/callgrind.sh compares with, and shows what has changed.
set -euo pipefail
source "$(dirname "$0")/common.sh"

build_dir=${BUILD:-$ROOT/build}
"$ROOT/scripts/setup.sh" test
configure "$build_dir" -DCMAKE_BUILD_TYPE=Release
build "$build_dir" rdbmem rdbgen
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
bash "$ROOT/tests/callgrind.sh" "$build_dir" --print >"$fresh"
[[ ! -f $ROOT/bench/baseline.txt ]] || diff -u "$ROOT/bench/baseline.txt" "$fresh" || true
cp "$fresh" "$ROOT/bench/baseline.txt"
