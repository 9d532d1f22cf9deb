"""Dumps made to do harm: memory and time stay bounded, the message is one clear line, the other keys are reported."""
import csv
import gzip
import io
import json
import os
import random
import struct
import subprocess
import unittest
import zlib

from clitest import RDBMEM, CliTest
import rdbfile as r

with open(RDBMEM, "rb") as f:
    SANITIZED = b"__asan_init" in f.read()

MEMORY_KIB = 128 << 10      # address space, so of what is resident too
SECONDS = 120               # nothing here takes one on a machine that is not busy
HUGE = b"\x81" + struct.pack(">Q", 1 << 62)


def lzf(stored, expanded):
    return b"\xc3" + r.length(len(stored)) + r.length(expanded) + stored


def lzf_run(byte, n):
    """Stored bytes, and into how many the same byte they expand: at least n."""
    copies = -(-n // 264)
    return b"\x00" + byte + b"\xe0\xff\x00" * copies, 1 + 264 * copies


def lp_entry(body):
    size = len(body)
    back = bytes([size]) if size < 128 else bytes([size >> 7, size & 127 | 128])
    return body + back


def lp_str(s):
    return lp_entry(bytes([0x80 | len(s)]) + s if len(s) < 64 else struct.pack(">H", 0xe000 | len(s)) + s)


def listpack(*items, count=None, total=None):
    body = b"".join(map(lp_str, items))
    return struct.pack("<IH", 7 + len(body) if total is None else total, len(items) if count is None else count) + body + b"\xff"


def ziplist(*items, count=None, total=None, tail=None):
    body, before, last = b"", 0, 10
    for s in items:
        entry = (bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)) + bytes([len(s)]) + s
        last, before = 10 + len(body), len(entry)
        body += entry
    return struct.pack("<IIH", 11 + len(body) if total is None else total, last if tail is None else tail,
                       len(items) if count is None else count) + body + b"\xff"


def intset(width, values, count=None):
    size = {2: "h", 4: "i", 8: "q"}.get(width, "h")
    return struct.pack("<II", width, len(values) if count is None else count) + b"".join(struct.pack("<" + size, v) for v in values)


def blob(kind, key, data):
    return bytes([kind]) + r.text(key) + r.text(data)


def module_id(name, encver):
    symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    n = 0
    for c in name:
        n = n << 6 | symbols.index(c)
    return b"\x81" + struct.pack(">Q", n << 10 | encver)


def module(key, name, encver, *items):
    return b"\x07" + r.text(key) + module_id(name, encver) + b"".join(items) + b"\x00"


def uint(n):
    return b"\x02" + r.length(n)


def item(s):
    return b"\x05" + r.text(s)


