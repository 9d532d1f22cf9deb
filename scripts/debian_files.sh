#!/usr/bin/env bash
# The files that a .deb has besides what is installed anyhow: packed manual page, copyright, changelog.
#
#     scripts/debian_files.sh BUILD-DIRECTORY VERSION MAINTAINER
set -euo pipefail
source "$(dirname "$0")/common.sh"

build=$1 version=$2 maintainer=$3
out=$build/debian
mkdir -p "$out"

# When CHANGELOG.md was last changed, so that the same sources make the same package.
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct -- CHANGELOG.md 2>/dev/null || true)}
epoch=${epoch:-$(stat -c %Y "$ROOT/CHANGELOG.md")}

# The newest section of CHANGELOG.md, an item a bullet, in Debian's form.
changelog() {
    printf 'rdbmem (%s) unstable; urgency=medium\n\n' "$version"
    awk '/^## /{n++; next} n == 1 && /^- /' "$ROOT/CHANGELOG.md" | sed 's/^- //' | while IFS= read -r item; do
        fold -s -w 74 <<<"$item" | sed -e '1s/^/  * /' -e '2,$s/^/    /' -e 's/ *$//'
    done
    printf '\n -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$epoch")"
}

# LICENSE as a paragraph of a machine-readable copyright file: its title and its copyright line stand in fields.
copyright() {
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: rdbmem\n\n'
    printf 'Files: *\nCopyright: %s\nLicense: Expat\n' "$(sed -n 's/^Copyright (c) //p' "$ROOT/LICENSE")"
    sed -e '1,/^Copyright/d' "$ROOT/LICENSE" | sed -e '1{/^$/d}' -e 's/^$/./' -e 's/^/ /'
}

changelog | gzip -9n >"$out/changelog.gz"
copyright >"$out/copyright"
gzip -9n <"$build/share/man/man1/rdbmem.1" >"$out/rdbmem.1.gz"
