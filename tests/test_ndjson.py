"""NDJSON: one object a line, the same members as the columns of CSV and as a key in the JSON document."""
import base64
import json
import lzma
import os
import random
import unittest

from clitest import CliTest
from test_formats import COLUMNS, HOSTILE, read_csv, utf8_escape
import rdbfile as r

TESTDATA = os.environ.get("TESTDATA", "testdata")


def once(pairs):
    names = [n for n, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def as_csv(name, value):
    """The column that says the same."""
    if value is None:
        return ""
    if name == "flags":
        return " ".join(value)
    return value[:-1] if name == "expiry" else str(value)


class Ndjson(CliTest):
    def lines(self, *args, **kw):
        out, _ = self.run_rdbmem("-fndjson", *args, **kw)
        self.assertTrue(out == b"" or out.endswith(b"\n"))
        for line in out.split(b"\n"):
            self.assertEqual([c for c in line if c < 0x20 or c == 0x7f], [], line)
        return [json.loads(line.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda c: 1 / 0)
                for line in out.split(b"\n")[:-1]]

    def exact(self, key):
        if "key_base64" not in key:
            return key["key"].encode()
        name = base64.b64decode(key["key_base64"], validate=True)
        self.assertRaises(UnicodeDecodeError, name.decode)
        self.assertEqual(key["key"].encode(), utf8_escape(name))
        return name

    def test_names_are_kept(self):
        rnd = random.Random(2)
        alphabet = b'",\n\r\\x\x00\x80\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 ab'
        names = HOSTILE + list({bytes(rnd.choice(alphabet) for _ in range(rnd.randrange(3, 40))) for _ in range(2000)})
        names += [b"a" * n for n in (4095, 4096, 4097, 65535, 65536)] + [b"a" * n + b"\xff" for n in (4095, 65535)]
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v") for n in names)))
        self.assertEqual([self.exact(k) for k in self.lines("d.rdb")], names)

    def test_members_are_the_columns(self):
        with lzma.open(os.path.join(TESTDATA, "redis-8.6-mix/dump.rdb.xz")) as f:
            self.write("d.rdb", f.read())
        head, rows = read_csv(self.run_rdbmem("-fcsv", "--escape=base64", "--slots", "--big=element=100", "d.rdb")[0])
        keys = self.lines("--slots", "--big=element=100", "d.rdb")
        self.assertEqual(head, COLUMNS)
        self.assertEqual(len(keys), len(rows))
        self.assertGreater(len(keys), 5000)
        for key, row in zip(keys, rows):
            self.assertEqual([m for m in key if m != "key_base64"], COLUMNS)
            self.assertEqual(self.exact(key), base64.b64decode(row["key"]))
            self.assertEqual({n: as_csv(n, key[n]) for n in COLUMNS if n != "key"}, {n: row[n] for n in COLUMNS if n != "key"})

    def test_same_as_in_the_document(self):
        far = (1 << 63) - 1
        self.write("d.rdb", r.dump(
            r.select(3), r.expire(1) + r.string(b"old", b"v"), r.expire(far) + r.string(b"far", b"v"), r.expire(951782399999) + r.string(b"\xff", b"v"),
            r.plain_hash(b"h", [(b"f%d" % i, b"v" * 80) for i in range(400)]), r.zset(b"z", [(b"m%d" % i, i) for i in range(300)])))
        args = ("--top=100", "--slots", "--big=bytes=2K,elements=100", "d.rdb")
        document = json.loads(self.run_rdbmem("-fjson", *args)[0])
        keys = self.lines(*args)
        self.assertEqual(len(keys), 5)
        self.assertEqual(keys, sorted(document["top_keys_by_bytes"], key=lambda k: k["offset"]))
        self.assertEqual(keys[0]["flags"], ["expired"])
        self.assertIn("stochastic", keys[4]["flags"])
        self.assertEqual([list(k) for k in keys], [list(k) for k in sorted(document["top_keys_by_bytes"], key=lambda k: k["offset"])])

    def test_file_of_several(self):
        self.write('a"\\\n.rdb', r.dump(r.select(0), r.string(b"a", b"v")))
        self.write("b.rdb", r.dump(r.select(0), r.string(b"b", b"v")))
        keys = self.lines('a"\\\n.rdb', "b.rdb")
        self.assertEqual([(k["key"], k["file"]) for k in keys], [("a", 'a"\\\n.rdb'), ("b", "b.rdb")])
        self.assertEqual(list(keys[0]), COLUMNS + ["file"])

    def test_damaged_up_to_the_damage(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), r.string(b"b", b"v" * 5000))[:-3000])
        self.assertEqual([k["key"] for k in self.lines("d.rdb", status=1)], ["a"])

    def test_nothing(self):
        self.write("d.rdb", r.dump())
        self.assertEqual(self.lines("d.rdb"), [])

    def test_by_the_name_of_the_file(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v")))
        self.run_rdbmem("-o", "keys.ndjson", "--format=csv:keys.csv", "--format=ndjson", "d.rdb")
        self.assertEqual(json.loads(self.read("keys.ndjson"))["key"], "a")


if __name__ == "__main__":
    unittest.main()
