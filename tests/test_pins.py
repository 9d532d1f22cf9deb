"""Whose blocks keep half-empty slabs, and what a big key's deletion gives back: worked out by hand for redis 7.2."""
import json
import unittest

from clitest import CliTest
import rdbfile as r

HOUR = 3600 * 1000
# A name of 9 bytes is an sds of 11, in the class of 16; the entry has 24 bytes, the robj 16; a value of 1000 bytes is an
# sds of 1004, in the class of 1024, whose slabs have four regions in one page (allocators.md of jemalloc: bin 1024).
VALUE = b"v" * 1000


class Pins(CliTest):
    def analyse(self, *records, args=()):
        self.write("d.rdb", r.dump(r.select(0), *records))
        out, _ = self.run_rdbmem("-fjson", "--target=redis:7.2", "--horizon=all", *args, "d.rdb")
        return json.loads(out)

    def last(self, report):
        return report["forecast"][-1]

    @staticmethod
    def pins(step):
        return {p["prefix"]: p["bytes"] for p in step["pinned_bytes_by_prefix"]}

    def alternating(self, n, **more):
        """Every second key expires: of each slab half of the regions, wherever the server's own stand."""
        keys = []
        for i in range(n):
            keys.append(r.expire(r.CTIME * 1000 + HOUR) + r.string(b"go:%06d" % i, VALUE))
            keys.append(r.string(b"st:%06d" % i, VALUE))
        return self.analyse(*keys, **more)

    def test_the_survivors_pin(self):
        n = 4000
        step = self.last(self.alternating(n))
        pinned = self.pins(step)
        self.assertNotIn("go:", pinned)
        # free beside those that stay: n values of 1024, names and robjs of 16, entries of 24 in both tables
        freed = n * (1024 + 16 + 16 + 24 + 24)
        self.assertAlmostEqual(pinned["st:"] / freed, 1, delta=0.01)
        self.assertEqual(step["pinned_bytes_by_type"]["string"], pinned["st:"])

    def test_shared_by_type_and_prefix(self):
        keys = []
        for i in range(3000):
            keys.append(r.expire(r.CTIME * 1000 + HOUR) + r.string(b"go:%06d" % i, VALUE))
            keys.append(r.string(b"aa:%06d" % i, VALUE))
            keys.append(r.string(b"bb:%06d" % i, VALUE))
            keys.append(r.plain_list(b"aa:x%05d" % i, [b"v" * 990]))
        step = self.last(self.analyse(*keys))
        by_type, by_prefix = step["pinned_bytes_by_type"], self.pins(step)
        self.assertEqual(set(by_prefix), {"aa:", "bb:"})
        self.assertAlmostEqual(sum(by_type.values()) - by_type.get("server", 0), sum(by_prefix.values()), delta=2)
        # one slab of 1024 has a region that goes, two strings' and a list's: each pins a third
        self.assertAlmostEqual(by_prefix["aa:"] / by_prefix["bb:"], 2, delta=0.2)

    def test_more_prefixes_than_tags(self):
        keys = []
        for i in range(1000):
            for kind in (b"a", b"b", b"c"):
                keys.append(r.string(kind + bytes([97 + i // 26 % 26, 97 + i % 26]) + b":1", VALUE))
            keys.append(r.expire(r.CTIME * 1000 + HOUR) + r.string(b"go:1%d" % i, VALUE))
        step = self.last(self.analyse(*keys))
        self.assertEqual(len(step["pinned_bytes_by_prefix"]), 10)
        self.assertEqual(step["pinned_bytes_by_prefix"][0]["prefix"], "")  # what came too late, together
        self.assertGreater(step["pinned_bytes_by_type"]["string"], 900 * 1024)

    def test_hidden_names_stay_hidden(self):
        step = self.last(self.alternating(400, args=("--hash-names=secret",)))
        report = self.alternating(400, args=("--hash-names=secret",))
        self.assertNotIn("st:", self.pins(step))
        self.assertIn(list(self.pins(step))[0], {g["prefix"] for g in report["groups"]["prefixes"]})

    def test_a_string_of_its_own_pages(self):
        report = self.analyse(r.string(b"big:blob0", b"v" * (2 << 20)), r.string(b"other", b"v" * 1000))
        key = report["big_keys"]["keys"][0]
        # an sds of 2 MiB and 10 bytes is in the class of 2.5 MiB: page runs; the name 16, the entry 24, the robj 16
        self.assertEqual((key["freed_bytes"], key["stranded_bytes"]), (2621440, 16 + 24 + 16))
        self.assertEqual(key["size_in_bytes"], 2621440 + 56)

    def test_a_table_has_slabs_of_its_own(self):
        fields = [(b"field:%06d" % i, b"v" * 1000) for i in range(12000)]
        report = self.analyse(r.plain_hash(b"big:hash0", fields), r.string(b"other", b"v" * 1000))
        key = report["big_keys"]["keys"][0]
        # entry 24 (512 regions in 3 pages), field sds 16 (256 in one), value sds 1024 (4 in one), buckets 16384 * 8
        whole = 12000 // 512 * 3 * 4096 + 12000 // 256 * 4096 + 12000 // 4 * 4096 + 131072
        self.assertLessEqual(abs(key["freed_bytes"] - whole), 4 * 4096)
        self.assertLess(key["stranded_bytes"], 2 * (512 * 24 + 256 * 16 + 4 * 1024))
        self.assertGreaterEqual(key["freed_bytes"] + key["stranded_bytes"], key["size_in_bytes"])

    def test_only_big_keys_and_only_slabs(self):
        big = r.string(b"big", b"v" * (2 << 20))
        report = self.analyse(big, r.string(b"small", b"v"), args=("--format=csv:k.csv",))
        rows = self.read("k.csv").decode().splitlines()
        self.assertTrue(rows[0].endswith(",flags,freed_bytes,stranded_bytes"))
        self.assertTrue(rows[1].endswith(",big_bytes big_element,2621440,48"), rows[1])
        self.assertTrue(rows[2].endswith(",,,"), rows[2])
        self.assertEqual(len(report["big_keys"]["keys"]), 1)
        report = self.analyse(big, args=("--allocator=libc",))
        self.assertIsNone(report["big_keys"]["keys"][0]["freed_bytes"])


if __name__ == "__main__":
    unittest.main()
