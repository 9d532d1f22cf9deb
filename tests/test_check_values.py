"""Sizes worked out by hand from the servers' sources, or read off a running server, and never by rdbmem.

Each table below is a list of check values: what a key, an entry or a structure of a given shape costs on a given
server. The dumps are built here, byte by byte. Where a server draws lots, the expected value stands in the table.
"""
import json
import os
import random
import re
import struct
import unittest

from clitest import CliTest
import rdbfile as r
from test_formats import read_csv

REDIS = ("2.8", "3.2", "4.0", "5.0", "6.0", "6.2", "7.0", "7.2", "7.4", "8.0", "8.2", "8.4", "8.6", "8.8")
LATER = 2208988800000          # 2040-01-01, beyond any `now`
MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "memory-model.md")
ROBJ, ENTRY = 16, 24


def jemalloc(n):
    """Usable size of a request, jemalloc with a quantum of 8 bytes."""
    if n <= 64:
        return max(8, (n + 7) // 8 * 8)
    step = 1 << ((n - 1).bit_length() - 3)
    return (n + step - 1) // step * step


def tree_nodes(keys, depth=0):
    """Nodes of a radix tree, by the definition of its shape: recursion over all keys at once."""
    value = 8 * any(len(key) == depth for key in keys)
    rest = [key for key in keys if len(key) > depth]
    if not rest:
        return jemalloc(8 + value)
    run = 0
    while all(len(key) > depth + run and key[depth + run] == rest[0][depth + run] for key in rest):
        run += 1
        if any(len(key) == depth + run for key in rest):
            break
    if run:
        return jemalloc((4 + run + 7) // 8 * 8 + 8 + value) + tree_nodes(rest, depth + run)
    first = sorted({key[depth] for key in rest})
    size = jemalloc((4 + len(first) + 7) // 8 * 8 + 8 * len(first) + value)
    return size + sum(tree_nodes([key for key in rest if key[depth] == b], depth + 1) for b in first)


# ---------------------------------------------------------------- records that rdbfile.py does not have

def integer(n):
    return b"\xc0" + struct.pack("<b", n) if -128 <= n < 128 else b"\xc1" + struct.pack("<h", n)


def blob(number, key, body):
    return bytes([number]) + r.text(key) + r.text(body)


def intset(values, width=2):
    return struct.pack("<II", width, len(values)) + b"".join(v.to_bytes(width, "little", signed=True) for v in sorted(values))


def ttl_hash(key, fields):
    """Type 24: fields are (field, value, expiry or 0)."""
    least = min((t for _, _, t in fields if t), default=0)
    body = b"".join(r.length(t - least + 1 if t else 0) + r.text(f) + r.text(v) for f, v, t in fields)
    return b"\x18" + r.text(key) + struct.pack("<q", least) + r.length(len(fields)) + body


def valkey_ttl_hash(key, fields):
    """Type 22 of Valkey."""
    body = b"".join(r.text(f) + r.text(v) + struct.pack("<q", t or -1) for f, v, t in fields)
    return b"\x16" + r.text(key) + r.length(len(fields)) + body


# A node with one live entry: count, deleted, fields, field, 0, then flags 2, ms 0, seq 0, value, lp-count.
NODE_ENTRIES = bytes([1, 1, 0, 1, 1, 1]) + b"\x81f\x02" + bytes([0, 1, 2, 1, 0, 1, 0, 1]) + b"\x81v\x02" + bytes([4, 1])
NODE = struct.pack("<IH", 7 + len(NODE_ENTRIES), 10) + NODE_ENTRIES + b"\xff"


def stream_id(ms, seq):
    return struct.pack(">QQ", ms, seq)


def stream(key, ids, groups=()):
    """Type 15. groups: (name, [(id, delivery ms)], [consumer names])."""
    body = r.length(len(ids)) + b"".join(r.text(i) + r.text(NODE) for i in ids)
    body += r.length(len(ids)) + r.length(1) + r.length(0) + r.length(len(groups))
    for name, pending, consumers in groups:
        body += r.text(name) + r.length(1) + r.length(0)
        body += r.length(len(pending)) + b"".join(i + struct.pack("<q", ms) + b"\x01" for i, ms in pending)
        body += r.length(len(consumers))
        for n, consumer in enumerate(consumers):
            own = pending if n == 0 else ()
            body += r.text(consumer) + struct.pack("<q", 1) + r.length(len(own)) + b"".join(i for i, _ in own)
    return b"\x0f" + r.text(key) + body


class CheckValues(CliTest):
    def report(self, target, records, *options, valkey=False, version=12, extra=b"", kind="json"):
        data = r.dump(r.select(0), *records, version=version, extra=extra)
        if valkey:                           # three digits there
            data = b"VALKEY080" + data[9:]
        self.write("d.rdb", data)
        out = self.run_rdbmem("-f" + kind, "--target=" + target, *options, "d.rdb")[0]
        return json.loads(out) if kind == "json" else read_csv(out)[1]

    def sizes(self, target, records, *options, **how):
        """(size_in_bytes, encoding) of each record, in order."""
        rows = self.report(target, records, *options, kind="csv", **how)
        self.assertEqual(len(rows), len(records))
        return [(int(row["size_in_bytes"]), row["encoding"]) for row in rows]

    def one(self, target, record, *options, **how):
        (row,) = self.report(target, [record], *options, kind="csv", **how)
        return int(row["size_in_bytes"]), row

    def structures(self, target, record, *options, **how):
        return self.report(target, [record], *options, **how)["structures"]


# ---------------------------------------------------------------- Redis 2.8 to 7.4: keys, strings, two hashes, an intset

class Basics(CheckValues):
    """Key of eight bytes; jemalloc 3.6 with its quantum of 16 on 2.8, a quantum of 8 on all others."""
    KEY = b"key:0001"
    SERVERS = ("2.8", "3.2", "4.0", "5.0", "6.0", "6.2", "7.0", "7.2", "7.4")
    FIELDS600 = [(b"field%d" % i, b"value%d" % i) for i in range(600)]
    LONG10 = [(b"f%d" % i, b"x" * 100) for i in range(10)]

    def columns(self, *five):
        """2.8, 3.2, 4.0, 5.0 to 6.2, 7.0 to 7.4 spread over the servers."""
        return dict(zip(self.SERVERS, five[:3] + five[3:4] * 3 + five[4:] * 3))

    def test_values(self):
        key = self.columns(64, 40, 40, 40, 40)
        ttl = self.columns(32, 24, 24, 24, 24)
        rows = {
            "hello world": (r.string(self.KEY, b"hello world"), (48, 32, 32, 32, 32)),
            "44 bytes": (r.string(self.KEY, b"a" * 44), (80, 64, 64, 64, 64)),
            "45 bytes": (r.string(self.KEY, b"a" * 45), (80, 72, 72, 72, 72)),
            "integer 123": (b"\x00" + r.text(self.KEY) + integer(123), (0, 0, 0, 0, 0)),
            "integer 12345": (b"\x00" + r.text(self.KEY) + integer(12345), (16, 16, 16, 16, 16)),
            "text 12345678901": (r.string(self.KEY, b"12345678901"), (16, 32, 32, 16, 16)),
            "600 fields": (r.plain_hash(self.KEY, self.FIELDS600), (86000, 65200, 45840, 41744, 41704)),
            "10 long values": (r.plain_hash(self.KEY, self.LONG10), (2224, 2064, 1744, 1680, 1640)),
            "intset": (blob(11, self.KEY, intset([1, 2, 300, 4000, 30000])), (48, 40, 40, 40, 40)),
            "intset, one by one": (r.plain_set(self.KEY, [b"1", b"2", b"300", b"4000", b"30000"]), (48, 40, 40, 40, 40)),
        }
        for server in self.SERVERS:
            records = [record for record, _ in rows.values()]
            got = self.sizes("redis:" + server, records + [r.expire(LATER) + record for record in records])
            for i, (name, (_, values)) in enumerate(rows.items()):
                with self.subTest(server=server, value=name):
                    want = key[server] + self.columns(*values)[server]
                    self.assertEqual(got[i][0], want)
                    self.assertEqual(got[len(rows) + i][0], want + ttl[server])

    def test_skiplist_nodes(self):
        """Expected size of a node: the levels are dice. Members of 8 bytes: sds 10, on 2.8 an sds of 17."""
        n, buckets = 1000, 1024
        members = [(b"m%07d" % i, i) for i in range(n)]
        for server, node, member in (("4.0", 45.836, 16), ("5.0", 45.836, 16), ("7.2", 45.836, 16), ("7.4", 45.836, 16)):
            header = {"4.0": 96, "5.0": 96}.get(server, 56)
            head = jemalloc(24 + 16 * (64 if server == "5.0" else 32))
            fixed = 40 + ROBJ + 16 + header + 8 * buckets + 32 + head + n * (ENTRY + member)
            if server == "4.0":
                fixed += 8 * 512 * (n < 512 * 1.63)   # 1000 = 512 + 488: the rehash is over
            with self.subTest(server=server):
                self.assertAlmostEqual((self.one("redis:" + server, r.zset(self.KEY, members))[0] - fixed) / n, node, delta=0.001)
        old = 64 + ROBJ + 16 + 96 + 8192 + 32 + 640 + n * (32 + ROBJ + 32)
        self.assertAlmostEqual((self.one("redis:2.8", r.zset(self.KEY, members))[0] - old) / n, 53.336, delta=0.001)


# ---------------------------------------------------------------- Redis 8: the key object

class KeyObjects(CheckValues):
    # length of the key, value, TTL, bytes on 8.0, on 8.2 and 8.4, on 8.6 and 8.8
    ROWS = [
        (5, b"7", False, 32, 24, 24),
        (5, b"12345", False, 48, 24, 24),
        (5, b"12345", True, 72, 32, 32),
        (5, b"seven..", False, 64, 40, 40),
        (20, b"v" * 21, False, 96, 64, 64),
        (20, b"v" * 21, True, 120, 72, 80),
        (20, b"v" * 22, False, 96, 64, 64),
        (20, b"v" * 44, False, 112, 88, 88),
        (32, b"v" * 9, False, 96, 80, 80),
        (40, b"", False, 96, 80, 80),
        (42, b"", False, 96, 72, 72),
        (20, b"v" * 1000, False, 1088, 1064, 1064),
        (128, b"12345", False, 200, 160, 160),
    ]

    def test_rows(self):
        records = [(r.expire(LATER) if ttl else b"") + r.string(b"k" * k, value) for k, value, ttl, *_ in self.ROWS]
        for column, server in zip((3, 4, 4, 5, 5), REDIS[9:]):
            for row, (got, _) in zip(self.ROWS, self.sizes("redis:" + server, records)):
                with self.subTest(server=server, row=row):
                    self.assertEqual(got, row[column])


    def test_reserve(self):
        """A name of 128 bytes has room for an expiry. jemalloc's classes hide where that begins, glibc's do not."""
        for server in REDIS[10:]:
            with self.subTest(server=server):
                sizes = self.sizes("redis:" + server, [r.string(b"k" * k, b"12345") for k in (127, 128)], "--allocator=libc")
                self.assertEqual([size for size, _ in sizes], [152, 168])


class ValkeyKeyObjects(CheckValues):
    VALKEY = ("7.2", "8.0", "8.1", "9.1")
    # lengths of key and value; per server without and with a TTL; e: embedded, r: raw
    EMBEDDED = [
        (3, 1, (56, 80), (48, 72), ("32e", "40e"), ("24e", "32e")),
        (10, 5, (72, 96), (64, 88), ("40e", "48e"), ("32e", "40e")),
        (10, 31, (96, 120), (88, 112), ("64e", "80r"), ("56e", "64e")),
        (10, 32, (96, 120), (88, 112), ("72r", "80r"), ("64e", "80e")),
        (20, 22, (96, 120), (88, 112), ("64r", "72r"), ("64e", "80e")),
        (40, 1, (96, 120), (88, 112), ("80e", "80e"), ("64e", "80e")),
        (40, 2, (96, 120), (88, 112), ("72r", "88r"), ("64e", "80e")),
        (16, 64, (144, 168), (136, 160), ("120r", "128r"), ("96e", "112e")),
        (10, 100, (168, 192), (160, 184), ("144r", "152r"), ("128e", "152r")),
        (60, 60, (168, 192), (176, 200), ("160r", "160r"), ("160r", "160r")),
        (130, 10, (216, 240), (192, 216), ("176r", "176r"), ("176r", "176r")),
    ]
    # an integer of 10000 and more: key, entries and object, nothing else
    LENGTHS = (5, 16, 29, 30, 32, 45, 60, 100, 127, 128, 200)
    PLAIN = {
        ("8.1", False): (24, 40, 48, 56, 56, 80, 96, 128, 160, 160, 256),
        ("8.1", True): (32, 48, 56, 64, 64, 80, 96, 160, 160, 160, 256),
        ("8.0", False): (40, 56, 64, 72, 72, 96, 112, 144, 176, 176, 240),
        ("7.2", False): (48, 64, 72, 72, 80, 96, 104, 152, 200, 200, 264),
    }

    def test_embedding(self):
        records = [expiry + r.string(b"k" * k, b"v" * v) for k, v, *_ in self.EMBEDDED for expiry in (b"", r.expire(LATER))]
        for column, server in enumerate(self.VALKEY):
            got = iter(self.sizes("valkey:" + server, records))
            for k, v, *columns in self.EMBEDDED:
                for want in columns[column]:
                    if isinstance(want, int):
                        want = want, "embstr" if v <= 44 else "raw"
                    else:
                        want = int(want[:-1]), {"e": "embstr", "r": "raw"}[want[-1]]
                    with self.subTest(server=server, k=k, v=v):
                        self.assertEqual(next(got), want)

    def test_payload_elsewhere(self):
        tables = dict(self.PLAIN)
        tables["9.1", False], tables["9.1", True] = tables["8.1", False], tables["8.1", True]
        for server in ("8.0", "7.2"):
            tables[server, True] = tuple(n + 24 for n in tables[server, False])
        for (server, ttl), row in tables.items():
            expiry = r.expire(LATER) if ttl else b""
            records = [expiry + b"\x00" + r.text(b"k" * k) + integer(12345) for k in self.LENGTHS]
            with self.subTest(server=server, ttl=ttl):
                self.assertEqual([size for size, _ in self.sizes("valkey:" + server, records)], list(row))
        pack = struct.pack("<IH", 10, 1) + b"\x81x\x02" + b"\xff"   # a list's object is the same block
        records = [b"\x12" + r.text(b"k" * k) + r.length(1) + r.length(2) + r.text(pack) for k in self.LENGTHS]
        self.assertEqual([size - 16 for size, _ in self.sizes("valkey:8.1", records)], list(self.PLAIN["8.1", False]))


# ---------------------------------------------------------------- fields of hashes in tables

class FieldEntries(CheckValues):
    # field, value, TTL, bytes with its entry: 8.0 to 8.4, then 8.6 and 8.8
    REDIS8 = [
        (5, 10, False, 48, 24), (5, 10, True, 72, 40), (10, 110, False, 168, 128), (10, 113, False, 168, 152),
        (31, 92, False, 160, 144), (32, 88, False, 160, 128), (5, 100, True, 168, 152),
    ]
    # field, value, bytes on 8.1 and 9.x, with a field TTL on 9.x
    VALKEY = [(5, 10, 24, 32), (10, 100, 128, 128), (40, 80, 128, 160), (20, 104, 144, 152), (40, 82, 152, 160),
              (10, 113, 152, 160)]

    def entry(self, target, record, header, array, *options, **how):
        """What a hash of one field costs beyond key, header and buckets."""
        s = self.structures(target, record, *options, **how)
        self.assertEqual((s["dict"], s["bucket array"]), (header, array))
        return s["element entry"] + s["element"] + s["field value"]

    def test_redis8(self):
        table = "--config=hash-max-listpack-entries=0"
        headers = {"8.0": (56, 96), "8.2": (56, 80), "8.4": (64, 96), "8.6": (64, 96), "8.8": (64, 96)}
        for f, v, ttl, old, block in self.REDIS8:
            for server in REDIS[9:]:
                pair = (b"f" * f, b"v" * v)
                record = ttl_hash(b"h", [pair + (LATER,)]) if ttl else r.plain_hash(b"h", [pair])
                with self.subTest(server=server, f=f, v=v, ttl=ttl):
                    got = self.entry("redis:" + server, record, headers[server][ttl], 32, table)
                    self.assertEqual(got, old if server < "8.6" else block)

    def test_valkey(self):
        for f, v, plain, expiring in self.VALKEY:
            field = (b"f" * f, b"v" * v)
            with self.subTest(f=f, v=v):
                for server, header in (("8.1", 80), ("9.0", 80), ("9.1", 96)):
                    got = self.entry("valkey:" + server, r.plain_hash(b"h", [field]), header, 64,
                                     "--config=hash-max-listpack-entries=0")
                    self.assertEqual(got, plain, server)
                for server, header in (("9.0", 80), ("9.1", 96)):
                    record = valkey_ttl_hash(b"h", [field + (LATER,)])
                    got = self.entry("valkey:" + server, record, header, 64, valkey=True)
                    self.assertEqual(got, expiring, server)


# ---------------------------------------------------------------- expiries of fields

class Ebuckets(CheckValues):
    """Bytes of a hash's ebuckets on 7.4: rax header of 24 + 8, nodes, segment headers."""
    BASE = 1900000000000
    COUNTS = (16, 17, 24, 25, 33, 100)
    ROWS = {
        "one ms apart": (lambda i: Ebuckets.BASE + i, (0, 144, 144, 184, 224, 552)),
        "one second apart": (lambda i: Ebuckets.BASE + 1000 * i, (0, 168, None, 224, None, 784)),
        "descending": (lambda i: Ebuckets.BASE - i, (0, 144, None, 472, 824, 3672)),
        "all equal": (lambda i: Ebuckets.BASE, (0, 112, 112, 112, 136, 232)),
    }

    def bytes_of(self, server, count, at):
        fields = [(b"f%04d" % i, b"v", at(i)) for i in range(count)]
        s = self.structures("redis:" + server, ttl_hash(b"h", fields), "--config=hash-max-listpack-entries=0")
        return s["field ttl"] + s["radix tree"]

    def test_rows(self):
        for name, (at, row) in self.ROWS.items():
            for count, want in zip(self.COUNTS, row):
                if want is not None:
                    with self.subTest(row=name, count=count):
                        self.assertEqual(self.bytes_of("7.4", count, at), want)

    @staticmethod
    def naive(times):
        """The rules of ebuckets.c over plain lists; a bucket is [its key, its expiries]."""
        if len(times) <= 16:
            return 0
        first = sorted(times[:16])
        buckets = [[first[0], first]]
        for t in times[16:]:
            at = max((i for i, (key, _) in enumerate(buckets) if key <= t), default=None)
            if at is None:
                buckets.insert(0, [t, [t]])
                continue
            key, items = buckets[at]
            if len(items) < 16:
                items.append(t)
                items.sort()
            elif len(set(items)) == 1:
                if t == items[0]:
                    items.append(t)
                else:
                    buckets.insert(at if t < items[0] else at + 1, [t, [t]])
                if t <= items[0]:
                    buckets[at + (t < items[0])][0] = items[0]
            else: # cut where two neighbours differ, nearest to the middle; of two at the same distance the left one
                cuts = [i for i in range(1, 16) if items[i - 1] < items[i]]
                cut = min(cuts, key=lambda i: (9 - i if i <= 8 else i - 8, i))
                right = [items[cut], items[cut:]]
                buckets[at:at + 1] = [[key, items[:cut]], right]
                target = right[1] if t >= right[0] else buckets[at][1]
                target.append(t)
                target.sort()
        tree = tree_nodes([key.to_bytes(6, "big") for key, _ in buckets])
        return 32 + tree + sum(16 + 24 * ((len(items) - 1) // 16) for _, items in buckets)

    def test_against_plain_lists(self):
        dice = random.Random(3)
        for spread in (1, 2, 3, 5, 9, 14, 20, 40, 1000, 10 ** 6):
            for count in (17, 40, 150):
                times = [self.BASE + dice.randrange(spread) for _ in range(count)]
                with self.subTest(spread=spread, count=count):
                    self.assertEqual(self.bytes_of("7.4", count, times.__getitem__), self.naive(times))

    def test_seventeen_seconds(self):
        """The radix tree's struct grew by a pointer in 8.4."""
        for server, want in (("7.4", 168), ("8.0", 168), ("8.2", 168), ("8.4", 176), ("8.6", 176), ("8.8", 176)):
            with self.subTest(server=server):
                self.assertEqual(self.bytes_of(server, 17, lambda i: self.BASE + 1000 * i), want)


class VolatileSets(CheckValues):
    """Bytes of the set of volatile fields on Valkey 9.1; children: buckets of 64 whose number the addresses decide."""
    T0 = 2208988798976          # a multiple of 8192
    COUNTS = (128, 200, 600, 2000)
    ROWS = {
        "at once": (0, (3224, 2200, 8344, 49304)),
        "1 ms apart": (1, (1392, 2088, 6232, 20936)),
        "16 ms apart": (16, (1168, 1808, 5216, 17104)),
        "1 s apart": (1000, (2040, 3128, 9128, 30240)),
        "1 min apart": (60000, (5736, 8696, 25976, 86528)),
    }

    def bytes_of(self, fields):
        s = self.structures("valkey:9.1", valkey_ttl_hash(b"h", fields), valkey=True)
        return s["field ttl"] + s["radix tree"]

    def test_rows(self):
        for name, (step, row) in self.ROWS.items():
            for count, want in zip(self.COUNTS, row):
                got = self.bytes_of([(b"f%04d" % i, b"v", self.T0 + step * i) for i in range(count)])
                with self.subTest(row=name, count=count):
                    if step:
                        self.assertEqual(got, want)
                    else: # expected children on top: between none and one for every seven pointers
                        self.assertTrue(want <= got <= want + 64 * count // 7, (got, want))

    def test_few(self):
        for count, want in ((0, 0), (1, 0), (2, jemalloc(24)), (10, jemalloc(88)), (127, jemalloc(1024))):
            fields = [(b"f%04d" % i, b"v", self.T0 + i if i < count else 0) for i in range(200)]
            with self.subTest(count=count):
                self.assertEqual(self.bytes_of(fields), want)


# ---------------------------------------------------------------- radix trees

class RadixTrees(CheckValues):
    MS = 1700000000000
    COUNTS = (0, 1, 2, 10, 17, 100, 256, 257, 1000)
    # bytes / nodes with a header of 24 (5.0 to 8.2)
    SAME_MS = ((32, 1), (72, 2), (112, 4), (312, 12), (488, 19), (2680, 102), (6712, 258), (6768, 261), (26336, 1006))
    MS_APART = ((32, 1), (72, 2), (152, 6), (544, 22), (888, 36), (5072, 202), (12848, 514), (12912, 517), (50328, 2006))

    def ids_of(self, server, ids):
        """Bytes of the tree of ids, and its nodes by way of MEMORY USAGE's guess of 16 a key and 244 a node."""
        record = stream(b"s", ids)
        tree = self.structures("redis:" + server, record)["radix tree"]
        if server != "7.2":
            return tree, None
        usage = int(self.one("redis:" + server, record)[1]["memory_usage"])
        fixed = 8 + ENTRY + ROBJ + 80 + len(ids) * (jemalloc(len(NODE)) + 16)
        return tree, (usage - fixed) / 244

    def test_ids(self):
        for name, row, make in (("one millisecond", self.SAME_MS, lambda i: stream_id(self.MS, i)),
                                ("a millisecond apart", self.MS_APART, lambda i: stream_id(self.MS + i, 0))):
            for k, (bytes_, nodes) in zip(self.COUNTS, row):
                ids = [make(i) for i in range(k)]
                with self.subTest(row=name, k=k):
                    self.assertEqual(self.ids_of("7.2", ids), (bytes_, nodes))
                    self.assertEqual(self.ids_of("5.0", ids)[0], bytes_)
                    self.assertEqual(self.ids_of("8.2", ids)[0], bytes_)
                    self.assertEqual(self.ids_of("8.4", ids)[0], bytes_ + 8)
        self.assertEqual(self.ids_of("7.2", [stream_id(self.MS, i) for i in range(3)]), (136, 5))
        self.assertEqual(self.ids_of("7.2", [stream_id(self.MS + i, 0) for i in range(3)]), (200, 8))

    def test_ids_37_ms_apart(self):
        for k, want in ((1, 80), (4, 256), (5, 312), (17, 960), (100, 5352)):
            ids = [stream_id(self.MS + 37 * i, 0) for i in range(k)]
            with self.subTest(k=k):
                self.assertEqual(self.ids_of("8.4", ids)[0], want)
                self.assertEqual(self.ids_of("8.2", ids)[0], want - 8)

    def test_names(self):
        """As consumers of one group: the ids' tree, the group's name, its empty tree of pending ids, and each consumer's."""
        group = jemalloc(24) + 16 + 16        # one name of one byte: head and leaf of 16
        rows = [([b"c1"], 56), ([b"c1", b"c2"], 96), ([b"c%d" % i for i in range(1, 11)], 304),
                ([b"foo", b"foobar", b"footer", b"first"], 208)]
        for names, want in rows:
            record = stream(b"s", [], [(b"g", [], sorted(names))])
            tree = self.structures("redis:7.2", record)["radix tree"]
            with self.subTest(names=names):
                self.assertEqual(tree - 32 - group - 32 - 32 * len(names), want)

    def test_against_a_naive_tree(self):
        dice = random.Random(5)
        for round_ in range(12):
            names = set()
            while len(names) < 3 + 9 * round_:
                names.add(bytes(dice.choice(b"ab") for _ in range(dice.randint(1, 9))))
            record = stream(b"s", [], [(b"g", [], sorted(names))])
            tree = self.structures("redis:7.2", record)["radix tree"]
            with self.subTest(names=sorted(names)):
                self.assertEqual(tree - 32 - 56 - 32 - 32 * len(names), 24 + tree_nodes(sorted(names)))


# ---------------------------------------------------------------- hashtables of Valkey 8.1+, tables of the keyspace

class Tables(CheckValues):
    def test_children(self):
        """Bytes an entry of child buckets in a table of 512 buckets, filled to a share of their seven places."""
        for load, want in ((3.5, .49), (4, .82), (5, 1.72), (5.5, 2.24), (6, 2.77), (6.4, 3.19)):
            n = int(512 * load)
            s = self.structures("valkey:8.1", r.plain_set(b"s", [b"m%05d" % i for i in range(n)]))
            self.assertEqual(s["bucket array"], 512 * 64)
            with self.subTest(load=load):
                self.assertAlmostEqual(s["element entry"] / n, want, delta=0.015)

    def test_members_of_skiplists(self):
        """Expected bytes a member but for the table: node with the member inside (9.1), node and sds (before)."""
        rows = {8: (53.34, 61.84), 16: (63.35, 69.84), 24: (69.35, 77.84), 30: (85.38, 77.84), 36: (85.38, 85.84),
                100: (162.13, 157.84)}
        n = 4000
        for length, (inside, apart) in rows.items():
            members = [(b"%0*d" % (length - 1, i) + b"m", i) for i in range(n)]
            for server, want in (("9.1", inside), ("8.1", apart), ("7.2", apart)):
                with self.subTest(server=server, length=length):
                    s = self.structures("valkey:" + server, r.zset(b"z", members))
                    self.assertAlmostEqual((s["skiplist node"] + s["element"]) / n, want, delta=0.01)

    def hinted(self, target, keys, expires, **how):
        return self.report(target, [r.resize(keys, expires), r.string(b"k", b"v")], **how)["databases"][0]

    def test_hints(self):
        """What RESIZEDB makes before the first key; the one key that follows changes nothing."""
        rows = [("redis:7.2", 2014, 791, 16384, 8192), ("valkey:8.1", 2014, 791, 96 + 64 * 512, 96 + 64 * 128),
                ("valkey:9.1", 2014, 791, 32864, 8288), ("valkey:8.1", 57360, 24400, 1048672, 262240),
                ("redis:3.2", 0, 0, 32, 32), ("redis:8.8", 2129, 811, 32864, 8256), ("redis:8.6", 2129, 811, 2560 + 32768, 64 + 8192)]
        for target, keys, expires, main, volatile in rows:
            with self.subTest(target=target, keys=keys):
                db = self.hinted(target, keys, expires)
                self.assertEqual((db["main_table_bytes"], db["expires_table_bytes"]), (main, volatile))
        db = self.hinted("redis:8.6", 11476, 4880)
        self.assertEqual(db["main_table_bytes"] + db["expires_table_bytes"], 199232)
        self.assertEqual(self.hinted("redis:8.8", 4, 0)["expires_table_bytes"], 64)

    def test_no_hints(self):
        """7.4 to 8.4 and Valkey 8.0 make a database's tables when its first key comes, whatever the hint said."""
        for target, header, expires in (("redis:7.4", 64, 64), ("redis:8.0", 2560, 64), ("redis:8.2", 2560, 64),
                                        ("redis:8.4", 2560, 64), ("valkey:8.0", 80, 80)):
            db = self.hinted(target, 2014, 791)
            with self.subTest(target=target):
                self.assertEqual((db["main_table_bytes"], db["expires_table_bytes"]), (header + 32, 0))
                db = self.report(target, [r.expire(LATER) + r.string(b"k", b"v")])["databases"][0]
                self.assertEqual((db["main_table_bytes"], db["expires_table_bytes"]), (header + 32, expires + 32))

    def test_databases_on_demand(self):
        """Valkey 9.1: the structs of a database other than 0."""
        record = r.select(5) + r.string(b"k", b"v")
        plain = self.report("valkey:9.1", [r.string(b"k", b"v")])["ledger"]["keyspace"]
        self.assertEqual(self.report("valkey:9.1", [record])["ledger"]["keyspace"], plain + 1064)

    def test_slots(self):
        """Valkey 9.1 in cluster mode: 96 + 64 for each of the three numbers of slot-info that is not 0."""
        key = [r.string(b"k", b"v")]
        for info, want in ((b"7629,1,0,0", 160), (b"7629,1,1,0", 320), (b"7629,1,1,1", 480)):
            db = self.report("valkey:9.1", [r.aux(b"slot-info", info)] + key, "--config=cluster-enabled=yes")["databases"][0]
            with self.subTest(info=info):
                self.assertEqual(db["main_table_bytes"] + db["expires_table_bytes"], want)

    def test_slots_in_a_skiplist(self):
        """db.c slotToKeyAdd of 3.2.13: a node for each key, and the object and string that the name was read into."""
        n = 4000
        records = [r.resize(n, 0)] + [r.string(b"k%07d" % i, b"v") for i in range(n)]
        node = sum(0.75 * 0.25 ** (level - 1) * jemalloc(24 + 16 * level) for level in range(1, 33))
        plain, cluster = (self.report("redis:3.2", records, "--config=cluster-enabled=" + on) for on in ("no", "yes"))
        self.assertAlmostEqual(cluster["ledger"]["keyspace"] - plain["ledger"]["keyspace"], n * (16 + 16 + node), delta=2)
        self.assertEqual(cluster["databases"][0]["main_table_bytes"] + cluster["databases"][0]["expires_table_bytes"],
                         cluster["ledger"]["keyspace"])
        self.assertAlmostEqual(cluster["ledger"]["keys"], plain["ledger"]["keys"], delta=1)
        self.assertGreater(cluster["ledger"]["used_memory_stderr"], 0)

    def test_slots_in_a_tree(self):
        """One key: header, the compressed node of slot and name, a leaf; 4.0.14 does not pad the characters."""
        for target, run, leaf in (("redis:4.0", 4 + 2 + 7, 4), ("redis:5.0", 16, 8), ("redis:6.2", 16, 8)):
            plain, cluster = (self.report(target, [r.string(b"the key", b"v")], "--allocator=prefix", "--config=cluster-enabled=" + on)
                              ["ledger"]["keyspace"] for on in ("no", "yes"))
            with self.subTest(target=target):
                self.assertEqual(cluster - plain, (24 + 8) + (run + 8 + 8) + (leaf + 8))

    def test_collisions(self):
        """57360 keys, 24400 of them expiring, in presized tables: child buckets on Valkey, shared buckets on Redis 8.8."""
        keys = [(r.expire(LATER) if i < 24400 else b"") + r.string(b"key:%08d" % i, b"v") for i in range(57360)]
        records = [r.resize(57360, 24400)] + keys
        db = self.report("valkey:8.1", records)["databases"][0]
        children = (db["main_table_bytes"] + db["expires_table_bytes"] - 1048672 - 262240) / 64
        self.assertAlmostEqual(children, 439 + 1039, delta=1)
        db = self.report("redis:8.8", records)["databases"][0]
        shared = db["main_table_bytes"] + db["expires_table_bytes"] - (96 + 8 * 65536) - (64 + 8 * 32768)
        self.assertAlmostEqual(shared, 421285, delta=16)


# ---------------------------------------------------------------- found by comparing with servers

class Compared(CheckValues):
    def test_registration(self):
        """Hashes with expiring fields: their 17th in a database makes a radix tree there; in cluster mode one for each slot."""
        hashes = [ttl_hash(b"h%02d" % i, [(b"f", b"v", LATER + 1000 * i)]) for i in range(17)]
        table, cluster = "--config=hash-max-listpack-entries=0", "--config=cluster-enabled=yes"
        for target, options, want in (("redis:8.2", (), 168), ("redis:8.4", (), 176), ("redis:8.4", (cluster,), 0)):
            s = self.report(target, hashes, table, *options)["structures"]
            with self.subTest(target=target, options=options):
                self.assertEqual(s["field ttl"] + s["radix tree"], want)
        tagged = [ttl_hash(b"{slot}%02d" % i, [(b"f", b"v", LATER + 1000 * i)]) for i in range(17)]
        s = self.report("redis:8.4", tagged, table, cluster)["structures"]
        self.assertEqual(s["field ttl"] + s["radix tree"], 176)

    def test_encodings(self):
        self.assertEqual(self.one("redis:2.8", r.string(b"k", b""))[1]["encoding"], "raw")
        self.assertEqual(self.one("redis:3.2", r.string(b"k", b""))[1]["encoding"], "embstr")
        array = b"\x1c" + r.text(b"a") + r.length(1) + r.length(0) + r.length(0) + r.length(1) + bytes(8)
        self.assertEqual(self.one("redis:8.8", array, version=14)[1]["encoding"], "sliced-array")

    def test_average_of_lists(self):
        """MEMORY USAGE of a list is a mean times a count, cut to an integer: of 3 nodes, on 8.0 and 8.2 of 46 elements."""
        record = r.plain_list(b"l", [b"x" * 8000] * 3 + [b"y"] * 43)   # three nodes of 40 + 8192
        self.assertLess(24696 / 46 * 46, 24696)
        for target, want in (("7.2", 8 + ENTRY + ROBJ + 40 + 24696), ("8.0", 8 + ENTRY + ROBJ + 40 + 24695),
                             ("8.2", ROBJ + 40 + 24695)):
            with self.subTest(target=target):
                self.assertEqual(int(self.one("redis:" + target, record)[1]["memory_usage"]), want)


# ---------------------------------------------------------------- arrays

class Arrays(CheckValues):
    def test_slices(self):
        """Redis 8.8: struct 80, a directory of one pointer, one slice; elements in a row from 0."""
        rows = ((1, 80), (4, 80), (5, 112), (8, 112), (10, 160), (11, jemalloc(32 + 8 * 16)), (300, jemalloc(32 + 8 * 512)),
                (4096, jemalloc(32 + 8 * 4096)))
        for n, want in rows:
            body = r.length(n) + r.length(0) + b"".join(r.length(i) + r.length(1) + struct.pack("<q", i) for i in range(n))
            with self.subTest(n=n):
                array = self.structures("redis:8.8", b"\x1c" + r.text(b"a") + body, version=14)["array"]
                self.assertEqual(array - 80 - 8, want)


# ---------------------------------------------------------------- the tables of docs/memory-model.md

class Boundaries(CheckValues):
    def test_entry_of_16383_bytes(self):
        """listpack.c lpEncodeBacklen: from 8.8 on its length takes two bytes, before it took three. MEMORY USAGE shows requests."""
        for length, more in ((16377, 0), (16378, 1), (16379, 0)):
            with self.subTest(length=length):
                old, new = (self.one(target, r.plain_list(b"l", [b"x" * length]), "--config=list-max-listpack-size=-5")[1]
                            for target in ("redis:8.6", "redis:8.8"))
                self.assertEqual(int(old["memory_usage"]) - int(new["memory_usage"]), more)

    def test_long_names(self):
        """MEMORY USAGE of 4.0.14 for a name of 40000 bytes, as that server printed it to a client that had named it before."""
        self.assertEqual(self.one("redis:4.0", r.string(b"n" * 40000, b"abcdefg"))[1]["memory_usage"], "40057")
        self.assertEqual(self.one("redis:4.0", r.string(b"n" * 32767, b"abcdefg"))[1]["memory_usage"],
                         str(5 + 32767 + 1 + 24 + 16 + 9))

    def test_templates(self):
        """Hashes with a template (RDB 15): what they have for themselves, as an estimate. Values are the server's own test bytes."""
        template = b"\xf2" + r.length(5) + r.length(2) + r.text(b"f1") + r.text(b"f2")
        packed = b"\x1e" + r.text(b"lp") + b"\x0d\x0d\0\0\0\3\0\5\1\1\1\2\1\xff"
        array = b"\x20" + r.text(b"arr") + b"\5\xc0\1\xc0\2"
        self.write("d.rdb", r.dump(template, r.select(0), packed, array, version=15))
        rows = read_csv(self.run_rdbmem("-fcsv", "--target=redis:8.8", "d.rdb")[0])[1]
        self.assertEqual([(row["flags"], row["num_elements"], row["memory_usage"]) for row in rows], [("estimate", "2", "")] * 2)
        self.assertEqual([int(row["size_in_bytes"]) for row in rows], [24 + 16, 24 + 2 * 8 + 16])
        report = json.loads(self.run_rdbmem("-fjson", "--target=redis:8.8", "d.rdb")[0])
        self.assertEqual((report["totals"]["estimated_keys"], report["totals"]["empty_keys"]), (2, 0))


class EmptyKeys(CheckValues):
    """rdb.c rdbLoadObject of 6.0 (which makes them) and of 6.2.16, 7.0.15, 7.4.1, Valkey 8.0.1 (label emptykey)."""
    ZIPLIST = struct.pack("<IIH", 11, 10, 0) + b"\xff"
    LISTPACK = struct.pack("<IH", 7, 0) + b"\xff"
    OLD = [                                  # record, size on 6.0: name 8, entry 24, object 16 and the value
        (r.plain_list(b"a", []), 48 + 40),
        (r.plain_set(b"b", []), 48 + 8),
        (r.zset(b"c", []), 48 + 16),
        (r.plain_hash(b"d", []), 48 + 16),
        (blob(10, b"e", ZIPLIST), 48 + 40),  # its elements are pushed: none, so no node
        (blob(12, b"f", ZIPLIST), 48 + 16),
        (blob(13, b"g", ZIPLIST), 48 + 16),
        (blob(9, b"h", b"\x00\xff"), 48 + 16),
        (b"\x0e" + r.text(b"i") + r.length(0), 48 + 40),
        (b"\x0e" + r.text(b"j") + r.length(2) + r.text(ZIPLIST) * 2, 48 + 40 + 2 * (32 + 16)),
    ]
    NEW = [blob(16, b"k", LISTPACK), blob(17, b"l", LISTPACK), blob(20, b"m", LISTPACK),
           b"\x12" + r.text(b"n") + r.length(1) + b"\x02" + r.text(LISTPACK), b"\x12" + r.text(b"o") + r.length(0)]
    TTL = [ttl_hash(b"p", []), b"\x19" + r.text(b"q") + bytes(8) + r.text(LISTPACK)]     # Redis from 7.4 on

    def test_made(self):
        got = self.sizes("redis:6.0", [record for record, _ in self.OLD])
        self.assertEqual([size for size, _ in got], [size for _, size in self.OLD])
        self.assertEqual(self.report("redis:6.0", [record for record, _ in self.OLD])["totals"]["empty_keys"], 0)

    def test_skipped(self):
        kept = r.plain_set(b"kept", [b"x"])
        for target in REDIS[REDIS.index("6.2"):] + ("valkey:7.2", "valkey:8.0", "valkey:8.1", "valkey:9.0", "valkey:9.1"):
            target = target if ":" in target else "redis:" + target
            empty = [record for record, _ in self.OLD] + self.NEW + ([] if "valkey" in target else self.TTL)
            with self.subTest(target=target):
                rows = self.report(target, empty + [kept], kind="csv")
                self.assertEqual([row["flags"] for row in rows], ["not_loaded"] * len(empty) + [""])
                self.assertEqual({(row["size_in_bytes"], row["memory_usage"]) for row in rows[:-1]}, {("0", "")})
                got, want = self.report(target, empty + [kept]), self.report(target, [kept])
                self.assertEqual(got["ledger"], want["ledger"])
                self.assertEqual(got["load_as"], want["load_as"])
                self.assertEqual((got["totals"]["empty_keys"], got["totals"]["keys"]), (len(empty), len(empty) + 1))

    def test_text(self):
        self.report("redis:7.2", [record for record, _ in self.OLD])
        self.assertIn(b"%d empty keys skipped" % len(self.OLD), self.run_rdbmem("--target=redis:7.2", "d.rdb")[0])
        out = self.run_rdbmem("--target=redis:7.2", "--explain=f", "d.rdb")[0]
        self.assertIn(b"It is empty", out)
        self.assertIn(b"= 0 bytes", out)
        self.assertNotIn(b"pack", out.split(b"Allocations")[1])

    def test_streams_are_kept(self):
        rows = self.report("redis:7.4", [stream(b"s", [])], kind="csv")
        self.assertEqual(rows[0]["flags"], "")
        self.assertGreater(int(rows[0]["size_in_bytes"]), 0)

    def test_all_fields_expired(self):
        """Valkey 9.1 as a primary drops fields that have expired, and a hash that has none left; 9.0 and a replica keep them."""
        gone = valkey_ttl_hash(b"gone", [(b"f%d" % i, b"v", 1) for i in range(3)])
        left = valkey_ttl_hash(b"left", [(b"a", b"v", 1), (b"b", b"v", LATER)])
        for target, options, flags, counts in (("valkey:9.1", (), ["not_loaded", "stochastic"], ["0", "1"]),
                                               ("valkey:9.1", ("--load-as=replica",), ["stochastic"] * 2, ["3", "2"]),
                                               ("valkey:9.0", (), ["stochastic"] * 2, ["3", "2"])):
            with self.subTest(target=target, options=options):
                rows = self.report(target, [gone, left], *options, valkey=True, kind="csv")
                self.assertEqual([row["num_elements"] for row in rows], counts)
                self.assertEqual(["not_loaded" in row["flags"] for row in rows], ["not_loaded" in f for f in flags])


class Documented(CheckValues):
    AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    SESSION = [(b"user", b"1001"), (b"name", b"Ada Lovelace")]

    def rows(self, section):
        with open(MODEL, encoding="utf-8") as f:
            text = f.read().split("\n%s\n" % section)[1]
        text = text[:text.index("\n## ")]
        rows = [[c.strip() for c in line.strip("|").split("|")] for line in re.findall(r"^\| (?:redis|valkey) .*$", text, re.M)]
        self.assertEqual(len(rows), 19)
        return [(server.replace(" ", ":"), cells) for server, *cells in rows]

    def test_examples(self):
        self.assertEqual(len(self.AGENT), 70)
        records = [
            r.string(b"user:1001", b"Ada Lovelace"),
            r.expire(LATER) + r.string(b"user:1001", b"Ada Lovelace"),
            r.string(b"views:0002", b"12345"),
            r.string(b"note:0001", b"x" * 100),
            r.plain_set(b"tags:7", [b"red", b"green", b"blue"]),
            r.plain_hash(b"session:81f3", self.SESSION + [(b"agent", b"Mozilla/5.0 (X11; Linux x86_64)")]),
            r.plain_hash(b"session:81f3", self.SESSION + [(b"agent", self.AGENT)]),
            r.plain_list(b"queue:1", [b"job-%04d" % i for i in range(10)]),
        ]
        for target, cells in self.rows("### Examples"):
            with self.subTest(target=target):
                self.assertEqual([size for size, _ in self.sizes(target, records)], [int(c) for c in cells])

    def test_beginnings(self):
        for target, (begin, client, cluster) in self.rows("## From keys to used_memory"):
            ledger = self.report(target, [])["ledger"]
            with self.subTest(target=target):
                self.assertEqual((ledger["used_memory_startup"], ledger["client"]), (int(begin), int(client)))
                if cluster:
                    ledger = self.report(target, [], "--config=cluster-enabled=yes")["ledger"]
                    self.assertEqual(ledger["used_memory_startup"], int(cluster))


if __name__ == "__main__":
    unittest.main()