class Hostile(CliTest):
    def limited(self, *args):
        """Standard output, standard error, exit status; within the limits of memory and time."""
        limit = "" if SANITIZED else "ulimit -v %d; " % MEMORY_KIB
        done = subprocess.run(["sh", "-c", limit + 'exec "$0" "$@"', RDBMEM, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              cwd=self.dir, timeout=SECONDS)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertNotIn(b"out of memory", done.stderr)
        return done.stdout, done.stderr, done.returncode

    def analyse(self, data, *args, status):
        self.write("h.rdb", data)
        out, err, got = self.limited("-fjson", *args, "h.rdb")
        self.assertEqual(got, status, err)
        report = json.loads(out)
        self.assertIs(report["complete"], status == 0)
        if status:
            self.assertEqual(err.count(b"\n"), 1, err)
            self.assertTrue(all(32 <= c < 127 or c == 10 for c in err), err)
        self.assertLess(report["totals"]["size_in_bytes"], 200 * len(data) + (1 << 20))
        return report

    def rows(self, *args, status):
        out, err, got = self.limited("-fcsv", *args, "h.rdb")
        self.assertEqual(got, status, err)
        return list(csv.DictReader(io.StringIO(out.decode())))


class NotDumps(Hostile):
    def test_other_files(self):
        rnd = random.Random(7)
        for name, data, says in (
            ("empty", b"", b"the input is empty"),
            ("text", b"# hello\nthis is text\n" * 1000, b"not an rdb file"),
            ("random", rnd.randbytes(100000), b"not an rdb file"),
            ("zeros", bytes(1 << 20), b"not an rdb file"),
            ("magic alone", b"REDIS", b"truncated"),
            ("half a magic", b"VALK", b"truncated"),
            ("no version", b"REDIS00x1" + bytes(100), b"version"),
            ("version 0", b"REDIS0000" + bytes(100), b"version"),
            ("old valkey", b"VALKEY011" + bytes(100), b"version"),
            ("head only", b"REDIS0011", b"truncated"),
            ("gzip of nothing", gzip.compress(b""), b"the input is empty"),
            ("gzip of text", gzip.compress(b"hello"), b"not an rdb file"),
            ("cut gzip", gzip.compress(r.dump(r.select(0), r.string(b"a", os.urandom(5000))))[:3000], b"truncated"),
            ("damaged gzip", b"\x1f\x8b\x08\x00" + rnd.randbytes(1000), b"damaged wrapper"),
            ("damaged zstd", b"\x28\xb5\x2f\xfd" + rnd.randbytes(1000), b"damaged wrapper"),
            ("damaged lz4", b"\x04\x22\x4d\x18" + rnd.randbytes(1000), b"damaged wrapper"),
            ("nested gzip", gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(r.dump()))))), b"layers"),
            ("xz", b"\xfd7zXZ\x00" + bytes(50), b"xz"),
            ("resp", b"*1\r\n$4\r\nPING\r\n", b"append-only file without rdb preamble"),
            ("endless newlines", b"\n" * (1 << 20), b"the input is empty"),
            ("bulk of nothing", b"$0\r\n", b"not an rdb file"),
        ):
            with self.subTest(name=name):
                self.write("h.rdb", data)
                _, err, status = self.limited("h.rdb")
                self.assertEqual(status, 1)
                self.assertEqual(err.count(b"\n"), 1, err)
                self.assertIn(says, err)

    def test_random_bytes_behind_a_magic(self):
        rnd = random.Random(11)
        for i in range(60):
            head = rnd.choice([b"REDIS0003", b"REDIS0009", b"REDIS0011", b"REDIS0015", b"VALKEY080"])
            self.write("h.rdb", head + rnd.randbytes(rnd.randrange(4000)))
            _, err, status = self.limited("h.rdb")
            self.assertEqual((status, err.count(b"\n")), (1, 1), err)

    def test_random_damage(self):
        """Several bytes of a good dump, and pieces of it moved."""
        rnd = random.Random(13)
        good = r.dump(r.select(0), *(r.plain_hash(b"h%d" % i, [(b"f%d" % j, b"v" * j) for j in range(i)]) for i in range(40)),
                      *(blob(16, b"p%d" % i, listpack(*[b"x" * (i % 60)] * (2 * i))) for i in range(40)))
        for i in range(60):
            data = bytearray(good)
            for _ in range(rnd.randrange(1, 20)):
                at = rnd.randrange(9, len(data))
                if rnd.random() < 0.7:
                    data[at] = rnd.randrange(256)
                else:
                    data[at:at + rnd.randrange(50)] = data[rnd.randrange(len(data)):][:rnd.randrange(50)]
            self.write("h.rdb", bytes(data))
            self.limited("-fjson", "--on-error=skip-key", "h.rdb")


