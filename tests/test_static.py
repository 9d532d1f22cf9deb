"""The static rdbmem (scripts/package.sh --static): needs no library, and reports what the other one does, to the byte."""
import lzma
import os
import shutil
import subprocess
import tarfile
import unittest

from clitest import CliTest, RDBMEM
import rdbfile as r

BUILD = os.path.join(os.environ.get("BUILD_DIR", os.path.abspath("build")), "static")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTDATA = os.environ.get("TESTDATA", os.path.join(ROOT, "testdata"))
STATIC = os.path.join(BUILD, "rdbmem")


def output(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, universal_newlines=True, timeout=580, check=True,
                          env=dict(os.environ, LC_ALL="C"))
    return done.stdout


class Static(CliTest):
    @classmethod
    def setUpClass(cls):
        cls.archive = output(os.path.join(ROOT, "scripts/package.sh"), "--static", BUILD).strip()

    def reports(self, program, *args, status=0):
        """Two runs can be in different seconds, and a dump older than Redis 3.2 does not say when it was saved."""
        done = subprocess.run([program, "-q", "--now=1790000000", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.dir,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, status, args)
        return done.stdout

    def assertSame(self, *args, status=0):
        want = self.reports(RDBMEM, *args, status=status)
        self.assertGreater(len(want), 100)
        self.assertTrue(want == self.reports(STATIC, *args, status=status), args)

    def test_needs_nothing(self):
        self.assertIn("no dynamic section", output("readelf", "-d", STATIC))
        self.assertNotIn("INTERP", output("readelf", "-lW", STATIC))
        self.assertRegex(output("readelf", "-h", STATIC), r"Type: +EXEC")

    def test_runs_where_nothing_is(self):
        if os.geteuid() != 0:
            self.skipTest("only root can change the root directory")
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        shutil.copy(STATIC, self.path("rdbmem"))
        said = output("chroot", self.dir, "/rdbmem", "-q", "--format=csv", "/d.rdb")
        self.assertEqual(said.splitlines()[1].split(",")[:3], ["0", "string", "k"])

    def test_testdata(self):
        dumps = [os.path.join(TESTDATA, "redis-7.2-mix.rdb")]
        for name in sorted(os.listdir(TESTDATA)):
            packed = os.path.join(TESTDATA, name, "dump.rdb.xz")
            if os.path.exists(packed):
                with lzma.open(packed) as f:
                    dumps.append(self.write(name + ".rdb", f.read()))
        self.assertGreater(len(dumps), 5)
        for dump in dumps:
            self.assertSame("-fjson", dump)
        self.assertSame("-fjson", *dumps)
        self.assertSame("-fjson", "--config=list-compress-depth=1", "--config=maxmemory=1mb",
                        "--config=maxmemory-policy=allkeys-lru", "--slots", "--regex=^[a-m]", "--target=valkey:8.1", dumps[0])
        for form in ("text", "csv", "ndjson", "prometheus", "html"):
            self.assertSame("-f" + form, dumps[0])

    def test_names_of_any_bytes(self):
        names = [bytes([b]) * 3 for b in range(256)] + [b"\xc3\xa9\xff", b'"\\\x7f', "\u20ac".encode()]
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v" * 40) for n in names)))
        self.assertSame("-fjson", "--top=300", "d.rdb")
        self.assertSame("-fjson", "--explain=AAA", "d.rdb")

    def test_damaged(self):
        with open(os.path.join(TESTDATA, "redis-7.2-mix.rdb"), "rb") as f:
            dump = f.read()
        self.write("short.rdb", dump[:len(dump) // 2])
        self.write("wrong.rdb", dump[:-1] + bytes([dump[-1] ^ 1]))
        for name in ("short.rdb", "wrong.rdb"):
            self.assertSame("-fjson", name, status=1)

    def test_sqlite(self):
        for program, name in ((RDBMEM, "a.db"), (STATIC, "b.db")):
            self.reports(program, "-fsqlite", "-o", name, os.path.join(TESTDATA, "redis-7.2-mix.rdb"))
        self.assertGreater(len(self.read("a.db")), 1 << 20)
        self.assertTrue(self.read("a.db") == self.read("b.db"))

    def test_rebuild_says_what_it_is(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"k", b"v")))
        done = subprocess.run([STATIC, "--rebuild", "d.rdb"], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertRegex(done.stderr, rb"\Ardbmem: --rebuild: [^\n]*static program[^\n]*jemalloc[^\n]*\n\Z")

    def test_archive(self):
        with tarfile.open(self.archive) as archive:
            members = archive.getmembers()
        top = os.path.basename(self.archive)[:-len(".tar.gz")]
        self.assertEqual({m.name.split("/")[0] for m in members}, {top})
        files = {m.name[len(top) + 1:]: m for m in members if m.isfile()}
        self.assertLessEqual({"bin/rdbmem", "share/man/man1/rdbmem.1", "share/doc/rdbmem/LICENSE",
                              "share/bash-completion/completions/rdbmem"}, set(files))
        self.assertEqual(files["bin/rdbmem"].mode, 0o755)
        self.assertLess(files["bin/rdbmem"].size, 8 << 20)


if __name__ == "__main__":
    unittest.main()
