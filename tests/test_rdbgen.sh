#!/usr/bin/env bash
# The generator that everything is measured with: each mix, in each version, is a sound file (by bench/walk, and by
# redis-check-rdb where that reads the version), is the same each time, and has about the size that was asked for.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "$*"
    exit 1
}

# What redis-check-rdb here can read: 7.0 stops at version 10.
readable=0
if command -v redis-check-rdb >/dev/null; then
    case $(redis-check-rdb --version) in
    *" 7.0."*) readable=10 ;;
    *" 7.2."*) readable=11 ;;
    *" 7.4."* | *" 8."*) readable=12 ;;
    esac
fi

check() {
    local mix=$1 version=$2 file=$scratch/$1-$2.rdb
    "$RDBGEN" --mix="$mix" --size=1M --rdb-version="$version" -o "$file"
    "$RDBGEN" --mix="$mix" --size=1M --rdb-version="$version" | cmp - "$file" || fail "$mix: not the same twice"
    "$WALK" "$file" >/dev/null || fail "$mix, version $version: walk does not read it"
    if ((version <= readable)); then
        redis-check-rdb "$file" >"$scratch/log" || fail "$mix: redis-check-rdb says: $(tail -n 3 "$scratch/log")"
    fi
    local size
    size=$(stat -c %s "$file")
    # Roughly: so short a file of large keys is a matter of luck, and one of few streams of nothing else.
    [[ $mix == streams ]] || ((size > 400000 && size < 2000000)) || fail "$mix: $size bytes instead of 1 MiB"
}

for mix in $("$RDBGEN" --help | sed -n '/^mixes:/,$s/^  \([a-z-]*\) .*/\1/p'); do
    for version in 10 12 80; do
        check "$mix" "$version"
    done
done
"$RDBGEN" --mix=small --keys=0 2>/dev/null && fail "no keys at all were accepted"
"$RDBGEN" --mix=none 2>/dev/null && fail "a mix that does not exist was accepted"
echo ok
