#!/usr/bin/env bash
# report/json_tree.c makes the same documents, to the byte, as cJSON.
set -euo pipefail

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$JSON_BY_CJSON" >"$out/cjson"
"$JSON_BY_TREE" >"$out/tree"
[[ $(wc -c <"$out/cjson") -gt 500000 ]] || {
    echo "too little was printed to compare" >&2
    exit 1
}
cmp "$out/cjson" "$out/tree"
