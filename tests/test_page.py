"""The page of --format=html in a real browser: what it shows, how it is used, and that nothing in a dump can harm it."""
import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import unittest

from browser import Browser, CHROMIUM
from clitest import CliTest
import rdbfile as r

TESTDATA = os.path.abspath(os.environ.get("TESTDATA", "testdata"))
RDBGEN = os.path.abspath(os.environ.get("RDBGEN", "build/bench/rdbgen"))
MIX = os.path.join(TESTDATA, "redis-7.2-mix.rdb")
MOST = 2_000_000

HOSTILE = [b"<script>alert(1)</script>", b"</script><img src=x onerror=window.pwned=1>", b"<!--<script>", b"--><svg onload=window.pwned=1>", b"]]>", b"&lt;b&gt;",
           b"\"'`\\", b"\xff\xfe</script>", b"\x00\x1b[31m", "\u2028\u2029\u202egnirts".encode(), "中文:键".encode(), b"", b"javascript:alert(1)", b"__proto__", b"constructor",
           b"<" * 5000, b"x" * 200000, b"a:<img src=x onerror=window.pwned=1>:b", b"%s%n", b"\\u003cscript\\u003e"]

# Every text's colour against what is painted behind it, by the formula of WCAG 2.
CONTRAST = r"""(() => {
  const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const lum = c => { const [r, g, b] = light(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = n => { for (; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  for (const n of document.querySelectorAll("body *")) {
    if (![...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()) || !n.getClientRects().length || n.closest(".hidden, [disabled], #tip, script")) continue;
    const style = getComputedStyle(n), svg = n instanceof SVGElement, ink = rgb(svg ? style.fill : style.color), paper = behind(svg ? n.ownerSVGElement : n);
    const [a, b] = [lum(ink), lum(paper)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([n.tagName, n.className.baseVal || n.className, n.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return poor;
})()"""

# What reaches beyond the right edge, but for what scrolls in a box of its own.
BEYOND = r"""[...document.querySelectorAll("body *")].filter(n => n.getClientRects().length && n.getBoundingClientRect().right > innerWidth + 0.5 &&
  !n.closest(".scroll, nav, svg, .hidden, .skip, .map")).map(n => n.tagName + "." + n.className).slice(0, 5)"""

CELLS = "[...document.querySelectorAll('.map > .cell')].map(c => c.getAttribute('aria-label'))"
KEYS = "[...document.querySelectorAll('.keys tbody tr')].map(t => t.querySelector('.k .name').textContent)"


def human(v):
    """As the text report has sizes."""
    units = ["B", "KiB", "MiB", "GiB"]
    i = 0
    while v >= 1024 and i < 3:
        v, i = v / 1024, i + 1
    return "%d B" % v if i == 0 else "%.2f %s" % (v, units[i])


class Page(CliTest):
    @classmethod
    def setUpClass(cls):
        if not CHROMIUM:
            raise RuntimeError("no chromium: scripts/setup.sh installs it")
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        super().setUp()
        self.b = self.browser
        self.b.size(1280, 900)
        self.b.media(prefers_color_scheme="light")

    def show(self, *args, status=0, quiet=True):
        """A page made and opened; it has nothing to complain about and asks for nothing."""
        self.run_rdbmem("-o", "page.html", *args, status=status)
        self.size = os.path.getsize(self.path("page.html"))
        self.assertLess(self.size, MOST)
        self.b.open(self.path("page.html"))
        if quiet:
            self.assertEqual(self.b.troubles(), [])
            self.assertEqual(self.b.requests(), [])

    def json(self, *args):
        return json.loads(self.run_rdbmem("-fjson", *args)[0])

    def text(self, selector):
        return self.b.run("document.querySelector(%s).innerText" % json.dumps(selector))

    def calm(self):
        self.assertEqual(self.b.troubles(), [])


