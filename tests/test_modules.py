"""Values of modules, built item by item as the modules save them, against the blocks that loading them takes.

The sums are worked out by hand from the modules' structures and stand beside each value. Blocks are what --explain
lists as "module": the first, 16 bytes, is the server's own moduleValue.
"""
import csv
import io
import json
import sqlite3
import struct
import unittest

from clitest import CliTest
import rdbfile as r

MODULE_VALUE = 16
SYMBOLS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def module_id(name, encver):
    n = 0
    for c in name:
        n = n << 6 | SYMBOLS.index(c)
    return b"\x81" + struct.pack(">Q", n << 10 | encver)


def sint(n):
    return b"\x01" + (r.length(n) if n >= 0 else b"\x81" + struct.pack(">q", n))


def uint(n):
    return b"\x02" + r.length(n)


def flt(x):
    return b"\x03" + struct.pack("<f", x)


def dbl(x):
    return b"\x04" + struct.pack("<d", x)


def buf(s):
    return b"\x05" + r.text(s)


def value(key, name, encver, *items):
    return b"\x07" + r.text(key) + module_id(name, encver) + b"".join(items) + b"\x00"


def aux(name, encver, when, *items):
    return b"\xf7" + module_id(name, encver) + uint(when) + b"".join(items) + b"\x00"


def bloom(key, *filters, encver=4):
    body = [uint(sum(f[1] for f in filters)), uint(len(filters)), uint(5), uint(2)]
    for size, items in filters:
        body += [uint(items * 2), dbl(0.005), uint(8), dbl(11.03), uint(size * 8), uint(10), buf(b"\xaa" * size), uint(items)]
    return value(key, b"MBbloom--", encver, *body)


def rounded(n):
    return (n + 7) // 8 * 8


def json_string(n):
    """RedisJSON from 8.4 on: a header of 8 and the bytes, whole words; 7 bytes and less are in the pointer."""
    return [8 + rounded(n)] if n > 7 else []


