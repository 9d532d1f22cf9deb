#!/usr/bin/env bash
# Fills a directory with inputs for the fuzz targets: every dump in testdata/ (unpacked), and a small file of each mix.
#
#     scripts/corpus.sh RDBGEN DIRECTORY
set -euo pipefail
source "$(dirname "$0")/common.sh"

rdbgen=$1 to=$2
largest=1048576 # bytes: beyond that an input only makes the runs slow
mkdir -p "$to"

while IFS= read -r -d '' file; do
    name=${file#"$ROOT/testdata/"}
    name=${name//\//-}
    case $file in
    *.xz) xz -dc "$file" >"$to/${name%.xz}" ;;
    *) cp "$file" "$to/$name" ;;
    esac
done < <(find "$ROOT/testdata" -type f \( -name '*.rdb*' -o -name '*.bin' -o -name '*.aof' -o -name '*.dump' \) -print0)
find "$to" -type f -size +$((largest / 1024))k -delete

for mix in small mixed lzf streams prefixes hostile-prefixes; do
    for version in 10 12 80; do
        "$rdbgen" --mix="$mix" --keys=12 --rdb-version="$version" -o "$to/rdbgen-$mix-$version.rdb"
    done
done
"$rdbgen" --mix=big --elements=200 -o "$to/rdbgen-big.rdb"
"$rdbgen" --mix=blobs --keys=2 --value-bytes=20000 -o "$to/rdbgen-blobs.rdb"