class Content(Page):
    def test_ledger(self):
        doc = self.json(MIX)
        self.show(MIX)
        ledger = doc["ledger"]
        figures = self.b.run("[...document.querySelectorAll('#ledger tr')].map(t => [...t.cells].map(c => c.innerText))")
        shown = {row[0].strip("+= "): row[2].replace(",", "") for row in figures[1:]}
        self.assertEqual(shown, {"keys": str(ledger["keys"]), "keyspace tables": str(ledger["keyspace"]), "functions": str(ledger["functions"]),
                                 "server's baseline": str(ledger["used_memory_startup"]), "client that asks": str(ledger["client"]), "used_memory": str(ledger["used_memory"])})
        self.assertIn(human(ledger["used_memory"]), self.text("#glance"))
        self.assertIn(human(ledger["used_memory"]), self.b.run("document.title"))
        self.assertIn("2026-11-24 02:32:49 UTC", self.text("#subtitle"))

    def test_sums(self):
        doc = self.json(MIX)
        self.show(MIX)
        totals = self.text("#totals")
        for row in doc["types"] + doc["encodings"] + doc["databases"]:
            self.assertIn(human(row["size_in_bytes"]), totals)
            self.assertIn("{:,}".format(row["keys"]), totals)
        for name in (n for n, v in doc["structures"].items() if v):
            self.assertIn(name, totals)

    def test_every_section(self):
        self.show(MIX, "--slots", "--group=users=^user", "--config=maxmemory=4mb", "--config=maxmemory-policy=allkeys-random")
        ids = self.b.run("[...document.querySelectorAll('main section')].map(s => s.id)")
        self.assertEqual(ids, ["glance", "ledger", "map", "keys", "totals", "distributions", "forecast", "eviction", "settings", "slots", "groups"])
        self.assertEqual(self.b.run("[...document.querySelectorAll('#nav a, a.to, .skip')].filter(a => !document.getElementById(a.hash.slice(1))).length"), 0)
        self.assertIn("evict", self.text("#glance .verdict.warn"))

    def test_distributions(self):
        doc = self.json(MIX)
        self.show(MIX)
        charts = self.b.run("[...document.querySelectorAll('[data-distribution]')].map(f => f.dataset.distribution)")
        self.assertEqual(charts, [n for n in ("size", "elements", "ttl", "idle", "frequency") if doc["distributions"][n]])
        for name in charts:
            keys = self.b.run("[...document.querySelectorAll('[data-distribution=%s] tbody tr')].map(t => +t.cells[1].textContent.replace(/,/g, ''))" % name)
            rows = [row["keys"] for row in doc["distributions"][name]]
            self.assertEqual(sum(keys), sum(rows))
            self.assertEqual([k for k in keys if k], [k for k in rows if k])
            heights = self.b.run("[...document.querySelectorAll('[data-distribution=%s] svg .c-keys')].map(c => +c.getAttribute('height'))" % name)
            for height, k in zip(heights, keys):
                self.assertAlmostEqual(height / max(heights), k / max(keys), delta=0.01)

    def test_idle_and_frequency(self):
        self.write("lfu.rdb", r.dump(r.select(0), *(r.freq(i) + r.string(b"f%d" % i, b"v") for i in range(100))))
        self.show("lfu.rdb")
        self.assertIn("frequency", self.b.run("[...document.querySelectorAll('[data-distribution]')].map(f => f.dataset.distribution)"))
        self.b.click("[data-sort=lfu_freq]")
        self.assertEqual(self.b.run(KEYS)[0], "f99")

    def test_forecast(self):
        doc = self.json(MIX)
        self.show(MIX)
        rows = self.b.run("[...document.querySelectorAll('#forecast [data-caption=Forecast] tbody tr')].map(t => [...t.cells].map(c => c.innerText))")
        self.assertEqual([row[5] for row in rows], ["%.2f" % s["allocator_frag_ratio"] for s in doc["forecast"]])
        self.assertEqual([row[3] for row in rows], [human(s["allocator_active"]) for s in doc["forecast"]])
        dots = self.b.run("[...document.querySelectorAll('circle.f-active')].map(c => +c.getAttribute('cy'))")
        self.assertEqual(len(dots), len(doc["forecast"]))
        values = [s["allocator_active"] for s in doc["forecast"]]
        self.assertLess(dots[values.index(max(values))] - 0.01, min(dots))

    def test_size_classes(self):
        doc = self.json(MIX)
        self.show(MIX)
        heat = self.b.run("[...document.querySelectorAll('.heat tbody tr')].map(t => [...t.cells].map(c => c.innerText))")
        self.assertEqual(len(heat), len(doc["size_classes"]))
        for row, cls in zip(heat, doc["size_classes"]):
            self.assertEqual(row[0], "{:,} B".format(cls["size"]))
            for text, use, slabs in zip(row[1:], cls["utilisation"], cls["slabs"]):
                self.assertEqual(text, str(int(100 * use + 0.5)) if slabs else "")
        widths = "[...document.querySelectorAll('rect.s-used')].map(c => c.getAttribute('width')).join()"
        before, said = self.b.run(widths), self.text("output")
        self.b.run("document.getElementById('step').focus()")
        self.b.press("Home")
        self.assertIn("after load", self.text("output"))
        self.assertNotEqual((self.b.run(widths), self.text("output")), (before, said))
        self.calm()

    def test_allocator_without_slabs(self):
        self.show(MIX, "--allocator=libc")
        self.assertEqual(self.b.run("document.querySelectorAll('circle').length"), 0)
        self.assertIn("used_memory", self.text("#forecast"))

    def test_several(self):
        for i, n in enumerate((500, 1500)):
            subprocess.run([RDBGEN, "--mix=mixed", "--keys=%d" % n, "--seed=%d" % i, "-o", self.path("n%d.rdb" % i)], check=True)
        self.write("cut.rdb", self.read("n1.rdb")[:100000])
        doc = json.loads(self.run_rdbmem("-fjson", "n0.rdb", "n1.rdb", "cut.rdb", "none.rdb", status=1)[0])
        self.show("n0.rdb", "n1.rdb", "cut.rdb", "none.rdb", status=1)
        rows = self.b.run("[...document.querySelectorAll('#dumps tbody tr')].map(t => [...t.cells].map(c => c.innerText))")
        self.assertEqual([(row[0], row[1], row[2]) for row in rows],
                         [(n["file"] + ("" if n["complete"] else " incomplete"), "{:,}".format(n["keys"]), human(n["used_memory"])) for n in doc["combined"]["nodes"]])
        self.assertIn("cut.rdb, none.rdb", self.text(".verdict.bad"))
        first = self.text("#forecast [data-caption=Forecast]")
        self.b.run("(s => { s.value = '1'; s.dispatchEvent(new Event('change')); })(document.getElementById('dump'))")
        self.assertNotEqual(self.text("#forecast [data-caption=Forecast]"), first)
        self.calm()

    def test_odd_dumps(self):
        self.write("empty.rdb", r.dump())
        self.show("empty.rdb")
        self.write("text.rdb", b"this is no dump at all")
        self.show("text.rdb", status=1)
        self.assertIn("Nothing could be read", self.text("#glance"))
        self.write("cut.rdb", r.dump(r.select(0), r.string(b"whole", b"v"), r.string(b"k", b"v" * 100))[:-40])
        self.show("cut.rdb", status=1)
        self.assertIn("Not everything was read", self.text(".verdict.bad"))
        self.show(MIX, "--no-forecast", "--groups=0", "--top=0", "--sample=1/2", "--min-bytes=100")
        self.show(MIX, "--fail-on=big-key", "--fail-on=used-memory>1T", status=3)
        self.assertIn("Rules that hold: used-memory>1T", self.text("#glance"))