class Lengths(Hostile):
    def test_counts_that_do_not_come(self):
        """No memory is set aside by a number that stands in the file."""
        for n in (HUGE, b"\x81" + b"\xff" * 8, b"\x80\xff\xff\xff\xff", r.length(1 << 40)):
            for kind, rest in ((1, b""), (2, b""), (3, b""), (4, b""), (5, b""), (14, b""), (15, b""), (18, b""), (19, b""), (21, b""),
                               (24, b""), (0, b"x"), (16, b"x"), (11, b"x"), (7, b"")):
                with self.subTest(n=n, kind=kind):
                    body = bytes([kind]) + r.text(b"key") + (bytes(8) if kind == 24 else b"") + n + rest
                    report = self.analyse(r.dump(r.select(0), r.string(b"a", b"v"), version=12)[:-9] + body, status=1)
                    self.assertEqual(report["totals"]["keys"], 1)
                    self.assertLess(report["ledger"]["used_memory"], 4 << 20)

    def test_counts_inside_streams_and_modules(self):
        node = r.text(bytes(16)) + r.text(listpack(b"1"))
        for body in (
            b"\x15" + r.text(b"s") + HUGE,
            b"\x15" + r.text(b"s") + b"\x00" * 9 + HUGE,
            b"\x15" + r.text(b"s") + b"\x00" * 9 + b"\x01" + r.text(b"g") + bytes(3) + HUGE,
            b"\x15" + r.text(b"s") + b"\x00" * 9 + b"\x01" + r.text(b"g") + bytes(4) + HUGE,
            b"\x15" + r.text(b"s") + b"\x01" + node + HUGE * 8 + HUGE,
            b"\x07" + r.text(b"v") + module_id(b"vectorset", 0) + uint(1 << 62) + uint(1 << 62) + uint(0x00ffff00) + uint(3) + uint(1 << 62),
            b"\x07" + r.text(b"v") + module_id(b"MBbloom--", 4) + uint(1 << 62) * 4,
            b"\x07" + r.text(b"v") + module_id(b"TopK-TYPE", 0) + uint(1 << 62) * 3,
            b"\xf7" + HUGE + b"\x02" + HUGE + uint(1) * 1000,
            b"\xf5" + HUGE + b"#!lua name=x\n",
            b"\xfa" + HUGE + b"x",
            b"\xfe" + HUGE,
        ):
            with self.subTest(body=body[:30]):
                report = self.analyse(r.dump(r.select(0), r.string(b"a", b"v"), version=11)[:-9] + body, status=1)
                self.assertEqual(report["totals"]["keys"], 1)
                self.assertLess(report["ledger"]["used_memory"], 4 << 20)

    def test_size_hints(self):
        for n in (HUGE, b"\x81" + b"\xff" * 8):
            self.write("h.rdb", r.dump(r.select(0), b"\xfb" + n + n, r.string(b"a", b"v")))
            for target in ("redis:4.0", "redis:7.2", "valkey:8.1"):
                out, _, status = self.limited("-fjson", "--target=" + target, "h.rdb")
                self.assertEqual((status, json.loads(out)["totals"]["keys"]), (0, 1))

    def test_long_names_and_values(self):
        long = b"n" * (100 << 20)
        report = self.analyse(r.dump(r.select(0), r.string(long, b"v"), r.string(b"a", long)), status=0)
        self.assertEqual(report["totals"]["keys"], 2)
        self.assertGreater(report["totals"]["size_in_bytes"], 200 << 20)

    def test_many_small_things(self):
        self.analyse(r.dump(*(r.select(n * 7919) + r.string(b"k", b"v") for n in range(5000))), status=0)
        self.analyse(r.dump(*(r.aux(b"x%d" % n, b"y" * 100) for n in range(50000)), r.select(0)), status=0)
        self.analyse(r.dump(*(b"\xf5" + r.text(b"#!lua name=l%d\nredis.register_function('f%d', x)" % (n, n)) for n in range(5000))), status=0)


class Bombs(Hostile):
    def test_lzf_lengths(self):
        stored, n = lzf_run(b"a", 100000)
        for claim in (1 << 62, 1 << 32, 1 << 31, n * 3, n + 1, n - 1, 0):
            with self.subTest(claim=claim):
                report = self.analyse(r.dump(r.select(0), r.string(b"a", b"v"), b"\x10" + r.text(b"h") + lzf(stored, claim)), status=1)
                self.assertLessEqual(report["totals"]["keys"], 2)

    def test_lzf_of_a_string(self):
        stored, n = lzf_run(b"a", 80 << 20)
        report = self.analyse(r.dump(r.select(0), b"\x00" + r.text(b"s") + lzf(stored, n)), status=0)
        self.assertEqual(report["top_keys_by_bytes"][0]["num_elements"], n)

    def test_lzf_of_a_container(self):
        """A listpack of one element of 60 MiB in 700 KiB: walked piece by piece."""
        stored, n = lzf_run(b"a", 60 << 20)
        encoded = 5 + n
        groups = [encoded >> 28, encoded >> 21 & 127, encoded >> 14 & 127, encoded >> 7 & 127, encoded & 127]
        back = bytes([groups[1]] + [g | 128 for g in groups[2:]])
        total = 6 + 5 + n + len(back) + 1
        head = struct.pack("<IH", total, 1) + b"\xf0" + struct.pack("<I", n)
        whole = bytes([len(head) - 1]) + head + stored + bytes([len(back)]) + back + b"\xff"
        data = r.dump(r.select(0), b"\x14" + r.text(b"s") + lzf(whole, total), r.string(b"after", b"v"))
        report = self.analyse(data, status=0)
        self.assertEqual((report["totals"]["keys"], report["totals"]["num_elements"]), (2, 2))
        self.assertEqual(report["top_keys_by_bytes"][0]["len_largest_element"], n)

    def test_gzip(self):
        def parts():
            head = r.dump(r.select(0))[:-9]
            yield head + b"\x00" + r.text(b"big") + r.length(1 << 30)
            for _ in range(1 << 10):
                yield bytes(1 << 20)
            yield r.string(b"after", b"v") + b"\xff" + bytes(8)
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = b"".join(squeeze.compress(p) for p in parts()) + squeeze.flush()
        self.write("h.rdb", data)
        out, _, status = self.limited("-fjson", "h.rdb")
        self.assertEqual((status, json.loads(out)["totals"]["keys"]), (0, 2))

    def test_deep_json(self):
        for n in (10, 100000, 1000000):
            text = b"[" * n + b"]" * n
            report = self.analyse(r.dump(r.select(0), module(b"j", b"ReJSON-RL", 3, item(text)), r.string(b"a", b"v")), status=0)
            self.assertEqual(report["totals"]["keys"], 2)
        self.analyse(r.dump(r.select(0), module(b"j", b"ReJSON-RL", 3, item(b"{\"a\":" * 100000))), status=0)
        self.analyse(r.dump(r.select(0), module(b"j", b"ReJSON-RL", 0, *[uint(64), uint(1)] * 200000)), status=0)

    def test_many_module_items(self):
        self.analyse(r.dump(r.select(0), module(b"m", b"some-type", 1, *[uint(7), item(b"x")] * 300000)), status=0)


