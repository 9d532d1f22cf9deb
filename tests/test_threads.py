"""One dump read by several threads: the report is that of one thread, byte for byte, also of dumps that are damaged, cut off,
full of values that look like records, or not what threads can read."""
import glob
import gzip
import lzma
import os
import random
import struct
import subprocess
import unittest

from clitest import CrewTest, RDBMEM
import rdbfile as r

TESTDATA = os.environ.get("TESTDATA", "testdata")


class Threads(CrewTest):
    CREWS = ((2, 1024), (3, 3000), (5, 20000), (8, 1024))

    def test_real_dumps(self):
        for path in sorted(glob.glob(os.path.join(TESTDATA, "*", "dump.rdb.xz"))):
            with self.subTest(path), lzma.open(path) as f:
                self.write("d.rdb", f.read())
                for name in ("json", "csv", "text"):
                    status, out, _ = self.same("--format=" + name, "d.rdb")
                    self.assertEqual(status, 0)
                    self.assertGreater(len(out), 1000)

    def test_options(self):
        self.generated("d.rdb", "--mix=mixed", "--keys=800")
        for options in (["--no-forecast"], ["--sample=1/5"], ["--load-as=replica"], ["--load-as=all"], ["--slots", "--top=50"],
                        ["--config=maxmemory=1mb", "--config=maxmemory-policy=allkeys-lru"], ["--target=valkey:9.1"],
                        ["--target=redis:8.8"], ["--allocator=libc"], ["--key=user:*"]):
            with self.subTest(options):
                self.assertEqual(self.same("--format=json", *options, "d.rdb")[0], 0)

    def test_fields_that_expire(self):
        """Such hashes are registered in their database, which grows with their number: beyond 16, and beyond what is exact."""
        records = []
        for i in range(2600): # rdb.c RDB_TYPE_HASH_METADATA: least expiry, count, then expiry - least + 1, field, value
            fields = b"".join(r.length(1 + j) + r.text(b"f%d" % j) + r.text(b"v") for j in range(1 + i % 3))
            records.append(b"\x18" + r.text(b"h:%d" % i) + struct.pack("<q", 1900000000000 + i % 97) + r.length(1 + i % 3) + fields)
        self.write("d.rdb", r.dump(r.select(0), *records, version=12, ver=b"8.4.0"))
        for options in ([], ["--config=cluster-enabled=yes"]):
            self.assertEqual(self.same("--format=json", *options, "d.rdb")[0], 0)

    def test_kinds_of_records(self):
        """Databases, hints, fields, scripts, functions, modules: also between the keys."""
        keys = [r.string(b"key:%d" % i, b"v" * (i % 50)) for i in range(2000)]
        for at in range(150, 2000, 300):
            keys[at] = r.select(at // 150) + r.resize(400, 0) + keys[at]
        keys[333] = r.aux(b"lua", b"return 1") + keys[333]
        keys[777] = r.aux(b"slot-info", b"7,3,0") + keys[777]
        keys[1234] = r.zset(b"scores", [(b"m%d" % i, i) for i in range(300)])
        self.write("d.rdb", r.dump(*keys))
        self.assertEqual(self.same("--format=json", "d.rdb")[0], 0)

    def test_values_that_look_like_records(self):
        """A thread that begins inside such a value finds records, and is told otherwise."""
        inner = b"".join(r.string(b"inner:%d" % i, b"x" * (i % 30)) for i in range(400))
        keys = []
        for i in range(60):
            keys.append(r.string(b"outer:%d" % i, inner[:1000 + 97 * i]))
            keys.append(r.string(b"small:%d" % i, b"v"))
        self.write("d.rdb", r.dump(r.select(0), *keys))
        status, out, _ = self.same("--format=csv", "d.rdb")
        self.assertEqual(status, 0)
        self.assertEqual(out.count(b"outer:"), 60)
        self.assertNotIn(b"inner:", out)

    def test_long_values(self):
        """No stretch begins in the middle of them."""
        keys = [r.string(b"long:%d" % i, bytes(200000)) for i in range(3)]
        keys.append(r.zset(b"members", [(b"member:%d" % i, i) for i in range(30000)]))
        keys += [r.string(b"short:%d" % i, b"v") for i in range(3000)]
        keys.append(r.string(b"last", b"\0\1\2\3" * 100000))
        self.write("d.rdb", r.dump(r.select(0), *keys))
        self.assertEqual(self.same("--format=json", "d.rdb")[0], 0)

    def test_names(self):
        """Bytes that are no text, integers, long ones, the empty one."""
        rng = random.Random(4)
        names = [bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40))) for _ in range(1500)]
        names += [b"", b"n" * 70, b"n" * 20000, b"12345", b"-1"]
        self.write("d.rdb", r.dump(r.select(0), *(r.string(name, b"v" * 9) for name in names)))
        self.assertEqual(self.same("--format=csv", "--escape=base64", "d.rdb")[0], 0)

    def test_damaged(self):
        """What is said, what was read so far, and the exit code are those of one thread."""
        whole = self.generated("d.rdb", "--mix=mixed", "--keys=120")
        rng = random.Random(11)
        statuses = set()
        for trial in range(60):
            bad = bytearray(whole)
            for _ in range(rng.randrange(1, 4)):
                bad[rng.randrange(60, len(bad))] = rng.randrange(256)
            if trial % 3 == 0:
                del bad[rng.randrange(100, len(bad)):]
            self.write("bad.rdb", bytes(bad))
            options = ["--on-error=skip-key"] if trial % 2 else []
            statuses.add(self.same("--format=json", *options, "bad.rdb", crews=self.CREWS[trial % 3:trial % 3 + 2])[0])
        self.assertEqual(statuses, {1})

    def test_the_last_key_of_a_message(self):
        """A key whose value is read again, in order, is the last one too."""
        keys = [r.string(b"key:%d" % i, b"v" * 20) for i in range(400)]
        module = b"\x07" + r.text(b"a module's") + b"\x81" + bytes(range(8)) + r.length(2) + r.length(7) + r.length(0)
        self.write("d.rdb", r.dump(r.select(3), *keys, module, r.select(5), b"\xc9"))
        status, _, err = self.same("--format=json", "d.rdb")
        self.assertEqual(status, 1)
        self.assertIn(b"a module's' in db3", err)

    def test_behind_the_end(self):
        whole = self.generated("d.rdb", "--mix=mixed", "--keys=300")
        self.write("tail.rdb", whole + b"*1\r\n$4\r\nPING\r\n" * 2000)
        self.same("--format=json", "tail.rdb")
        self.write("keepalive.rdb", b"\n\n" + whole)
        self.assertEqual(self.same("--format=json", "keepalive.rdb")[0], 0)
        self.write("sum.rdb", whole[:-8] + bytes(range(1, 9)))
        self.assertEqual(self.same("--format=json", "sum.rdb")[0], 1)

    def test_what_threads_cannot_read(self):
        """A pipe, a compressed file: read by one thread, whatever was asked for."""
        whole = self.generated("d.rdb", "--mix=small", "--keys=3000")
        expected = self.one("--threads=1", "--format=csv", "d.rdb")
        self.write("d.rdb.gz", gzip.compress(whole))
        self.assertEqual(self.one("--threads=4", "--stretch=1024", "--format=csv", "d.rdb.gz"), expected)
        self.assertEqual(self.one("--threads=4", "--stretch=1024", "--format=csv", "-", data=whole), expected)
        with open(self.path("d.rdb"), "rb") as f: # a file, though it has no name
            done = subprocess.run([RDBMEM, "--threads=4", "--stretch=1024", "--format=csv", "-"], stdin=f, stdout=subprocess.PIPE, timeout=60)
        self.assertEqual(done.stdout, expected[1])

    def test_wrong_numbers(self):
        self.write("d.rdb", r.dump(r.string(b"k", b"v")))
        for option in ("--threads=0", "--threads=65", "--threads=many", "--stretch=10", "--stretch=x"):
            self.fails(option, "d.rdb", status=2, says=option.split("=")[0].strip("-").encode())


if __name__ == "__main__":
    unittest.main()