class Use(Page):
    def test_zoom(self):
        self.show(MIX)
        top = self.b.run(CELLS)
        self.assertGreater(len(top), 5)
        label = self.b.run("document.querySelector('.cell.open').getAttribute('aria-label')")
        name = label.split(": ")[0].split(",")[0]
        self.b.click(".cell.open")
        inside = self.b.run(CELLS)
        self.assertNotEqual(inside, top)
        self.assertTrue(all(c.startswith(name) for c in inside if not c.startswith("(")), (name, inside))
        self.assertIn(name.rstrip(":").split(":")[-1], self.text(".crumbs [aria-current]"))
        self.b.click(".crumbs button.link")
        self.assertEqual(self.b.run(CELLS), top)
        self.calm()

    def test_areas_are_shares(self):
        doc = self.json(MIX)
        self.show(MIX)
        first = {p["prefix"]: p["size_in_bytes"] for p in doc["groups"]["prefixes"] if p["depth"] == 1 and not p["other"]}
        boxes = self.b.run("[...document.querySelectorAll('.map > .cell')].map(c => [c.getAttribute('aria-label'), c.offsetWidth * c.offsetHeight])")
        whole, area = doc["totals"]["size_in_bytes"], sum(a for _, a in boxes)
        for label, a in boxes[:5]:
            size = next(v for p, v in first.items() if label.startswith(p))
            self.assertAlmostEqual(a / area, size / whole, delta=0.02)
        shares = [float(re.search(r"([\d.]+) % of all keys", label).group(1)) for label, _ in boxes]
        self.assertAlmostEqual(sum(shares), 100, delta=1)

    def test_tap(self):
        self.b.size(360, 740, phone=True)
        self.show(MIX)
        top = self.b.run(CELLS)
        self.b.click(".cell.open")
        self.assertNotEqual(self.b.run(CELLS), top)
        self.b.click(".up")
        self.assertEqual(self.b.run(CELLS), top)

    def test_colour(self):
        self.show(MIX)
        self.b.run("(s => { s.value = 'expiry'; s.dispatchEvent(new Event('change')); })(document.getElementById('colour'))")
        self.b.frames()
        self.assertEqual(self.b.run("[...document.querySelectorAll('.map > .cell')].every(c => /e-[0-4]|t-other/.test(c.className))"), True)
        self.assertIn("% expires", self.text("#map .legend"))

    def tab_to(self, condition):
        for _ in range(120):
            self.b.press("Tab")
            if self.b.run("(n => %s)(document.activeElement)" % condition):
                return
        self.fail("the Tab key does not get there: " + condition)

    def test_keyboard(self):
        self.show(MIX)
        self.b.press("Tab")
        self.assertEqual(self.b.run("document.activeElement.className"), "skip")
        self.tab_to("n.classList.contains('cell')")
        self.assertEqual(self.b.run("getComputedStyle(document.activeElement).outlineStyle"), "solid")
        first = self.b.run("document.activeElement.getAttribute('aria-label')")
        self.b.press("ArrowRight")
        second = self.b.run("document.activeElement.getAttribute('aria-label')")
        self.assertNotEqual(second, first)
        self.b.press("ArrowLeft")
        self.assertEqual(self.b.run("document.activeElement.getAttribute('aria-label')"), first)
        self.assertTrue(first.endswith("opens"), first)
        top = self.b.run(CELLS)
        self.b.press("Enter")
        self.assertNotEqual(self.b.run(CELLS), top)
        self.assertTrue(self.b.run("document.activeElement.classList.contains('cell')"))
        self.b.press("Escape")
        self.assertEqual(self.b.run(CELLS), top)
        self.assertEqual(self.b.run("document.activeElement.getAttribute('aria-label')"), first)
        self.tab_to("n.dataset.sort === 'num_elements'")
        self.assertEqual(self.b.run("getComputedStyle(document.activeElement).outlineStyle"), "solid")
        self.b.press("Enter")
        self.assertEqual(self.b.run("document.activeElement.closest('th').getAttribute('aria-sort')"), "descending")
        self.b.press("Enter")
        self.assertEqual(self.b.run("document.activeElement.closest('th').getAttribute('aria-sort')"), "ascending")

    def test_every_cell_by_arrows(self):
        self.show(MIX)
        self.b.run("document.querySelector('.cell').focus()")
        reached, n = set(), len(self.b.run(CELLS))
        for way in ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"] * 2 + ["ArrowDown", "ArrowRight"] * 8 + ["ArrowUp", "ArrowLeft"] * 8 + ["End", "ArrowUp", "ArrowLeft", "Home"]:
            self.b.press(way)
            reached.add(self.b.run("document.activeElement.getAttribute('aria-label')"))
        self.assertGreater(len(reached), n / 2)

    def csv(self, *args):
        return list(csv.DictReader(io.StringIO(self.run_rdbmem("-fcsv", *args)[0].decode())))

    def test_sort_agrees_with_csv(self):
        rows = self.csv(MIX)
        self.show(MIX)
        for column, value in (("size_in_bytes", lambda k: -int(k["size_in_bytes"])), ("num_elements", lambda k: -int(k["num_elements"])), ("key", lambda k: k["key"])):
            self.b.click("[data-sort=%s]" % column)
            if column == "size_in_bytes":
                self.assertEqual(self.b.run("document.querySelector('[data-sort=size_in_bytes]').closest('th').getAttribute('aria-sort')"), "ascending")
                self.b.click("[data-sort=size_in_bytes]")
            self.assertEqual(self.b.run("document.querySelectorAll('.keys th[aria-sort=none]').length + 1"), self.b.run("document.querySelectorAll('.keys th').length"))
            shown = self.b.run(KEYS)
            self.assertEqual(len(shown), 25)
            if column == "key":
                self.assertEqual(shown, sorted(shown))
            else:
                values = {k["key"]: value(k) for k in rows}
                got = [values[n] for n in shown]
                self.assertEqual(got, sorted(got))
                if column == "size_in_bytes":
                    self.assertEqual(got, sorted(values.values())[:25])

    def test_filter(self):
        rows = self.csv(MIX)
        self.show(MIX)
        total = int(self.text("#key-count").split(" of ")[1].split(" ")[0].replace(",", ""))
        self.b.click("#key-text")
        self.b.type("LEADER*:2")
        expected = {k["key"] for k in rows if re.search("leader.*:2", k["key"])}
        self.assertEqual(set(self.b.run(KEYS)), expected)
        self.assertRegex(self.text("#key-count"), "of %d keys? shown; %s are" % (len(expected), "{:,}".format(total)))
        self.b.run("document.getElementById('key-text').value = ''")
        self.b.run("(s => { s.value = 'hash'; s.dispatchEvent(new Event('change')); })(document.getElementById('key-type'))")
        types = {k["key"]: k["type"] for k in rows}
        self.assertEqual({types[n] for n in self.b.run(KEYS)}, {"hash"})
        self.b.click("#key-more")
        self.assertEqual(len(self.b.run(KEYS)), 125)
        self.b.run("(s => { s.value = ''; s.dispatchEvent(new Event('change')); })(document.getElementById('key-type'))")
        self.b.click("#key-big")
        self.assertEqual(len(self.b.run(KEYS)), sum("big_" in k["flags"] for k in rows))
        self.assertIn("LTRIM", self.text(".keys tbody"))
        self.b.type("nothing is called so")
        self.b.click("#key-text")
        self.b.type("nothing is called so")
        self.assertEqual(self.text(".keys tbody"), "No key matches.")
        self.calm()

    def test_from_the_map_to_the_keys(self):
        self.show(MIX)
        self.b.click(".cell:not(.open)")
        self.b.click(".about button")
        name = self.b.run("document.getElementById('key-text').value")
        pattern = re.compile(".*".join(map(re.escape, name.split("*"))))
        self.assertTrue(self.b.run(KEYS))
        for key in self.b.run(KEYS):
            self.assertRegex(key, pattern)


