"""What `cmake --install` lays down: a library that exports what its header declares, and that the documented program
can be compiled and linked with, both ways, by what pkg-config says."""
import collections
import gzip
import lzma
import os
import re
import shutil
import subprocess
import unittest
import urllib.parse

from clitest import CliTest
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD_DIR", os.path.join(ROOT, "build"))
TESTDATA = os.environ.get("TESTDATA", os.path.join(ROOT, "testdata"))
CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def output(*command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=300)
    if done.returncode != 0:
        raise AssertionError("%s: exit %d: %s" % (" ".join(command), done.returncode, done.stderr.decode()))
    return done.stdout.decode("utf-8", "surrogateescape")


def declared():
    """The functions of the public header."""
    with open(os.path.join(ROOT, "rdb/rdb.h"), encoding="utf-8") as f:
        header = re.sub(r"/\*.*?\*/|//[^\n]*", "", f.read(), flags=re.S)
    return set(re.findall(r"\bRDB_API\s+[^;(]*?\b(rdb_\w+)\s*\(", header))


def example():
    with open(os.path.join(ROOT, "docs/parser-api.md"), encoding="utf-8") as f:
        return re.search(r"^```c\n(#include.*?)^```$", f.read(), re.M | re.S).group(1)


def truth(directory):
    """Entries of every key by what the server itself said of it; of streams only that they are there."""
    rows = collections.Counter()
    with gzip.open(os.path.join(directory, "keys.tsv.gz"), "rt", encoding="ascii") as f:
        names = f.readline().rstrip("\n").split("\t")
        for line in f:
            row = dict(zip(names, line.rstrip("\n").split("\t")))
            each = {"hash": 2, "zset": 2, "string": 0}.get(row["type"], 1)
            count = int(row["elements"]) * each if each else 1
            rows[(row["db"], row["type"], urllib.parse.unquote_to_bytes(row["key"]), None if row["type"] == "stream" else count)] += 1
    return rows


def counted(out):
    """The lines of the program, `db type name n`; a name may have line breaks itself."""
    lines = re.findall(rb"(\d+) ([a-z]+) (.*?) (\d+)\n(?=\d+ [a-z]+ |\Z)", out, re.S)
    return collections.Counter((db.decode(), kind.decode(), name, None if kind == b"stream" else int(n)) for db, kind, name, n in lines)


