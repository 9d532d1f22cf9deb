"""What cannot be read, because it is unknown or stands where it cannot be: one line that says number, offset, version and
the last good key; exit status 1; and what was read before is reported as incomplete, in every format alike."""
import csv
import io
import json
import unittest

from clitest import CliTest
import rdbfile as r

DRAGONFLY = r.aux(b"df-ver", b"1.20.0")


def head(magic, version):
    return magic + (b"%03d" if magic == b"VALKEY" else b"%04d") % version


class Unknown(CliTest):
    #: magic, RDB version, number, in front of the keys, what is said of the number
    CASES = (
        (b"REDIS", 11, 8, b"", "unknown type or opcode 8 in redis rdb version 11"),
        (b"REDIS", 12, 66, b"", "unknown type or opcode 66 in redis rdb version 12"),
        (b"REDIS", 99, 100, b"", "unknown type or opcode 100 in redis rdb version 99"),
        (b"REDIS", 15, 241, b"", "unknown type or opcode 241 in redis rdb version 15"),
        (b"VALKEY", 80, 99, b"", "unknown type or opcode 99 in valkey rdb version 80"),
        # known, but not of this version
        (b"REDIS", 6, 14, b"", "type 14 cannot stand in redis rdb version 6: it is list-quicklist of redis rdb version 7"),
        (b"REDIS", 9, 16, b"", "type 16 cannot stand in redis rdb version 9: it is hash-listpack of redis rdb version 10"),
        (b"REDIS", 11, 24, b"", "type 24 cannot stand in redis rdb version 11: it is hash-metadata of redis rdb version 12"),
        (b"VALKEY", 80, 25, b"", "type 25 cannot stand in valkey rdb version 80: it is hash-listpack-ex of redis rdb version 12"),
        (b"REDIS", 14, 242, b"", "opcode 242 cannot stand in redis rdb version 14: it is hash-template of redis rdb version 15"),
        (b"VALKEY", 80, 242, b"", "opcode 242 cannot stand in valkey rdb version 80: it is update of valkey rdb version 81"),
        # known by name, and not to be read
        (b"REDIS", 8, 6, b"", "type 6 in redis rdb version 8 cannot be read: module-1"),
        (b"VALKEY", 81, 23, b"", "type 23 in valkey rdb version 81 cannot be read: path hash"),
        (b"REDIS", 9, 33, DRAGONFLY, "type 33 in redis rdb version 9 cannot be read: dragonfly bloom filter"),
        (b"REDIS", 9, 34, DRAGONFLY, "type 34 in redis rdb version 9 cannot be read: dragonfly bloom filter"),
        (b"REDIS", 9, 35, DRAGONFLY, "type 35 in redis rdb version 9 cannot be read: dragonfly count-min sketch"),
        (b"REDIS", 9, 222, DRAGONFLY, "type 222 in redis rdb version 9 cannot be read: dragonfly vector index"),
        (b"REDIS", 9, 223, DRAGONFLY, "type 223 in redis rdb version 9 cannot be read: dragonfly shard document index"),
        (b"REDIS", 15, 33, DRAGONFLY, "type 33 in redis rdb version 15 cannot be read: dragonfly bloom filter"),
    )

    def build(self, magic, version, number, front):
        before = head(magic, version) + front + r.select(2) + r.string(b"first", b"v") + r.string(b"last good", b"w")
        self.write("u.rdb", before + bytes([number]) + r.text(b"never seen") + r.text(b"x" * 100) + r.string(b"after", b"v") + b"\xff" + bytes(8))
        return len(before)

    def line(self, err, says, offset):
        err = err.decode()
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("rdbmem: u.rdb: "), err)
        for part in (says, str(offset), "'last good' in db2"):
            self.assertIn(part, err)

    def test_everywhere(self):
        for magic, version, number, front, says in self.CASES:
            with self.subTest(version=version, number=number):
                offset = self.build(magic, version, number, front)
                out, err = self.run_rdbmem("-fjson", "u.rdb", status=1)
                self.line(err, says, offset)
                report = json.loads(out)
                self.assertIs(report["complete"], False)
                self.assertEqual((report["error"]["kind"], report["error"]["offset"]), ("unknown type", offset))
                self.assertTrue(report["error"]["expected"].startswith(says), report["error"])
                self.assertEqual(report["error"]["last_key"], {"database": 2, "key": "last good"})
                self.assertEqual(report["totals"]["keys"], 2)
                out, err = self.run_rdbmem("u.rdb", status=1)
                self.line(err, says, offset)
                text = " ".join(out.decode().split())
                self.assertIn("INCOMPLETE: unknown type at byte %d: %s" % (offset, says), text)

    def test_rows_before_it(self):
        self.build(b"REDIS", 11, 8, b"")
        for option in ("--on-error=stop", "--on-error=skip-key"):
            out, err = self.run_rdbmem("-fcsv", option, "u.rdb", status=1)
            self.assertEqual([row["key"] for row in csv.DictReader(io.StringIO(out.decode()))], ["first", "last good"])
            self.assertIn(b"unknown type", err)

    def test_no_key_before_it(self):
        self.write("u.rdb", head(b"REDIS", 11) + bytes([8]) + bytes(50))
        out, err = self.run_rdbmem("-fjson", "u.rdb", status=1)
        self.assertNotIn("last_key", json.loads(out)["error"])
        self.assertIn(b"unknown type or opcode 8", err)

    def test_numbers_of_two_families(self):
        """22 and 243 are known to both, and read differently; without df-ver 30 to 32 are Redis's."""
        field = r.text(b"f") + r.text(b"v")
        for magic, version, body, elements in (
                (b"VALKEY", 80, b"\x16" + r.text(b"h") + b"\x01" + field + b"\xff" * 8, 1),
                (b"REDIS", 12, b"\x16" + r.text(b"h") + b"\x01\x00" + field, 1)):
            self.write("u.rdb", head(magic, version) + r.select(0) + body + b"\xff" + bytes(8))
            report = json.loads(self.run_rdbmem("-fjson", "u.rdb")[0])
            self.assertEqual((report["totals"]["keys"], report["totals"]["num_elements"]), (1, elements))
        self.write("u.rdb", head(b"REDIS", 9) + DRAGONFLY + r.select(0) + b"\x1e" + r.text(b"j") + r.text(b"[1]") + b"\xff" + bytes(8))
        self.assertEqual(json.loads(self.run_rdbmem("-fjson", "u.rdb")[0])["types"][0]["type"], "json")