class Looks(Page):
    ARGS = (MIX, "--slots", "--group=users=^user", "--config=maxmemory=4mb", "--config=maxmemory-policy=allkeys-random")

    def test_narrow(self):
        names = [b"a" * 300, b"user:" + b"9" * 120, "中".encode() * 90]
        self.write("long-name-of-a-file-that-says-where-it-comes-from-and-when-and-why-and-for-whom-" + "x" * 100 + ".rdb", r.dump(r.select(0), *(r.string(n, b"v" * 9000) for n in names)))
        for args in (self.ARGS, tuple(f for f in os.listdir(self.dir) if f.startswith("long"))):
            self.b.size(360, 740, phone=True)
            self.show(*args)
            for width in (360, 320, 412, 768, 1920):
                self.b.size(width, 800, phone=width < 700)
                self.b.run("document.querySelectorAll('details').forEach(d => d.open = true)")
                self.b.frames(4)
                self.assertEqual(self.b.run(BEYOND), [], width)
                self.assertLessEqual(self.b.run("document.documentElement.scrollWidth"), width)

    def test_targets_are_large_enough(self):
        self.b.size(360, 740, phone=True)
        self.show(*self.ARGS)
        small = self.b.run("[...document.querySelectorAll('button:not(.cell), select, input:not([type=checkbox]), summary')].filter(n => n.getClientRects().length && n.getBoundingClientRect().height < 24).map(n => n.outerHTML.slice(0, 80))")
        self.assertEqual(small, [])

    def paper(self):
        return self.b.run("getComputedStyle(document.body).backgroundColor")

    def test_themes(self):
        self.show(*self.ARGS)
        light = self.paper()
        self.assertEqual(self.b.run(CONTRAST), [])
        self.b.media(prefers_color_scheme="dark")
        dark = self.paper()
        self.assertNotEqual(light, dark)
        self.assertEqual(self.b.run(CONTRAST), [])
        self.b.click("#theme")
        self.assertEqual((self.text("#theme"), self.paper()), ("Theme: light", light))
        self.b.media(prefers_color_scheme="light")
        self.b.click("#theme")
        self.assertEqual((self.text("#theme"), self.paper()), ("Theme: dark", dark))
        self.assertEqual(self.b.run(CONTRAST), [])
        self.b.click("#theme")
        self.assertEqual((self.text("#theme"), self.paper()), ("Theme: auto", light))
        self.calm()

    def test_print(self):
        self.show(*self.ARGS)
        self.b.click("#theme")
        self.b.click("#theme")
        self.b.media(media="print", prefers_color_scheme="dark")
        self.assertEqual(self.b.run("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"), "#1b1f24")
        self.assertEqual(self.b.run("[...document.querySelectorAll('nav, .tools, .filters')].filter(n => n.getClientRects().length && !n.closest('main nav')).length"), 0)
        self.b.media(media="", prefers_color_scheme="light")
        self.b.click("#theme")
        pdf = base64.b64decode(self.b.call("Page.printToPDF", printBackground=True)["data"])
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        self.assertIn(pages, range(3, 40))

    def test_names_for_those_who_listen(self):
        self.show(*self.ARGS)
        nameless = self.b.run("[...document.querySelectorAll('button, input, select, a, svg[role=img], section')].filter(n => !(n.textContent.trim() || n.getAttribute('aria-label') || n.labels && n.labels.length)).map(n => n.outerHTML.slice(0, 80))")
        self.assertEqual(nameless, [])
        self.assertEqual(self.b.run("(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(n => n.id))"), 0)
        self.assertEqual(self.b.run("[...document.querySelectorAll('table')].filter(t => !t.caption || !t.querySelector('th[scope]')).length"), 0)
        tree = self.b.call("Accessibility.getFullAXTree")["nodes"]
        roles = [n["role"]["value"] for n in tree if not n.get("ignored")]
        for role in ("main", "navigation", "table", "columnheader", "button", "searchbox", "slider"):
            self.assertIn(role, roles)