class Installed(CliTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.path("p")
        output("cmake", "--install", BUILD, "--prefix", self.prefix)
        found = subprocess.run(["find", self.prefix, "-name", "rdbmem.pc"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        self.assertEqual(len(found), 1)
        self.lib = os.path.dirname(os.path.dirname(found[0]))
        self.environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]))
        self.write("example.c", example().encode())

    def pkg_config(self, *args):
        return output("pkg-config", *args, "rdbmem", env=self.environment).split()

    def compile(self, program, *flags):
        output(CC, "-std=c11", *WARNINGS, "-o", self.path(program), self.path("example.c"), *flags)
        return self.path(program)

    def needed(self, program):
        return re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", program))

    def run_example(self, program, *args, data=None, status=0):
        done = subprocess.run([program, *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=dict(os.environ, LD_LIBRARY_PATH=self.lib))
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def check_counts(self, program):
        for name in ("redis-2.8-mix", "redis-7.2-types", "valkey-9.1-lru"):
            with self.subTest(program=os.path.basename(program), name=name):
                directory = os.path.join(TESTDATA, name)
                with lzma.open(os.path.join(directory, "dump.rdb.xz")) as f:
                    out, err = self.run_example(program, data=f.read())
                self.assertEqual(err, b"")
                self.assertEqual(counted(out), truth(directory))

    def test_shared(self):
        program = self.compile("shared", *self.pkg_config("--cflags", "--libs"))
        self.assertIn("librdbmem.so.0", self.needed(program))
        self.check_counts(program)

    def test_static(self):
        """The archive, and by the private part of the .pc all that it needs; whole programs where every archive is there."""
        for name in os.listdir(self.lib):
            if name.startswith("librdbmem.so"):
                os.remove(os.path.join(self.lib, name))
        flags = self.pkg_config("--static", "--cflags", "--libs")
        program = self.compile("static", *flags)
        self.assertNotIn("librdbmem.so.0", self.needed(program))
        self.check_counts(program)
        if "-lisal" not in flags:
            self.check_counts(self.compile("whole", "-static", *flags))

    def test_failures(self):
        program = self.compile("shared", *self.pkg_config("--cflags", "--libs"))
        _, err = self.run_example(program, self.path("absent"), status=1)
        self.assertIn(b"cannot open", err)
        good = r.dump(r.select(0), r.string(b"a", b"v"), r.plain_list(b"l", [b"x", b"y"]))
        self.assertEqual(self.run_example(program, data=good)[0], b"0 string a 1\n0 list l 2\n")
        out, err = self.run_example(program, data=good[:-10], status=1)
        self.assertEqual((out[:13], err.count(b"\n")), (b"0 string a 1\n", 1))
        self.assertIn(b"the input ends", err)

    def test_exports(self):
        functions = declared()
        self.assertGreater(len(functions), 20)
        dynamic = output("nm", "-D", "--defined-only", os.path.join(self.lib, "librdbmem.so"))
        self.assertEqual({line.split()[-1].split("@")[0] for line in dynamic.splitlines()}, functions)
        archive = output("nm", "--extern-only", "--defined-only", os.path.join(self.lib, "librdbmem.a"))
        self.assertEqual(set(re.findall(r"^\w+ \w (\S+)$", archive, re.M)), functions)

    def test_soname(self):
        dynamic = output("readelf", "-d", os.path.join(self.lib, "librdbmem.so"))
        self.assertEqual(re.findall(r"SONAME.*\[(.*)\]", dynamic), ["librdbmem.so.0"])
        self.assertTrue(os.path.islink(os.path.join(self.lib, "librdbmem.so.0")))
        version = self.pkg_config("--modversion")[0]
        self.assertTrue(os.path.isfile(os.path.join(self.lib, "librdbmem.so." + version)))
        self.assertIn(version, output(os.path.join(self.prefix, "bin/rdbmem"), "--version"))

    def test_header_alone(self):
        """Nothing has to be included before it, in C11 and in C++; where it is included twice nothing happens."""
        flags = self.pkg_config("--cflags")
        self.write("alone.c", b"#include <rdbmem/rdb.h>\n#include <rdbmem/rdb.h>\n"
                   b"int main(void) { rdb_parser *p = rdb_open(\"-\", 0); bool bad = !p || rdb_failed(p); rdb_close(p); return bad; }\n")
        shutil.copy(self.path("alone.c"), self.path("alone.cc"))
        for compiler, standard, source in ((CC, "-std=c11", "alone.c"), (CXX, "-std=c++11", "alone.cc"), (CXX, "-std=c++20", "alone.cc")):
            with self.subTest(standard=standard):
                output(compiler, standard, "-pedantic-errors", *WARNINGS, "-Wconversion", "-o", self.path("alone"), self.path(source),
                       *flags, *self.pkg_config("--libs"))
                self.run_example(self.path("alone"), data=r.dump())

    def test_staged(self):
        """DESTDIR, as packages are made; the tree works from where it lies."""
        stage = self.path("stage")
        output("cmake", "--install", BUILD, "--prefix", "/opt/rdbmem", env=dict(os.environ, DESTDIR=stage))
        moved = self.path("moved")
        os.rename(os.path.join(stage, "opt/rdbmem"), moved)
        self.assertEqual(sorted(os.listdir(moved)), sorted(os.listdir(self.prefix)))
        lib = os.path.join(moved, os.path.relpath(self.lib, self.prefix))
        flags = output("pkg-config", "--cflags", "--libs", "rdbmem", env=dict(os.environ, PKG_CONFIG_PATH=os.path.join(lib, "pkgconfig")))
        self.compile("moved-example", *flags.split())


if __name__ == "__main__":
    unittest.main()
