#!/usr/bin/env bash
# Pictures of the page of --format=html, of a generated dump: wide and narrow, light and dark, and docs/page.png.
#
#     scripts/screenshot.sh [DIRECTORY]        default: build/screenshots
set -euo pipefail
source "$(dirname "$0")/common.sh"

out=${1:-$ROOT/build/screenshots}
configure "$ROOT/build"
build "$ROOT/build" rdbmem rdbgen
mkdir -p "$out"
"$ROOT/build/bench/rdbgen" --mix=mixed --keys=200000 -o "$out/shop.rdb"
(cd "$out" && "$ROOT/build/rdbmem" --quiet --format=html:page.html --config maxmemory=700mb \
    --config maxmemory-policy=allkeys-lru shop.rdb)
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests python3 - "$out" "$ROOT/docs/page.png" <<'PYTHON'
import sys
from browser import Browser

out, picture = sys.argv[1:]
browser = Browser()
try:
    for name, width, height, phone in (("wide", 1280, 900, False), ("narrow", 360, 740, True)):
        for theme in ("light", "dark"):
            browser.size(width, height, phone=phone, scale=2 if phone else 1)
            browser.media(prefers_color_scheme=theme)
            browser.open(out + "/page.html")
            browser.frames(4)
            browser.picture("%s/%s-%s.png" % (out, name, theme))
            if (name, theme) == ("wide", "light"):
                last = browser.run("(r => r.bottom + scrollY)(document.getElementById('map').getBoundingClientRect())")
                browser.picture(picture, clip=(0, 0, width, last + 16), scale=0.75)
finally:
    browser.close()
PYTHON
rm "$out/shop.rdb"
ls -l "$out" "$ROOT/docs/page.png"
