#!/usr/bin/env bash
# From a fresh checkout to a first report: installs what is missing, builds, and reads a real dump.
#
#     scripts/quickstart.sh [DUMP [rdbmem option...]]
set -euo pipefail
source "$(dirname "$0")/common.sh"

"$ROOT/scripts/setup.sh" build
configure "$ROOT/build" -DCMAKE_BUILD_TYPE=Release
build "$ROOT/build" rdbmem
dump=${1:-$ROOT/testdata/redis-7.2-mix.rdb}
shift || true
echo "\$ build/rdbmem ${dump#"$ROOT"/} $*"
exec "$ROOT/build/rdbmem" "$dump" "$@"