class Hostile(Page):
    def hostile_dump(self):
        records = [r.string(n, b"v" * 1000) for n in HOSTILE] + [r.plain_hash(n + b":h", [(b"f", b"v")]) for n in HOSTILE]
        return self.write("d.rdb", r.dump(r.select(0), *records, extra=r.aux(b"x</script>", b"<img src=x onerror=window.pwned=1>"), ver=b"7.2</title><script>window.pwned=1</script>"))

    def test_names(self):
        self.hostile_dump()
        self.show("d.rdb", "--group=<b>x</b>=^a", "--slots", "--config=maxmemory=1mb", "--config=maxmemory-policy=allkeys-lru")
        page = self.read("page.html")
        self.assertEqual(page.count(b"<script"), 2)
        self.assertEqual(page.count(b"</script"), 2)
        self.assertNotIn(b"<img", page)
        self.assertIsNone(self.b.run("window.pwned"))
        self.assertEqual(self.b.run("document.querySelectorAll('img, iframe, object, embed, form, script:not([type]):not(body > script), main svg svg, b > b').length"), 0)
        self.b.click("#key-more") if self.b.run("!document.getElementById('key-more').hidden") else None
        shown = self.b.run(KEYS)
        self.assertIn("<script>alert(1)</script>", shown)
        self.assertIn("</script><img src=x onerror=window.pwned=1>", shown)
        self.assertIn("\\x00\\x1b[31m", shown)
        self.assertIn("\\u2028\\u2029\\u202egnirts", shown)
        self.assertIn("中文:键", shown)
        self.assertIn("(empty name)", shown)
        self.b.click(".cell.open")
        self.assertIsNone(self.b.run("window.pwned"))
        self.assertEqual(self.b.run("document.documentElement.scrollWidth"), 1280)
        self.calm()

    def test_hostile_path(self):
        name = "<img src=x onerror=window.pwned=1>.rdb"
        self.write(name, r.dump(r.select(0), r.string(b"k", b"v")))
        self.show(name)
        self.assertIn(name, self.text("#subtitle"))
        self.write("b" + name, self.read(name))
        self.show(name, "b" + name)
        self.assertIn(name, self.text("#dumps"))
        self.assertIsNone(self.b.run("window.pwned"))

    def test_policy_holds_without_us(self):
        """Were something let through: the browser itself would not run it, and these tests would notice."""
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        self.run_rdbmem("-o", "page.html", "d.rdb")
        page = self.read("page.html")
        for what in (b"<script>window.pwned=1</script>", b"<img src=x onerror=window.pwned=1>", b"<img src=https://example.org/x.png>", b"<p style='color:red' onclick='1'>x</p>",
                     b"<style>p{color:red}</style>", b"<script src=https://example.org/x.js></script>"):
            self.write("bad.html", page.replace(b"<main id=\"main\">", b"<main id=\"main\">" + what, 1))
            self.b.open(self.path("bad.html"))
            self.assertIsNone(self.b.run("window.pwned"))
            self.assertTrue(self.b.troubles(), what)
        self.write("bad.html", page.replace(b"function glance()", b"function  glance()", 1))
        self.b.open(self.path("bad.html"))
        self.assertEqual(self.b.run("document.querySelectorAll('section').length"), 0)
        self.assertIn("sha256", self.b.troubles()[0])

    def test_policy_says_nothing_from_outside(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        self.run_rdbmem("-o", "page.html", "d.rdb")
        page = self.read("page.html").decode()
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page).group(1)
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual({n: rules[n] for n in rules if n not in ("script-src", "style-src")}, {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"})
        for tag in ("script", "style"):
            content = re.search(r"<%s>(.*?)</%s>" % (tag, tag), page, re.S).group(1)
            self.assertEqual(rules[tag + "-src"], "'sha256-%s'" % base64.b64encode(hashlib.sha256(content.encode()).digest()).decode())
        for address in re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", page[:page.index("<script>")] + page[page.rindex("</script>"):]):
            self.assertRegex(address, r"^(#|data:|https://d3js\.org/$)")

    def test_size(self):
        subprocess.run([RDBGEN, "--mix=prefixes", "--keys=400000", "-o", self.path("prefixes.rdb")], check=True)
        subprocess.run([RDBGEN, "--mix=hostile-prefixes", "--keys=4000", "-o", self.path("hostile.rdb")], check=True)
        self.write("names.rdb", r.dump(*(r.select(i % 900) + r.plain_list(b"<&>:" * 20 + b"%d" % i + b"\xff" * 60 + b":\xe2\x80\xa8" * 40, [b"x"] * (i % 50 + 1)) for i in range(6000))))
        for args in (["prefixes.rdb", "--groups=16384", "--top=100000", "--slots"], ["hostile.rdb", "--groups=16000", "--depth=16", "--top=5000"],
                     ["names.rdb", "--groups=5000", "--depth=16", "--top=5000", "--slots"], [self.copy("names.rdb", i) for i in range(30)]):
            self.show(*args)
            self.assertTrue(self.b.run(KEYS))
            self.assertIsNone(self.b.run("window.pwned"))

    def copy(self, name, i):
        """Under a long name, which is also told."""
        copy = "%d-" % i + "<&>" * 60 + name
        with open(self.path(copy), "wb") as f:
            f.write(self.read(name))
        return copy

    def test_hashed(self):
        self.write("d.rdb", r.dump(r.select(0), *(r.plain_hash(b"zanzibar:wonderful:%d" % i, [(b"f", b"v")] * 40) for i in range(50))))
        self.show("d.rdb", "--hash-names", "--slots", "--config=maxmemory=1mb", "--config=maxmemory-policy=allkeys-lru")
        page = self.read("page.html").lower()
        self.assertNotIn(b"zanzibar", page)
        self.assertNotIn(b"wonderful", page)
        self.assertIn("not the keys' own", self.text("#subtitle"))
        self.assertEqual(len(self.b.run(KEYS)), 25)


class Command(CliTest):
    def test_beside_other_formats(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        self.run_rdbmem("--format=html:p.html", "--format=json:d.json", "--format=csv", "d.rdb")
        page = self.read("p.html")
        self.assertTrue(page.startswith(b"<!doctype html>"))
        data = json.loads(re.search(rb'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))
        self.assertEqual(data["report"]["ledger"], json.loads(self.read("d.json"))["ledger"])
        self.assertEqual(self.run_rdbmem("-fhtml", "d.rdb")[0], page)


if __name__ == "__main__":
    unittest.main()
