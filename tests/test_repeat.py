"""Two runs over one dump give the same bytes, in every format, whatever stands in memory, in the locale or in the clock."""
import lzma
import os
import re
import unittest

from clitest import CliTest
import rdbfile as r

TESTDATA = os.environ.get("TESTDATA", "testdata")
ELSEWHERE = {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Kathmandu", "MALLOC_PERTURB_": "165", "NO_COLOR": "1", "USER": "else"}


class Repeat(CliTest):
    def formats(self):
        text = self.run_rdbmem("--help")[0].decode()
        found = re.findall(r"^ {8}(\w+)  ", text[text.index("--format="):text.index("--output=")], re.M)
        self.assertIn("json", found)
        self.assertGreater(len(found), 3)
        return found

    def twice(self, *args, now=r.CTIME):
        for name in self.formats():
            with self.subTest(format=name, args=args):
                # the age of the dump in the text report is the only thing that time may change
                call = ["--now=%d" % now] if name in ("text", "html") else []
                self.run_rdbmem(*call, "--format=%s:first" % name, *args)
                self.run_rdbmem(*call, "--format=%s:second" % name, *args, env=ELSEWHERE)
                first, second = self.read("first"), self.read("second")
                self.assertEqual(first == second, True, self.difference(first, second))
                self.assertGreater(len(first), 0)

    def test_real_dump(self):
        with lzma.open(os.path.join(TESTDATA, "valkey-9.1-lru/dump.rdb.xz")) as f:
            self.write("d.rdb", f.read())
        self.twice("d.rdb")
        self.twice("--then-delete=30%", "--group=a=^user", "--slots", "d.rdb")

    def test_several(self):
        self.write("a.rdb", r.dump(r.select(0), *(r.string(b"k%d" % i, b"v" * i) for i in range(300))))
        self.write("b.rdb", r.dump(r.select(2), r.zset(b"z", [(b"m%d" % i, i) for i in range(300)]), r.string(b"\xff", b"v")))
        self.twice("a.rdb", "b.rdb")


if __name__ == "__main__":
    unittest.main()
