"""docs/usage.md, README.md and --help name every option, column, flag and member that there is."""
import json
import os
import re
import unittest

from clitest import CliTest
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


class Docs(CliTest):
    def setUp(self):
        super().setUp()
        self.usage = text_of("docs/usage.md")
        self.code = set(re.findall(r"`([^`\n]+)`", self.usage))

    def test_options(self):
        out = self.run_rdbmem("--help")[0].decode()
        options = re.findall(r"^ {2}(?:-(\w),|   ) --([\w-]+)(\S*)", out, re.M)
        self.assertGreater(len(options), 15)
        for letter, name, arg in options:
            self.assertIn("--" + name + arg.strip(), self.code)
            if letter:
                self.assertIn("-" + letter, self.code)
        documented = {o for o in re.findall(r"^\| (?:`-\w`, )?`--([\w-]+)", self.usage, re.M)}
        self.assertEqual(documented, {name for _, name, _ in options})

    def test_columns(self):
        self.write("d.rdb", r.dump())
        columns = self.run_rdbmem("-fcsv", "d.rdb")[0].decode().strip().split(",")
        table = self.usage[self.usage.index("| column |"):self.usage.index("| flag |")]
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", table, re.M), columns)

    def test_members(self):
        self.write("d.rdb", r.dump(r.select(0), r.resize(1, 0), r.string(b"\xff", b"v"), b"\x00" + r.text(b"cut") + b"\x10",
                                   extra=r.aux(b"used-mem", b"1"))[:-9])
        names = set()

        def walk(node, path=""):
            for name, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
                if isinstance(name, str) and path != "structures":
                    names.add(name)
                walk(value, name)
        walk(json.loads(self.run_rdbmem("-fjson", "d.rdb", status=1)[0]))
        self.assertIn("last_key", names)
        self.assertEqual(names - self.code, set())

    def test_flags(self):
        with open(os.path.join(ROOT, "report/fields.c")) as f:
            flags = re.findall(r'\{KEY_\w+, "(\w+)"\}', f.read())
        self.assertEqual(len(flags), 11)
        table = self.usage[self.usage.index("| flag |"):]
        table = table[:table.index("\n## ")]
        self.assertEqual(set(re.findall(r"`(\w+)`", table)) - {"target"}, set(flags))

    def test_settings(self):
        with open(os.path.join(ROOT, "analyzer/config.c")) as f:
            settings = re.findall(r'\[SET_\w+\] = \{\{"([\w-]+)"', f.read())
        self.assertGreater(len(settings), 20)
        for s in settings:
            if not s.startswith("active-defrag"):
                self.assertIn(s, self.code)

    def test_links(self):
        for name in ("README.md", "docs/usage.md", "docs/install.md"):
            for target in re.findall(r"\]\(([^)#:]+)\)", text_of(name)):
                self.assertTrue(os.path.exists(os.path.join(ROOT, os.path.dirname(name), target)), target)


if __name__ == "__main__":
    unittest.main()