class Damaged(CliTest):
    """--on-error: what is damaged inside its string costs one key, and no other a byte."""

    def rows(self, *args, status):
        out, err = self.run_rdbmem("-fcsv", *args, "d.rdb", status=status)
        return {row["key"]: row for row in csv.DictReader(io.StringIO(out.decode()))}, err

    def test_the_others_do_not_change(self):
        good = [r.string(b"a", b"v" * 50), r.plain_hash(b"b", [(b"f", b"v")] * 3), r.zset(b"c", [(b"m", 1.0)]), r.plain_list(b"d", [b"x"] * 9)]
        bad = [bytes([kind]) + r.text(b"bad%d" % kind) + r.text(b"\x0b\x00\x00\x00\x0a\x00\x00\x00\x01\x00\xff") for kind in (10, 12, 13, 16, 17, 20)]
        self.write("d.rdb", r.dump(r.select(0), *good))
        want, err = self.rows(status=0)
        self.assertEqual(err, b"")
        for split in range(len(good) + 1):
            self.write("d.rdb", r.dump(r.select(0), *good[:split], *bad, *good[split:]))
            got, err = self.rows("--on-error=skip-key", status=1)
            self.assertEqual(len(got), 10)
            for key, row in want.items():
                self.assertEqual({n: v for n, v in got[key].items() if n != "offset"}, {n: v for n, v in row.items() if n != "offset"})
            self.assertEqual({k: row["flags"] for k, row in got.items() if k.startswith("bad")}, {"bad%d" % k: "damaged" for k in (10, 12, 13, 16, 17, 20)})
            self.assertEqual(err.count(b"\n"), 1)
            self.assertIn(b"'bad10' in db0", err)
            got, _ = self.rows("--on-error=stop", status=1)
            self.assertEqual(len(got), split + 1)

    def test_text_says_how_many(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), *(b"\x10" + r.text(b"bad%d" % i) + r.text(b"\x07\x00") for i in range(3))))
        out = self.run_rdbmem("--on-error=skip-key", "d.rdb", status=1)[0]
        self.assertIn(b"3 damaged keys were skipped", out)
        self.assertIn(b"INCOMPLETE", out)

    def test_wrong_checksum_keeps_the_result(self):
        whole = r.dump(r.select(0), r.string(b"a", b"v" * 50), r.plain_list(b"d", [b"x"] * 9))
        self.write("d.rdb", whole)
        want, _ = self.rows(status=0)
        self.write("d.rdb", whole[:-8] + b"\x01" * 8)
        for option in ("--on-error=stop", "--on-error=skip-key"):
            got, err = self.rows(option, status=1)
            self.assertEqual(got, want)
            self.assertEqual(err.count(b"\n"), 1)
            self.assertIn(b"found 0101010101010101", err)
        out = self.run_rdbmem("-fjson", "d.rdb", status=1)[0]
        report = json.loads(out)
        self.assertEqual((report["complete"], report["totals"]["keys"], report["file"]["checksum"]["state"]), (False, 2, "wrong"))
        self.assertEqual(report["file"]["checksum"]["stored"], "01" * 8)
        self.assertIn(b"everything was read", b" ".join(self.run_rdbmem("d.rdb", status=1)[0].split()))


if __name__ == "__main__":
    unittest.main()