class Containers(Hostile):
    """A container that lies is damage; where it ends is known all the same."""
    GOOD = (b"first", b"second", b"third", b"fourth")

    def lies(self):
        good, pairs = self.GOOD, listpack(*self.GOOD)
        yield "listpack bytes", blob(16, b"bad", listpack(*good, total=len(pairs) + 1))
        yield "listpack bytes 2^32-1", blob(16, b"bad", listpack(*good, total=(1 << 32) - 1))
        yield "listpack count", blob(16, b"bad", listpack(*good, count=3))
        yield "listpack count 65534", blob(20, b"bad", listpack(*good, count=65534))
        yield "listpack without end", blob(16, b"bad", pairs[:-1] + b"\x00")
        yield "listpack entry too long", blob(16, b"bad", pairs[:6] + b"\xbf" + pairs[7:])
        yield "listpack backlen", blob(16, b"bad", pairs[:12] + b"\x07" + pairs[13:])
        yield "listpack encoding", blob(17, b"bad", pairs[:6] + b"\xf7" + pairs[7:])
        yield "listpack of 3 bytes", blob(16, b"bad", b"\x03\x00\x00")
        z = ziplist(*good)
        yield "ziplist bytes", blob(13, b"bad", ziplist(*good, total=len(z) - 1))
        yield "ziplist tail", blob(13, b"bad", ziplist(*good, tail=11))
        yield "ziplist tail beyond", blob(10, b"bad", ziplist(*good, tail=1 << 31))
        yield "ziplist count", blob(12, b"bad", ziplist(*good, count=5))
        yield "ziplist inside its string", blob(13, b"bad", z[:11] + b"\x3f" + z[12:])
        yield "ziplist prevlen", blob(13, b"bad", z[:17] + b"\x55" + z[18:])
        yield "ziplist encoding", blob(13, b"bad", z[:11] + b"\xff" + z[12:])
        yield "ziplist in a quicklist", b"\x0e" + r.text(b"bad") + r.length(2) + r.text(z) + r.text(z[:-1] + b"\x00")
        yield "listpack in a quicklist", b"\x12" + r.text(b"bad") + r.length(1) + b"\x02" + r.text(pairs[:-1])
        yield "intset of width 3", blob(11, b"bad", intset(3, [1, 2, 3]))
        yield "intset of width 16", blob(11, b"bad", intset(16, [1, 2, 3]))
        yield "intset of width 0", blob(11, b"bad", intset(0, [1, 2, 3]))
        yield "intset count", blob(11, b"bad", intset(4, [1, 2, 3], count=4))
        yield "intset count 2^31", blob(11, b"bad", intset(8, [1, 2, 3], count=1 << 31))
        yield "intset order", blob(11, b"bad", intset(4, [1, 3, 2]))
        yield "intset of 7 bytes", blob(11, b"bad", bytes(7))
        yield "zipmap without end", blob(9, b"bad", b"\x01\x01a\x01\x00b")
        yield "zipmap too long", blob(9, b"bad", b"\x01\xfe\xff\xff\xff\xffa\x01\x00b\xff")
        yield "lzf damaged", b"\x10" + r.text(b"bad") + lzf(b"\xe0\xff\x00" * 10, 2640)

    def test_one_key_is_lost(self):
        for name, bad in self.lies():
            with self.subTest(name=name):
                self.write("h.rdb", r.dump(r.select(0), r.string(b"before", b"v"), bad, r.plain_set(b"after", [b"a", b"b"]),
                                           r.select(3), r.string(b"last", b"v")))
                rows = self.rows("--on-error=skip-key", status=1)
                self.assertEqual([row["key"] for row in rows], ["before", "bad", "after", "last"])
                self.assertEqual(["damaged" in row["flags"] for row in rows], [False, True, False, False])
                self.assertEqual(rows[1]["size_in_bytes"], "0")
                out, err, _ = self.limited("-fjson", "--on-error=skip-key", "h.rdb")
                report = json.loads(out)
                self.assertEqual((report["totals"]["keys"], report["totals"]["damaged_keys"]), (4, 1))
                self.assertEqual(report["totals"]["size_in_bytes"], report["ledger"]["keys"])
                self.assertIn(b"last key 'bad' in db0", err)
                self.assertEqual(report["error"]["last_key"], {"database": 0, "key": "bad"})

    def test_reading_stops_there(self):
        for name, bad in self.lies():
            with self.subTest(name=name):
                self.write("h.rdb", r.dump(r.select(0), r.string(b"before", b"v"), bad, r.string(b"after", b"v")))
                rows = self.rows(status=1)
                self.assertEqual([row["key"] for row in rows], ["before", "bad"])

    def test_every_server_sees_it(self):
        for target in ("redis:2.8", "redis:3.2", "redis:5.0", "redis:6.2", "redis:7.0", "redis:7.4", "redis:8.8", "valkey:8.1", "valkey:9.1"):
            for name, bad in self.lies():
                with self.subTest(target=target, name=name):
                    self.write("h.rdb", r.dump(r.select(0), bad, r.string(b"after", b"v")))
                    rows = self.rows("--target=" + target, "--on-error=skip-key", "--config=list-compress-depth=1", status=1)
                    self.assertEqual(["damaged" in row["flags"] for row in rows], [True, False])

    def test_damage_whose_end_is_not_known(self):
        """The way to the next key is lost: skip-key cannot help."""
        self.write("h.rdb", r.dump(r.select(0), r.string(b"before", b"v"), b"\x04" + r.text(b"bad") + r.length(2) + b"\xc9abc", r.string(b"after", b"v")))
        rows = self.rows("--on-error=skip-key", status=1)
        self.assertEqual([row["key"] for row in rows], ["before"])


