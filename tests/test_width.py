"""No line of a text report is wider than the terminal: 60 columns, the least, 80, 120, and 100 where there is no terminal."""
import lzma
import os
import re
import unicodedata
import unittest

from clitest import CliTest
import rdbfile as r

TESTDATA = os.environ.get("TESTDATA", "testdata")
NAMES = ["\u7528\u6237:\u4f1a\u8bdd:%d:\u8cc7\u6599" % i for i in range(50)] + ["\ud55c\uad6d\uc5b4:%d" % i for i in range(50)] + [
    "\u00e9" * 40, "e\u0301" * 60, "\U0001f469\u200d\U0001f467:emoji", "long:" + "x" * 300, "\u202etxt:rtl", "tab\there", "\x1b[31mred"]
LONG = "a dump that somebody has kept for years under a name that is longer than any column \u7528\u6237.rdb"
MUCH = ["--slots", "--group=users=^user", "--group=a_group_with_a_rather_long_name=b", "--then-delete=50%", "--fail-on=big-key",
        "--fail-on=prefix:*>1K", "--config=maxmemory=2mb", "--config=maxmemory-policy=allkeys-lru", "--rebuild"]


def columns(line):
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Width(CliTest):
    def setUp(self):
        super().setUp()
        records = [r.string(n.encode(), b"v" * (100 + i * 300)) for i, n in enumerate(NAMES)]
        records += [r.zset(b"z:" + b"n" * 100, [(b"m%d" % i, i) for i in range(12000)])]
        records += [r.expire(r.CTIME * 1000 + i % 48 * 3600000) + r.string(b"e:%d" % i, b"v" * 500) for i in range(5000)]
        self.write(LONG, r.dump(r.select(0), *records, extra=r.aux(b"used-mem", b"99999999999999")))
        for name in ("redis-2.8-mix", "redis-7.2-types", "valkey-9.1-lru"):
            with lzma.open(os.path.join(TESTDATA, name, "dump.rdb.xz")) as f:
                self.write(name + ".rdb", f.read())

    def fits(self, width, *args, status=0, env=None):
        out = self.run_rdbmem("-q", *args, status=status, env=env)[0].decode()
        self.assertEqual([line for line in out.split("\n") if columns(line) > width], [], args)
        self.assertGreater(max(columns(line) for line in out.split("\n")), width * 3 // 4, args)

    def test_fits(self):
        dumps = [LONG, "redis-2.8-mix.rdb", "redis-7.2-types.rdb", "valkey-9.1-lru.rdb"]
        for width, env in ((60, {"COLUMNS": "60"}), (80, {"COLUMNS": "80"}), (120, {"COLUMNS": "120"}), (100, {})):
            for args, status in [([d], 0) for d in dumps] + [([*MUCH, d], 3) for d in dumps] + [
                    (["--top=30", "--groups=99", *dumps], 0), ([*MUCH, *dumps, "missing.rdb"], 1), (["--explain=z:" + "n" * 100, LONG], 0),
                    (["--color=always", "--hash-names", LONG], 0)]:
                with self.subTest(width=width, args=args):
                    self.fits(width, *args, status=status, env=env)

    def test_help(self):
        self.fits(80, "--help")

    def test_numbers_keep_their_units(self):
        for width in range(60, 120, 7):
            out = self.run_rdbmem("-q", *MUCH, "redis-7.2-types.rdb", status=3, env={"COLUMNS": str(width)})[0].decode()
            self.assertNotRegex(out, r"\d\n +(B|[KMG]iB|%)\b")


if __name__ == "__main__":
    unittest.main()
