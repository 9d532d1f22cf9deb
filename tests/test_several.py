"""Several dumps read beside one another: the report has the same bytes with any number of threads, what is found over all of
them is what one dump with all their keys has, and what there is to say is said in the order of the dumps."""
import glob
import json
import lzma
import os
import pty
import re
import signal
import subprocess
import time
import unittest

from clitest import CrewTest, RDBMEM
import rdbfile as r

TESTDATA = os.environ.get("TESTDATA", "testdata")


class Several(CrewTest):
    CREWS = ((2, 2048), (3, 2048), (8, 2048))

    def real(self):
        names = []
        for path in sorted(glob.glob(os.path.join(TESTDATA, "*", "dump.rdb.xz"))):
            with lzma.open(path) as f:
                names.append(os.path.basename(os.path.dirname(path)) + ".rdb")
                self.write(names[-1], f.read())
        self.assertGreater(len(names), 5)
        return names

    def test_real_dumps(self):
        names = self.real()
        for options in (["--format=json"], ["--format=text"], ["--format=csv"], ["--format=prometheus"],
                        ["--format=json", "--hash-names=s", "--slots"],
                        ["--format=json", "--regex=^[a-m]", "--group=users=^user", "--sample=1/3"]):
            with self.subTest(options):
                self.assertEqual(self.same(*options, *names)[0], 0)

    def keys(self):
        """Three dumps' keys: of every kind that some finding looks at."""
        big = r.zset(b"board:{t}:%d", [(b"member:%d" % i, i) for i in range(12000)])
        return [[r.select(0)] + [r.string(b"user:%d:name" % i, b"v" * (i % 90)) for i in range(500)],
                [r.select(0), big.replace(b"%d", b"17")] + [r.expire(1790000500000 + i) + r.string(b"{tag%d}:x" % (i % 7), b"w" * 30) for i in range(300)],
                [r.select(0), big.replace(b"%d", b"88")] + [r.zset(b"cart:%d" % i, [(b"m%d" % j, j) for j in range(i)]) for i in range(100, 160)]]

    def test_as_one_dump(self):
        parts = self.keys()
        for i, records in enumerate(parts):
            self.write("%d.rdb" % i, r.dump(*records))
        self.write("all.rdb", r.dump(*(record for records in parts for record in records)))
        options = ["-q", "--format=json", "--slots", "--group=users=^user", "--group=backtracks=^(x+x+)+y", "--regex=.", "--fail-on=no-ttl:*",
                   "--fail-on=prefix:user:*>1K", "--fail-on=big-key", "--big=bytes=100K"]
        whole = json.loads(self.one("--now=1790000000", *options, "all.rdb")[1])
        status, out, _ = self.same(*options, "0.rdb", "1.rdb", "2.rdb")
        self.assertEqual(status, 3)
        found = json.loads(out)["combined"]
        for section in ("groups", "groups_custom", "distributions", "slots", "filter"):
            self.assertEqual(found[section], whole[section], section)
        self.assertGreater(found["slots"]["tagged_keys"], 300)
        for figure in ("allowed", "expired", "failing"):
            if figure in whole["audit"]["big_keys"]:
                self.assertEqual(found["audit"]["big_keys"][figure], whole["audit"]["big_keys"][figure])
        self.assertEqual([v["rule"] for v in found["audit"]["violations"]], [v["rule"] for v in whole["audit"]["violations"]])
        self.assertEqual([re.sub(r" in \d.rdb", "", v["text"]) for v in found["audit"]["violations"]],
                         [v["text"] for v in whole["audit"]["violations"]])

    def test_more_prefixes_than_are_told_apart(self):
        """Which ones are depends on the order of the dumps, not on who was read first."""
        names = ["p%d.rdb" % i for i in range(6)]
        for i, name in enumerate(names):
            self.generated(name, "--mix=prefixes", "--keys=%d" % (25000 + 9000 * (i % 3)), "--seed=%d" % i)
        status, out, _ = self.same("--format=json", "-q", *names)
        self.assertEqual(status, 0)
        groups = json.loads(out)["combined"]["groups"]
        self.assertGreater(groups["merged_while_reading"], 10000)
        self.assertEqual(groups["prefixes"][0]["keys"], 6 * 34000)

    def test_what_is_said(self):
        whole = self.generated("good.rdb", "--mix=mixed", "--keys=200")
        self.write("short.rdb", whole[:len(whole) // 2])
        self.write("sum.rdb", whole[:-8] + bytes(8 * [1]))
        self.write("tail.rdb", r.dump(r.select(0), extra=r.aux(b"aof-preamble", b"1")) + b"*1\r\n$4\r\nPING\r\n" * 20)
        self.write("text.rdb", b"no dump at all")
        names = ["good.rdb", "short.rdb", "missing.rdb", "tail.rdb", "sum.rdb", "text.rdb", "other.rdb"]
        self.write("other.rdb", whole)
        status, out, err = self.same("--format=json", *names)
        self.assertEqual(status, 1)
        said = [line.split(":")[1].strip() for line in err.decode().splitlines()]
        self.assertEqual(said, ["short.rdb", "missing.rdb", "tail.rdb", "sum.rdb", "text.rdb"])
        self.assertEqual([f["file"]["path"] for f in json.loads(out)["files"]], names)

    def test_none_is_a_dump(self):
        status, out, err = self.same("a.rdb", "b.rdb", "c.rdb")
        self.assertEqual((status, out, err.count(b"\n")), (1, b"", 3))

    def test_standard_input_among_them(self):
        data = self.generated("a.rdb", "--mix=mixed", "--keys=150")
        self.generated("b.rdb", "--mix=small", "--keys=2000")
        self.assertEqual(self.same("--format=json", "b.rdb", "-", "a.rdb", data=data)[0], 0)

    def test_one_at_a_time_where_memory_is_measured(self):
        names = ["%d.rdb" % i for i in range(3)]
        for i, name in enumerate(names):
            self.generated(name, "--mix=mixed", "--keys=100", "--seed=%d" % i)
        status, out, err = self.one("--threads=3", "--rebuild", "--format=json", *names)
        if status == 2 and b"jemalloc" in err:
            self.skipTest(err.decode())
        self.assertEqual(status, 0, err)
        self.assertEqual([line.split(":")[1].strip() for line in err.decode().splitlines()], names)
        for part in json.loads(out)["files"]:
            self.assertGreater(part["rebuild"]["steps"][0]["active"], 0)

    def test_a_signal_ends_all(self):
        """What was read so far of each is reported, and the program ends by the signal."""
        names = []
        for i in range(3):
            names.append(self.path("pipe%d" % i))
            os.mkfifo(names[-1])
        whole = self.generated("d.rdb", "--mix=small", "--keys=200000")
        with subprocess.Popen([RDBMEM, "--threads=3", "--format=json", "-o", self.path("report"), *names], stderr=subprocess.PIPE) as p:
            pipes = [os.open(name, os.O_WRONLY) for name in names]
            data = whole[:-2000000]
            for pipe in pipes: # all three are being read: none would take so much otherwise
                for at in range(0, len(data), 65536):
                    os.write(pipe, data[at:at + 65536])
            p.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            for pipe in pipes:
                try:
                    os.write(pipe, whole[len(data):][:1000000])
                except BrokenPipeError:
                    pass
                os.close(pipe)
            err = p.stderr.read().decode()
            self.assertEqual(p.wait(timeout=30), -signal.SIGTERM, err)
        report = json.loads(self.read("report"))
        self.assertEqual([f["complete"] for f in report["files"]], [False] * 3)
        self.assertTrue(all(f["totals"]["keys"] > 10000 for f in report["files"]))
        self.assertEqual([line.split(": ")[1] for line in err.splitlines()], names)

    def test_progress(self):
        """One line about all dumps: bytes, keys and dumps are those that were read."""
        names = [self.path("pipe%d" % i) for i in range(2)]
        for name in names:
            os.mkfifo(name)
        data = self.generated("d.rdb", "--mix=small", "--keys=200000")
        ours, theirs = pty.openpty()
        with subprocess.Popen([RDBMEM, "--threads=2", "--format=json", "-o", self.path("report"), *names], stderr=theirs) as p:
            os.close(theirs)
            pipes = [os.open(name, os.O_WRONLY) for name in names]
            with os.fdopen(pipes[0], "wb") as pipe:
                pipe.write(data)
            half = len(data) // 2
            for part in (data[:half], data[half:]):
                time.sleep(1.1)
                os.write(pipes[1], part[:65536])
                for at in range(65536, len(part), 65536):
                    os.write(pipes[1], part[at:at + 65536])
            os.close(pipes[1])
            self.assertEqual(p.wait(timeout=30), 0)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError: # the other side is closed
            pass
        os.close(ours)
        found = [(int(k.replace(b",", b"")), int(n)) for k, n in re.findall(rb"([0-9,]+) keys, ([0-9]) of 2 dumps", shown)]
        self.assertGreater(len(found), 0, shown)
        self.assertTrue(200000 < found[-1][0] <= 400000 and found[-1][1] == 1, shown)


if __name__ == "__main__":
    unittest.main()
