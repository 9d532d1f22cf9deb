#!/usr/bin/env bash
# scripts/Containerfile by two linters, which must also find what is wrong with another one. scripts/setup.sh installs
# them where there is npm; without them the test is skipped.
set -euo pipefail

modules=$PWD/build-npm/node_modules
[[ -d $modules/dockerfilelint && -d $modules/dockerfile-utils ]] || exit 77
export NODE_PATH=$modules
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

by_dockerfilelint() { node "$modules/dockerfilelint/bin/dockerfilelint" "$1"; }
by_dockerfile_utils() { node tests/containerfile.js "$1"; }

sed -e 's/^FROM debian:12-slim$/FROM debian/' scripts/Containerfile >"$scratch/no-tag"
sed -e 's/^WORKDIR \/src$/WORKDIRECTORY \/src/' scripts/Containerfile >"$scratch/no-instruction"
for linter in by_dockerfilelint by_dockerfile_utils; do
    "$linter" scripts/Containerfile
    if "$linter" "$scratch/no-instruction" >/dev/null; then
        echo "$linter finds nothing wrong with an unknown instruction" >&2
        exit 1
    fi
done
if by_dockerfilelint "$scratch/no-tag" >/dev/null; then
    echo "dockerfilelint finds nothing wrong with an image without a tag" >&2
    exit 1
fi
