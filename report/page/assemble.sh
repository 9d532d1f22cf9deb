#!/usr/bin/env bash
# Puts the page together: head.html, which ends where the data begins, and tail.html, which goes on behind it.
#
#     assemble.sh OUT_DIRECTORY PAGE_DIRECTORY LIBRARY... -- SCRIPT...
#
# The page's Content-Security-Policy admits one script and one style sheet, by their hashes; both are known only here.
set -euo pipefail

out=$1 room=$2
shift 2
libraries=()
while [[ $1 != -- ]]; do
    libraries+=("$1")
    shift
done
shift
own=("$@")

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$room/page.css" "$work/style"
{
    cat "${libraries[@]}"
    printf '"use strict";\n(function () {\n'
    cat "${own[@]}"
    printf '})();\n'
} >"$work/script"
if grep -q -e '</script' -e '</style' -e '<!--' -e $'\r' "$work/style" "$work/script"; then
    echo "assemble.sh: a script or style that would end its element early" >&2
    exit 1
fi

# hash FILE: as Content-Security-Policy writes it, of all between the tags: the newline behind the first one too.
hash() {
    local hex
    hex=$({
        echo
        cat "$1"
    } | sha256sum | cut -d' ' -f1)
    # shellcheck disable=SC2059
    printf 'sha256-%s' "$(printf "$(sed 's/../\\x&/g' <<<"$hex")" | base64 -w0)"
}

escape() {
    sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' "$@"
}

# Name and version of each module, as its own first line has them.
modules() {
    local file
    for file in "${libraries[@]}"; do
        head -n 1 "$file" | sed -n 's,^// https://d3js.org/\(d3-[a-z-]*\)/ v\([0-9.]*\) .*,\1 \2,p'
    done | paste -sd, | sed 's/,/, /g'
}

modules >"$work/modules"
escape "$room/d3-licence.txt" >"$work/licence"
sed -e "s,@SCRIPT_HASH@,$(hash "$work/script")," -e "s,@STYLE_HASH@,$(hash "$work/style")," \
    -e "/@STYLE@/{r $work/style
d}" -e "/@MODULES@/{r $work/modules
d}" -e "/@LICENCE@/{r $work/licence
d}" -e "/@SCRIPT@/{r $work/script
d}" "$room/page.html" >"$work/page"

sed '/@DATA@/,$d' "$work/page" >"$out/head.html"
sed '1,/@DATA@/d' "$work/page" >"$out/tail.html"