def json_object(capacity):
    return 16 + 16 * capacity + 8 * (capacity + capacity // 4)


class Modules(CliTest):
    def blocks(self, record, key=b"k", target="redis:8.8"):
        """Requested sizes of the value's blocks, and the flags of its key."""
        self.write("d.rdb", r.dump(r.select(0), record))
        out = json.loads(self.run_rdbmem("--explain=" + key.decode(), "--format=json", "--target=" + target, "d.rdb")[0])
        sizes = [a["requested_bytes"] for a in out["allocations"] if a["what"] == "module" for _ in range(a["count"])]
        self.assertEqual(sizes[0], MODULE_VALUE)
        return sorted(sizes[1:]), out["key"]

    def check(self, record, *sizes, target="redis:8.8", flags=("estimate",), elements=None):
        got, key = self.blocks(record, target=target)
        self.assertEqual(got, sorted(sizes))
        self.assertEqual(tuple(key["flags"]), flags)
        if elements is not None:
            self.assertEqual(key["num_elements"], elements)
        return key


class Sketches(Modules):
    def test_bloom(self):
        """SBChain: pointer, size, filters (8 each), options, growth (4 each) = 32. A link is struct bloom (hashes 4, two
        bytes, padding, entries, error, bpe, pointer, bytes, bits: 56) and its size = 64; all links are one array."""
        self.check(bloom(b"k", (128, 40)), 32, 64, 128, elements=40)
        self.check(bloom(b"k", (128, 40), (256, 80), (512, 7)), 32, 3 * 64, 128, 256, 512, elements=127)

    def test_cuckoo(self):
        """CuckooFilter: three numbers of 8, four of 2, pointer = 40. SubCF: a packed number of 8 and a pointer = 16."""
        def cuckoo(*sizes):
            head = [uint(len(sizes)), uint(sizes[0] // 2), uint(33), uint(0), uint(2), uint(20), uint(1)]
            return value(b"k", b"MBbloomCF", 4, *head, *(i for s in sizes for i in (uint(s // 2), buf(bytes(s)))))
        self.check(cuckoo(1024), 40, 16, 1024, elements=33)
        self.check(cuckoo(1024, 2048), 40, 2 * 16, 1024, 2048)

    def test_count_min(self):
        """CMSketch: width, depth, pointer, counter = 32; the counters are 4 bytes each."""
        self.check(value(b"k", b"CMSk-TYPE", 0, uint(200), uint(5), uint(77), buf(bytes(4 * 1000))), 32, 4000)

    def test_top_k(self):
        """TopK: three numbers of 4, padding, decay, two pointers = 40, and a table of 256 doubles. Buckets of 8, a heap of
        24 each; the items with their terminators. An item that is not there is saved as its terminator, and not kept."""
        record = value(b"k", b"TopK-TYPE", 0, uint(3), uint(8), uint(7), dbl(0.9), buf(bytes(8 * 56)), buf(bytes(24 * 3)),
                       buf(b"first item\0"), buf(b"x\0"), buf(b"\0"))
        self.check(record, 40 + 256 * 8, 448, 72, 11, 2, elements=3)

    def digest(self, compression, cap, nodes):
        head = [dbl(compression), dbl(1.0), dbl(9.0), sint(cap), sint(nodes), sint(0), sint(3), dbl(float(nodes)), dbl(0.0)]
        return value(b"k", b"TDIS-TYPE", 0, *head, *(dbl(float(i)) for i in range(2 * nodes)))

    def test_t_digest(self):
        """td_histogram: compression, min, max, three ints, padding, three numbers of 8, two pointers = 80. Means and
        weights, 8 bytes each, for 6 x compression + 10 nodes, however many are in use."""
        self.check(self.digest(100.0, 610, 20), 80, 8 * 610, 8 * 610, elements=20)

    def test_t_digest_that_contradicts_itself(self):
        for compression, cap in ((100.0, 1 << 40), (1e300, 610), (float("nan"), 610), (-5.0, -20)):
            got, key = self.blocks(self.digest(compression, cap, 20))
            self.assertEqual((got, key["flags"]), ([80, 160, 160], ["lower_bound"]))
            self.assertGreaterEqual(key["size_in_bytes"], 49 * 8)


class Json(Modules):
    # RedisJSON's own test of its memory: the document of `test_get_memory` in ivalue_manager.rs, which asserts 728 at its
    # tag v8.8.0; that figure has the root's pointer in it, as here.
    OWN = (b'{ "a": 100.12, "b": "foo", "c": true, "d": 126, "e": -112, "f": 7388608, "g": -6388608,\n"h": 9388608, "i": -9485608,'
           b'\t"j": [], "k": {}, "l": [1, "asas", {"a": 1}], "m": {"t": "f"}}')
    OWN_BLOCKS = (8, 8, json_object(16), 8 + 8 * 4, json_object(4), json_object(4))

    def text(self, document, encver=3):
        return value(b"k", b"ReJSON-RL", encver, buf(document))

    def test_its_own_figure(self):
        key = self.check(self.text(self.OWN), *self.OWN_BLOCKS)
        self.assertEqual(sum(self.OWN_BLOCKS), 728)
        self.assertEqual(key["encoding"], "ReJSON-RL")

    def test_scalars(self):
        for document in (b"null", b" true ", b"false", b'""', b'"seven b"', b"0", b"-1", b"[]", b"{}", b"1152921504606846975"):
            self.check(self.text(document), 8)
        for document in (b"0.5", b"1e3", b"-0.0", b"1152921504606846976", b"18446744073709551615", b"18446744073709551616"):
            self.check(self.text(document), 8, 8)
        self.check(self.text(b'"eight by"'), 8, *json_string(8))
        self.check(self.text(b'"' + b"x" * 1000 + b'"'), 8, *json_string(1000))

    def test_escapes(self):
        """As many bytes as the text has as UTF-8."""
        self.check(self.text(br'"\u0041\n\"\\\/"'), 8)
        self.check(self.text(br'"\u00e9\u00e9\u00e9\u00e9"'), 8, 8 + 8)
        self.check(self.text(br'"\ud83d\ude00\ud83d\ude00\u20ac\u20ac"'), 8, 8 + 16)
        self.check(self.text(r'["€€€", "\u20ac\u20ac\u20ac"]'.encode()), 8, 8 + 8 * 4, 8 + 16)

    def test_arrays_of_numbers(self):
        """Numbers of one kind lie in the array itself: a header of 8, capacity times their size. Capacities begin at 4 and
        double; where a wider number comes the array is made anew for what it has, and doubles from there."""
        self.check(self.text(b"[1,2,3]"), 8, 8 + rounded(4))
        self.check(self.text(b"[1,2,3,4,5]"), 8, 8 + 8)
        self.check(self.text(b"[1,-2,200]"), 8, 8 + 4 * 2)
        self.check(self.text(b"[1,1000,100000,10000000000]"), 8, 8 + 6 * 8)
        self.check(self.text(b"[200,250,255]"), 8, 8 + 8)
        self.check(self.text(b"[200,5,255]"), 8, 8 + 8)
        self.check(self.text(b"[0.5,1.5]"), 8, 8 + 4 * 2)
        self.check(self.text(b"[0.1,0.2,0.3,0.4,0.5]"), 8, 8 + 8 * 8)
        self.check(self.text(b"[0.5,0.1]"), 8, 8 + 4 * 8)
        self.check(self.text(b"[1,0.5]"), 8, 8 + 4 * 8, 8)

    def test_mixed_arrays(self):
        self.check(self.text(b'["a",1,2,3,0.5]'), 8, 8 + 8 * 8, 8)
        self.check(self.text(b"[0.5,0.25,null]"), 8, 8 + 4 * 8, 8, 8)

    def test_equal_strings_are_one(self):
        """Names too, and in all documents of the server: the second document costs its containers alone."""
        one = b'{"a long name":"a long value","another long name":"a long value"}'
        self.check(self.text(one), 8, json_object(4), *json_string(11), *json_string(12), *json_string(17))
        self.write("d.rdb", r.dump(r.select(0), value(b"a", b"ReJSON-RL", 3, buf(one)), value(b"b", b"ReJSON-RL", 3, buf(one))))
        rows = list(csv.DictReader(io.StringIO(self.run_rdbmem("-fcsv", "--target=redis:8.8", "d.rdb")[0].decode())))
        strings = 24 + 24 + 32
        self.assertEqual(int(rows[0]["size_in_bytes"]) - int(rows[1]["size_in_bytes"]), strings)

    def test_before_8_4(self):
        """Doubles in 16 bytes; integers of 8 bits in the pointer, of 24 in 4, else in 16; strings with a header of 16, all
        of them; arrays with one of 16."""
        self.check(self.text(b'[1,-128,383]'), 8, 16 + 8 * 4, target="redis:7.2")
        self.check(self.text(b'[384,-129,8388607,8388608]'), 8, 16 + 8 * 4, 4, 4, 4, 16, target="redis:7.2")
        self.check(self.text(b'{"a":0.5,"bc":"nine byte"}'), 8, json_object(4), 16 + 8, 16 + 8, 16, 16 + 16, target="redis:7.2")

    def test_encver_2(self):
        """With two strings behind the text, where it was indexed."""
        self.check(value(b"k", b"ReJSON-RL", 2, buf(b"[1]"), uint(0)), 8, 16)
        self.check(value(b"k", b"ReJSON-RL", 2, buf(b"[1]"), uint(1), buf(b"index"), buf(b"$.path")), 8, 16)

    def test_encver_0(self):
        """Nodes of RedisJSON 1.x: types 1 null, 2 string, 4 number, 8 integer, 16 boolean, 32 object, 64 array, 128 pair."""
        def pair(name, *node):
            return [uint(128), buf(name), *node]
        nodes = [uint(32), uint(3), *pair(b"a", uint(4), dbl(0.5)),
                 *pair(b"list", uint(64), uint(3), uint(2), buf(b"a long string"), uint(1), uint(16), buf(b"1")),
                 *pair(b"empty", uint(32), uint(0))]
        self.check(value(b"k", b"ReJSON-RL", 0, *nodes), 8, json_object(4), 8, 8 + 8 * 4, *json_string(13))
        self.check(value(b"k", b"ReJSON-RL", 0, uint(8), sint(-5)), 8)

    def test_encver_4(self):
        """CBOR. The number of items is known at once: an object has just this capacity, an array too."""
        def text(s):
            return bytes([0x60 | len(s)]) + s if len(s) < 24 else bytes([0x78, len(s)]) + s
        document = (b"\xa3" + text(b"a") + b"\xfb" + struct.pack(">d", 0.1)                  # {"a": 0.1,
                    + text(b"a long name") + b"\x83" + text(b"x") + b"\x18\x64\xf6"            #  "a long name": ["x", 100, null],
                    + text(b"n") + b"\xd8\x40\x4a" + bytes(range(10)))                          #  "n": ten bytes, RFC 8746's uint8}
        self.check(self.text(document, 4), 8, json_object(3), 8, 8 + 3 * 8, 8 + 16, *json_string(11))
        for document in (b"\xf4", b"\x00", b"\x20", b"\x1b" + struct.pack(">Q", (1 << 60) - 1), b"\x80", b"\xa0", b"\x60"):
            self.check(self.text(document, 4), 8)
        for document in (b"\xf9\x3c\x00", b"\xfa" + struct.pack(">f", 1.5), b"\x1b" + struct.pack(">Q", 1 << 63)):
            self.check(self.text(document, 4), 8, 8)

    def test_no_document(self):
        """What is no document counts as much as was saved of it, and says so."""
        for encver, body in ((3, b""), (3, b"{"), (3, b"[1,]"), (3, b'{"a" 1}'), (3, b"[1] 2"), (3, b'"\\x"'), (3, b'"\\u12'), (3, b"-"),
                             (3, b"[" * 200 + b"]" * 200), (3, b"tru"), (3, b"{1:2}"), (3, b"[1 2]"), (3, b'"abc'),
                             (4, b""), (4, b"\xff"), (4, b"\x81"), (4, b"\x82\x01"), (4, b"\xbb" + b"\xff" * 8), (4, b"\x9b" + b"\xff" * 8),
                             (4, b"\x7b" + b"\xff" * 8), (4, b"\x01\x01"), (4, b"\xc1\x01"), (4, b"\xa1\x01\x01"), (4, b"\x1f"),
                             (4, b"\x81" * 200 + b"\x01")):
            with self.subTest(encver=encver, body=body[:20]):
                _, key = self.blocks(self.text(body, encver))
                self.assertEqual(key["flags"], ["lower_bound"])
                self.assertGreaterEqual(key["size_in_bytes"], MODULE_VALUE + len(body))
        for items in ((uint(3),), (uint(2), uint(2)), (uint(64), uint(2), uint(1)), (uint(1), uint(1)), (uint(64), uint(1 << 62)), ()):
            with self.subTest(items=items):
                self.assertEqual(self.blocks(value(b"k", b"ReJSON-RL", 0, *items))[1]["flags"], ["lower_bound"])

    def test_longer_than_the_window(self):
        """Read piece by piece: 100,000 objects, then a string of 2 MiB."""
        document = b"[" + b",".join([b'{"a":1}'] * 100000) + b',"' + b"y" * (2 << 20) + b'"]'
        got, key = self.blocks(self.text(document))
        self.assertEqual(got[-1], 8 + (2 << 20))
        self.assertEqual(got[-2], 8 + 8 * (4 << 15))
        self.assertEqual(got.count(json_object(4)), 100000)
        self.assertEqual(key["flags"], ["estimate"])


class Series(Modules):
    """Series: 18 words = 144, the dictionary's own struct 8 (16 on Redis 8.8), the name and other strings as the server's
    string objects: 16 + 4 and the text. A label is two pointers, a rule nine words and 32 for its aggregation, a chunk
    ten words and its data, or four words and its data when not compressed."""
    HEAD = 144, 16

    def series(self, *, plain=False, labels=(), rules=(), chunks=(), encver=8, source=None, key=b"temperature"):
        items = [buf(key), uint(0), uint(4096), uint(1 if plain else 2), uint(1700000000000), dbl(20.5), uint(1234)]
        items += [uint(0)] if encver >= 3 else []
        items += [uint(1), buf(source)] if source else [uint(0)]
        items += [uint(0), dbl(0.0)] if encver >= 8 else []
        items += [uint(len(labels)), *(buf(s) for pair in labels for s in pair), uint(len(rules))]
        for destination, context in rules:
            items += [buf(destination), uint(60000), *([uint(0)] if encver >= 6 else []), uint(4), uint(0), *context]
        items += [uint(len(chunks))]
        for first, size in chunks:
            head = [first, 10, size] if plain else [size, 10, 500, 1 << 62, first, first + 9, 1, 1 << 62, 3, 5]
            items += [*(uint(n) for n in head), buf(bytes(size))]
        return value(b"k", b"TSDB-TYPE", encver, *items)

    @staticmethod
    def text(n):
        return 16 + 3 + n + 1

    def test_empty(self):
        for encver in range(2, 10):
            self.check(self.series(encver=encver), *self.HEAD, self.text(11), elements=1234)

    def test_chunks(self):
        self.check(self.series(chunks=[(1000, 4096), (2000, 256)]), *self.HEAD, self.text(11), 80, 80, 4096, 256)
        self.check(self.series(plain=True, chunks=[(1000, 4096), (2000, 4096)]), *self.HEAD, self.text(11), 32, 32, 4096, 4096)

    def test_labels_source_and_rules(self):
        average = [dbl(1.0), dbl(2.0), uint(0)]
        twa = [dbl(1.0), uint(1), dbl(1.0), *[uint(7)] * 7]
        record = self.series(labels=[(b"room", b"kitchen"), (b"floor", b"1")], source=b"raw", rules=[(b"avg", average), (b"weighted", twa)],
                             chunks=[(5, 128)])
        strings = [self.text(n) for n in (11, 4, 7, 5, 1, 3, 3, 8)]
        self.check(record, *self.HEAD, *strings, 2 * 16, 72, 72, 32, 32, 80, 128)

    def test_other_layouts(self):
        """Older ones, unknown ones, and what contradicts itself."""
        for record in (self.series(encver=1), self.series(encver=10), value(b"k", b"TSDB-TYPE", 8, uint(1)), value(b"k", b"TSDB-TYPE", 8),
                       value(b"k", b"TSDB-TYPE", 8, buf(b"name"), uint(1)),
                       value(b"k", b"TSDB-TYPE", 8, buf(b"n"), uint(0), uint(8), uint(2), uint(0), dbl(0), uint(0), uint(0), uint(0), uint(0),
                             dbl(0), uint(1 << 63), buf(b"l"))):
            _, key = self.blocks(record)
            self.assertEqual(key["flags"], ["lower_bound"])
        record = self.series(chunks=[(5, 128)]).replace(uint(128), uint(129))
        self.assertEqual(self.blocks(record)[1]["flags"], ["lower_bound"])


class Unknown(Modules):
    ITEMS = sint(-3), uint(1 << 40), flt(0.5), dbl(0.25), buf(b"some text of a module"), buf(b"12")

    def test_what_was_saved(self):
        """Four numbers of 8 bytes and 23 of strings."""
        for name, encver in ((b"some-type", 1), (b"MBbloom--", 5), (b"CMSk-TYPE", 1)):
            _, key = self.blocks(value(b"k", name, encver, *self.ITEMS))
            self.assertEqual((key["flags"], key["encoding"]), (["lower_bound"], name.decode()))
            self.assertEqual(key["payload_bytes"], 1 + 4 * 8 + 23)
            bare = self.blocks(value(b"k", name, encver))[1]
            self.assertEqual(key["size_in_bytes"] - bare["size_in_bytes"], 55)

    def test_names_and_versions_of_ids(self):
        for name in (b"AAAAAAAAA", b"_________", b"abcXYZ-_9", b"ft_index0"):
            for encver in (0, 1, 1023):
                self.write("d.rdb", r.dump(r.select(0), value(b"k", name, encver)))
                modules = json.loads(self.run_rdbmem("-fjson", "d.rdb")[0])["modules"]
                self.assertEqual([(m["name"], m["encver"]) for m in modules], [(name.decode(), encver)])

    def test_more_than_are_told_apart(self):
        records = [value(b"k%d" % i, b"type%05d" % i, i % 3, buf(b"x" * 100)) for i in range(300)]
        self.write("d.rdb", r.dump(r.select(0), *records))
        report = json.loads(self.run_rdbmem("-fjson", "d.rdb")[0])
        self.assertEqual(sum(m["keys"] for m in report["modules"]), 300)
        self.assertEqual(sum(m["size_in_bytes"] for m in report["modules"]), report["totals"]["size_in_bytes"])
        self.assertEqual([m["name"] for m in report["modules"]].index(None), 64)
        self.assertIn(b"(others)", self.run_rdbmem("d.rdb")[0])


class Reports(Modules):
    """The mark of an estimate and of a bound in every format, and the list of modules."""

    def setUp(self):
        super().setUp()
        when2 = aux(b"ft_index0", 17, 2, uint(1), buf(b"x" * 5000), dbl(1.0))
        self.aux_bytes = len(when2)
        self.write("d.rdb", r.dump(aux(b"scdtype00", 1, 1), r.select(0), r.string(b"s", b"v"), bloom(b"bf", (128, 40)),
                                   value(b"j3", b"ReJSON-RL", 3, buf(b"[1,2]")), value(b"j9", b"ReJSON-RL", 9, buf(b"?" * 50)),
                                   value(b"u", b"some-type", 2, buf(b"y" * 300)), when2, r.string(b"z", b"v")))
        self.flags = {"s": [], "bf": ["estimate"], "j3": ["estimate"], "j9": ["lower_bound"], "u": ["lower_bound"], "z": []}

    def report(self, *args):
        return json.loads(self.run_rdbmem("-fjson", *args)[0])

    def test_list(self):
        report = self.report("d.rdb")
        modules = {(m["name"], m["encver"]): m for m in report["modules"]}
        self.assertEqual(list(modules), [("MBbloom--", 4), ("ReJSON-RL", 3), ("ReJSON-RL", 9), ("ft_index0", 17), ("scdtype00", 1), ("some-type", 2)])
        rows = {row["key"]: int(row["size_in_bytes"]) for row in self.csv()}
        for (name, encver), key, part in ((("MBbloom--", 4), "bf", "estimated"), (("ReJSON-RL", 3), "j3", "estimated"),
                                          (("ReJSON-RL", 9), "j9", "lower_bound"), (("some-type", 2), "u", "lower_bound")):
            m, other = modules[name, encver], {"estimated": "lower_bound", "lower_bound": "estimated"}[part]
            self.assertEqual((m["keys"], m["size_in_bytes"]), (1, rows[key]))
            self.assertEqual((m[part + "_keys"], m[part + "_bytes"]), (1, rows[key]))
            self.assertEqual((m[other + "_keys"], m[other + "_bytes"], m["aux"]), (0, 0, 0))
        index, dictionary = modules["ft_index0", 17], modules["scdtype00", 1]
        self.assertEqual((index["keys"], index["aux"], index["aux_bytes"]), (0, 1, self.aux_bytes))
        self.assertEqual((dictionary["aux"], dictionary["aux_bytes"]), (1, len(aux(b"scdtype00", 1, 1))))
        self.assertEqual(modules["ReJSON-RL", 3]["product"], "RedisJSON")
        self.assertIsNone(modules["some-type", 2]["product"])
        self.assertEqual(report["totals"]["estimated_bytes"], rows["bf"] + rows["j3"])
        self.assertEqual(report["totals"]["lower_bound_bytes"], rows["j9"] + rows["u"])
        self.assertEqual(report["file"]["module_aux"], 2)

    def test_several_dumps(self):
        self.write("e.rdb", self.read("d.rdb"))
        one = self.report("d.rdb")["modules"]
        both = self.report("d.rdb", "e.rdb")["combined"]["modules"]
        self.assertEqual([{n: 2 * v if isinstance(v, int) and n != "encver" else v for n, v in m.items()} for m in one], both)

    def csv(self):
        return list(csv.DictReader(io.StringIO(self.run_rdbmem("-fcsv", "d.rdb")[0].decode())))

    def test_marks(self):
        self.assertEqual({row["key"]: row["flags"].split() for row in self.csv()}, self.flags)
        lines = self.run_rdbmem("-fndjson", "d.rdb")[0].decode().splitlines()
        self.assertEqual({k["key"]: k["flags"] for k in map(json.loads, lines)}, self.flags)
        self.assertEqual({k["key"]: k["flags"] for k in self.report("d.rdb")["top_keys_by_bytes"]}, self.flags)
        self.run_rdbmem("-fsqlite", "-o", "d.db", "d.rdb")
        base = sqlite3.connect(self.path("d.db"))
        self.assertEqual({k: f.split() for k, f in base.execute("SELECT key, flags FROM keys")}, self.flags)
        base.close()

    def test_text(self):
        out = self.run_rdbmem("d.rdb")[0].decode()
        self.assertRegex(out, r"(?m)^  +~ \d+ B +module +MBbloom-- .*\"bf\"")
        self.assertRegex(out, r"(?m)^  +>= \d+ B +module +some-type .*\"u\"")
        section = out[out.index("\nModules\n"):out.index("\nStructures\n")]
        self.assertRegex(section, r"(?m)^  MBbloom-- +4 +RedisBloom \(Bloom filter\) +1 .* estimate$")
        self.assertRegex(section, r"(?m)^  some-type +2 +unknown here +1 .* lower bound$")
        self.assertRegex(section, r"(?m)^  ft_index0 +17 +unknown here +0 .* 1, 4\.9\d KiB$")
        bounds = self.report("d.rdb")["totals"]["lower_bound_bytes"]
        self.assertIn("  %d bytes (" % bounds, section)

    def test_explain(self):
        self.assertIn(b"an estimate", self.run_rdbmem("--explain=j3", "d.rdb")[0])
        self.assertIn(b"a lower bound", self.run_rdbmem("--explain=j9", "d.rdb")[0])

    def test_memory_usage_is_the_modules_to_say(self):
        self.assertEqual({row["key"]: row["memory_usage"] != "" for row in self.csv()}, {k: not f for k, f in self.flags.items()})


class VectorSets(Modules):
    def test_exact(self):
        """Nothing in a vector set is estimated: its nodes and links are in the file."""
        node = [buf(b"element"), buf(struct.pack("<3f", 1, 2, 3)), uint(5), uint(1), uint(0), uint(0), uint(32), uint(1)]
        self.write("d.rdb", r.dump(r.select(0), value(b"v", b"vectorset", 0, uint(3), uint(1), uint(16 << 8), uint(0), *node), version=12))
        report = json.loads(self.run_rdbmem("-fjson", "--target=redis:8.0", "d.rdb")[0])
        (m,) = report["modules"]
        self.assertEqual((m["name"], m["keys"], m["estimated_keys"], m["lower_bound_keys"]), ("vectorset", 1, 0, 0))
        self.assertEqual(report["top_keys_by_bytes"][0]["flags"], [])
        self.assertRegex(self.run_rdbmem("--target=redis:8.0", "d.rdb")[0].decode(), r"(?m)^  vectorset .* exact$")


if __name__ == "__main__":
    unittest.main()