class Big(Hostile):
    def test_packs_longer_than_the_window(self):
        """They are read twice where the target rewrites them: 600 KB in a window of 256 KiB."""
        items = [b"%040d" % i for i in range(12000)]
        body = b"".join(map(lp_str, items))
        lp = struct.pack("<IH", 7 + len(body), 12000) + body + b"\xff"
        ints = intset(8, [i << 33 for i in range(50000)])
        data = r.dump(r.select(0), blob(13, b"zl", ziplist(*items)), blob(16, b"lp", lp), blob(11, b"is", ints), r.string(b"after", b"v"))
        limits = ["--config=hash-max-listpack-entries=100000", "--config=set-max-intset-entries=100000"]
        for target in ("redis:6.2", "redis:7.2", "valkey:9.1"):
            report = self.analyse(data, "--target=" + target, *limits, status=0)
            self.assertEqual(report["totals"]["keys"], 4)
            encodings = {(e["type"], e["encoding"]): e["num_elements"] for e in report["encodings"]}
            self.assertEqual(encodings["set", "intset"], 50000)
            report = self.analyse(data, "--target=" + target, status=0)
            encodings = {(e["type"], e["encoding"]): e["num_elements"] for e in report["encodings"]}
            self.assertEqual((encodings["set", "hashtable"], encodings["hash", "hashtable"]), (50000, 12000))


if __name__ == "__main__":
    unittest.main()
